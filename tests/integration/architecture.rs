//! Which module may name which: the shape of the code, checked on its text.
//!
//! `crate::` paths are found wherever they stand, also within nested braces and as a chain of
//! `super::`. Comments do not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The modules at the top of the crate.
const MODULES: [&str; 11] =
    ["api", "app", "client", "domain", "http", "live", "protocol", "service", "settings", "storage", "ui"];

/// The beginning of a path, and the modules that it may name besides itself. An unlisted path may name everything.
const RULES: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("client::timeline", &["domain", "protocol"]),
    ("client::outbox", &["domain", "protocol"]),
    ("client::reconnect", &["domain", "protocol"]),
    ("client::log", &["domain", "protocol"]),
    ("client", &["api", "domain", "protocol"]),
    ("storage", &["domain"]),
    ("live", &["domain", "protocol"]),
    ("settings", &["domain", "storage"]),
    // The service returns what pages show, so it knows the plain types that `api` declares.
    ("service", &["api", "domain", "live", "protocol", "settings", "storage"]),
    ("ui", &["api", "app", "client", "domain", "protocol"]),
];

/// The modules that a file names against the rules.
fn breaches(module: &str, source: &str) -> Vec<String> {
    let rule = RULES.iter().find(|(prefix, _)| module == *prefix || module.starts_with(&format!("{prefix}::")));
    let Some((_, allowed)) = rule else { return Vec::new() };
    let own = module.split("::").next().unwrap();
    let foreign = |name: &String| MODULES.contains(&name.as_str()) && name != own && !allowed.contains(&name.as_str());
    named(module, source).into_iter().filter(foreign).map(|name| format!("{module} names {name}")).collect()
}

/// The top-level modules that a file names.
fn named(module: &str, source: &str) -> BTreeSet<String> {
    let code = without_comments(source);
    let depth = module.split("::").count();
    let mut names = BTreeSet::new();
    names_after(&["crate::".to_owned(), "super::".repeat(depth)], &code, &mut names);
    names
}

/// The first segments of the paths that begin with one of these roots.
fn names_after(roots: &[String], code: &str, names: &mut BTreeSet<String>) {
    for root in roots {
        let mut rest = code;
        while let Some(at) = rest.find(root) {
            let before = rest[..at].chars().next_back();
            rest = &rest[at + root.len()..];
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                first_segments(rest, names);
            }
        }
    }
}

/// The first segment of a path, or of each path in braces.
fn first_segments(path: &str, names: &mut BTreeSet<String>) {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(list) = path.strip_prefix('{') else {
        names.insert(word(path));
        return;
    };
    let mut depth = 0;
    let mut is_start = true;
    for (at, c) in list.char_indices() {
        match c {
            '}' if depth == 0 => return,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                names.insert(word(&list[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
}

fn without_comments(source: &str) -> String {
    source.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect::<Vec<_>>().join("\n")
}

/// Whether a file asks for a feature of the crate.
fn is_gated(source: &str) -> bool {
    without_comments(source).lines().any(|line| line.contains("cfg") && line.contains("feature ="))
}

/// The Rust files below `src`, with their modules.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = path.strip_prefix(&root).unwrap().with_extension("");
            let mut names: Vec<_> = module.iter().map(|name| name.to_str().unwrap()).collect();
            if names.last() == Some(&"mod") {
                names.pop();
            }
            sources.push((names.join("::"), fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

#[test]
fn no_module_names_a_forbidden_module() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources were found");
    let breaches: Vec<_> = sources.iter().flat_map(|(module, source)| breaches(module, source)).collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
    for (prefix, _) in RULES {
        let found = sources.iter().any(|(module, _)| module == prefix || module.starts_with(&format!("{prefix}::")));
        assert!(found, "{prefix} is gone, and its rule watches nothing");
    }
}

/// Folders whose modules may not import each other in a circle.
const ACYCLIC: [&str; 6] = ["client", "http", "live", "service", "storage::postgres", "storage::sqlite"];

/// The modules of a folder, and which others of it each names. Tests do not count.
fn imports_within(folder: &str, sources: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let prefix = format!("{folder}::");
    let own_name = format!("{}::", folder.split("::").last().unwrap());
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, source) in sources {
        let Some(rest) = module.strip_prefix(&prefix).filter(|rest| !rest.ends_with("::tests")) else { continue };
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let parents = "super::".repeat(rest.split("::").count());
        let own = imports.entry(rest.split("::").next().unwrap().to_owned()).or_default();
        names_after(&[parents, own_name.clone()], &without_comments(source), own);
    }
    let modules: BTreeSet<_> = imports.keys().cloned().collect();
    imports.iter_mut().for_each(|(module, named)| named.retain(|name| name != module && modules.contains(name)));
    imports
}

/// Takes away modules that name none of those that are left: what stays is a circle and what leads there.
fn circle(mut imports: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    while let Some(leaf) = imports.iter().find(|(_, named)| named.is_empty()).map(|(module, _)| module.clone()) {
        imports.remove(&leaf);
        imports.values_mut().for_each(|named| named.retain(|name| *name != leaf));
    }
    imports
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let sources = sources();
    for folder in ACYCLIC {
        let imports = imports_within(folder, &sources);
        assert!(imports.values().any(|named| !named.is_empty()), "nothing was found in {folder}");
        let circle = circle(imports);
        assert!(circle.is_empty(), "{folder}: {circle:#?}");
    }
    let files =
        [("live::room", "use super::{a, socket::Due};"), ("live::socket", "use crate::{domain, live::room::Room};")];
    let files = files.map(|(module, source)| (module.to_owned(), source.to_owned()));
    assert_eq!(circle(imports_within("live", &files)).len(), 2);
    assert!(circle(imports_within("live", &files[..1])).is_empty());
}

/// How many lines in a row make a repetition.
const RUN: usize = 6;
/// How many lines the two databases may repeat in such runs. Shared code belongs in `storage/shared`.
const MOST_REPEATED: usize = 100;

/// The lines of code of a database's own files, in the form in which both are compared.
fn own_lines(database: &str) -> Vec<Vec<String>> {
    let prefix = format!("storage::{database}");
    let own = sources().into_iter().filter(|(module, _)| {
        module.strip_prefix(&prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::") && rest != "::plans")
    });
    let names = [
        ("?", "$"),
        ("_at_ms", "_at"),
        ("tx.conn", "conn"),
        ("SqliteConnection", "Conn"),
        ("PgConnection", "Conn"),
        ("SqliteRow", "Row"),
        ("PgRow", "Row"),
        ("SqliteStore", "Store"),
        ("PostgresStore", "Store"),
    ];
    let line = |line: &str| names.iter().fold(line.trim().to_owned(), |line, (own, both)| line.replace(own, both));
    let lines = |source: String| -> Vec<String> {
        let code = without_comments(source.split("#[cfg(test)]").next().unwrap());
        code.lines().map(line).filter(|line| line.chars().any(char::is_alphanumeric)).collect()
    };
    own.map(|(_, source)| lines(source)).collect()
}

#[test]
fn the_databases_repeat_little() {
    let (sqlite, postgres) = (own_lines("sqlite"), own_lines("postgres"));
    assert!(sqlite.len() > 10 && postgres.len() > 10, "the sources were found");
    let runs: BTreeSet<&[String]> = postgres.iter().flat_map(|lines| lines.windows(RUN)).collect();
    let mut repeated = Vec::new();
    for lines in &sqlite {
        let mut counted = 0;
        for (at, run) in lines.windows(RUN).enumerate().filter(|(_, run)| runs.contains(run)) {
            repeated.extend(&lines[at.max(counted)..at + run.len()]);
            counted = at + run.len();
        }
    }
    assert!(repeated.len() <= MOST_REPEATED, "{} lines: {repeated:#?}", repeated.len());
}

#[test]
fn features_are_asked_for_in_one_place() {
    let gated: Vec<_> =
        sources().into_iter().filter(|(_, source)| is_gated(source)).map(|(module, _)| module).collect();
    assert_eq!(gated, ["lib"]);
}

/// The literal messages of problems in a file, outside `locales`: the arguments of each call.
fn literal_messages(source: &str) -> Vec<String> {
    let code = without_comments(source.split("#[cfg(test)]").next().unwrap_or_default());
    let mut found = Vec::new();
    for call in ["Problem::new(", "Problem::invalid(", "Problem::forbidden(", "Self::new(Code::", "Self::forbidden("] {
        for (at, _) in code.match_indices(call) {
            let mut depth = 1;
            let end = code[at + call.len()..].find(|c: char| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let arguments = &code[at + call.len()..at + call.len() + end.expect("a closing parenthesis")];
            // The first argument of this one is the name of a field.
            let message = match call {
                "Problem::invalid(" => arguments.split_once(',').expect("a second argument").1,
                _ => arguments,
            };
            if message.contains('"') {
                found.push(format!("{call}{arguments})"));
            }
        }
    }
    found
}

#[test]
fn problems_speak_in_words_of_the_locales() {
    for (source, count) in [
        (r#"Problem::new(Code::Invalid, "No.")"#, 1),
        ("Problem::invalid(\n    \"limit\",\n    format!(\"At most {most}.\"),\n)", 1),
        (r#"Self::forbidden("No.")"#, 1),
        (r#"Problem::invalid("limit", t!(locales::current(), api::LIMIT))"#, 0),
        ("Problem::new(Code::Invalid, t!(locales::current(), api::body(&rejection.body_text())))", 0),
        ("#[cfg(test)]\nmod tests { Problem::forbidden(\"No.\") }", 0),
    ] {
        assert_eq!(literal_messages(source).len(), count, "{source}");
    }
    let sources = sources();
    let said: Vec<_> = sources.iter().map(|(module, source)| (module, literal_messages(source))).collect();
    let said: Vec<_> = said.into_iter().filter(|(_, messages)| !messages.is_empty()).collect();
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    for source in [
        "use crate::live::Hub;",
        "use crate::{domain::Actor, live};",
        "use crate::{\n    domain::{Actor, User},\n    live::Hub,\n};",
        "fn f() { crate::live::frame(); }",
        "use super::super::live;",
        "pub(in crate::live) fn f() {}",
    ] {
        assert_eq!(breaches("storage::sqlite", source), ["storage::sqlite names live"], "{source}");
    }
    assert_eq!(breaches("storage", "use super::live;"), ["storage names live"]);
    assert_eq!(breaches("live::hub", "use crate::storage::Store;"), ["live::hub names storage"]);
    assert_eq!(breaches("ui::pages::home", "use crate::service::Service;"), ["ui::pages::home names service"]);
    assert_eq!(breaches("client::timeline", "use crate::client::socket;"), Vec::<String>::new());
    assert_eq!(breaches("domain", "use crate::protocol::close;"), ["domain names protocol"]);
    assert!(is_gated(r#"#[cfg(all(test, feature = "ssr"))]"#));
}

#[test]
fn permitted_imports_are_no_breach() {
    for source in [
        "use crate::domain::Actor;",
        "use crate::{domain::{Actor, live}, storage};",
        "// use crate::live::Hub;",
        "use super::live;",
        "use mycrate::live;",
        "use super::super::domain;",
    ] {
        assert_eq!(breaches("storage::sqlite", source), Vec::<String>::new(), "{source}");
    }
    assert!(!is_gated("#[cfg(test)] mod tests {} // feature = \"x\""));
}
