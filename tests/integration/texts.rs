//! All texts for people are in `src/locales`, with the same keys in each language. These tests read the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Attributes and properties that people read or hear.
const SPOKEN: [&str; 8] = ["alt", "aria-description", "aria-label", "help", "label", "placeholder", "title", "words"];

/// Names of programs and of keys are the same in each language.
const NAMES: [&str; 21] = [
    "Android",
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "Bespoken",
    "Chrom",
    "Chrome",
    "Edg",
    "Edge",
    "Enter",
    "Escape",
    "Firefox",
    "Firefox/",
    "Linux",
    "Mac OS",
    "Opera",
    "Option::is_none",
    "Safari",
    "Safari/",
    "Self",
    "Windows",
];

/// The position of a literal in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In an element.
    Child,
    /// The value of this attribute, or one of its values.
    Attribute(String),
    /// What `format!` fills in.
    Format,
    Code,
}

/// The surroundings of a place.
enum Scope {
    /// Rust in this bracket, and the use of its value.
    Code(char, Place),
    /// Between elements.
    Content,
    /// In a tag, after the name of this attribute.
    Tag(String),
}

/// The end of the literal or comment that begins at `at`, and the part of it that is a text.
fn skipped(source: &[char], at: usize) -> Option<(usize, Option<&[char]>)> {
    let find = |from: usize, end: &[char]| (from..source.len()).find(|&at| source[at..].starts_with(end));
    let until = |from: usize, end: &[char]| find(from, end).unwrap_or(source.len());
    let is_in_word = at > 0 && (source[at - 1].is_alphanumeric() || source[at - 1] == '_');
    match source[at..] {
        ['/', '/', ..] => Some((until(at, &['\n']), None)),
        ['\'', '\\', ..] => Some((until(at + 3, &['\'']) + 1, None)),
        ['\'', _, '\'', ..] => Some((at + 3, None)),
        ['"', ..] => {
            let mut end = at + 1;
            while source.get(end).is_some_and(|c| *c != '"') {
                end += if source[end] == '\\' { 2 } else { 1 };
            }
            Some((end + 1, Some(&source[at + 1..end.min(source.len())])))
        }
        ['r', '"' | '#', ..] if !is_in_word => {
            let begin = until(at, &['"']);
            let hashes = source[at + 1..begin].iter().take_while(|c| **c == '#').count();
            if at + 1 + hashes != begin {
                return None;
            }
            let end = until(begin + 1, &[&['"'], &source[at + 1..begin]].concat());
            Some((end + 1 + hashes, Some(&source[begin + 1..end])))
        }
        _ => None,
    }
}

/// Whether `source` ends so, but for blanks.
fn ends_with(source: &[char], end: &str) -> bool {
    let length = source.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
    source[..length].ends_with(&end.chars().collect::<Vec<_>>())
}

/// The texts in a source, and their positions.
fn literals(source: &str) -> Vec<(String, Place)> {
    let source: Vec<char> = source.split("#[cfg(test)]").next().unwrap().chars().collect();
    let (mut scopes, mut found) = (Vec::new(), Vec::new());
    let (mut at, mut before) = (0, ' ');
    while at < source.len() {
        let c = source[at];
        if let Some((end, text)) = skipped(&source, at) {
            if let Some(text) = text {
                let is_pattern = source[end..].iter().filter(|c| !c.is_whitespace()).take(2).eq(&['=', '>']);
                let place = match scopes.last() {
                    Some(Scope::Content) => Place::Child,
                    Some(Scope::Tag(attribute)) => Place::Attribute(attribute.clone()),
                    _ if ends_with(&source[..at], "format!(") => Place::Format,
                    Some(Scope::Code(bracket, place))
                        if !is_pattern && (*bracket == '{' && before == '{' || ['>', '|'].contains(&before)) =>
                    {
                        place.clone()
                    }
                    _ => Place::Code,
                };
                found.push((text.iter().collect(), place));
                before = '"';
            }
            at = end;
            continue;
        }
        match (c, scopes.last_mut()) {
            ('{' | '(' | '[', scope) => {
                let inner = match scope {
                    Some(Scope::Content) => Scope::Code(c, Place::Child),
                    Some(Scope::Tag(attribute)) => Scope::Code(c, Place::Attribute(attribute.clone())),
                    _ if ends_with(&source[..at], "view!") => Scope::Content,
                    Some(Scope::Code(_, place)) => Scope::Code(c, place.clone()),
                    None => Scope::Code(c, Place::Code),
                };
                scopes.push(inner);
            }
            ('}' | ')' | ']', _) => drop(scopes.pop()),
            ('<', Some(Scope::Content)) => scopes.push(Scope::Tag(String::new())),
            ('>', Some(Scope::Tag(_))) if !['=', '-'].contains(&before) => drop(scopes.pop()),
            ('=', Some(Scope::Tag(attribute))) if source.get(at + 1).is_none_or(|c| !"=>".contains(*c)) => {
                let name = source[..at].iter().rev().take_while(|c| c.is_alphanumeric() || "_-:".contains(**c));
                let name: String = name.collect::<Vec<_>>().into_iter().rev().collect();
                if !name.is_empty() {
                    *attribute = name;
                }
            }
            _ => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
        at += 1;
    }
    found
}

/// Whether somebody would read this literal in one language only.
fn is_text((text, place): &(String, Place)) -> bool {
    if NAMES.contains(&text.as_str()) || text.starts_with('/') {
        return false;
    }
    let words = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphabetic());
        words.any(|word| word.chars().count() >= 3 && word.contains(char::is_lowercase))
    };
    let begins_as_text = || text.chars().find(|c| c.is_alphabetic()).is_some_and(char::is_uppercase) && words(text);
    match place {
        Place::Child => text.contains(char::is_alphabetic),
        Place::Attribute(name) if SPOKEN.contains(&name.as_str()) => text.contains(char::is_alphabetic),
        Place::Format => {
            let around: String =
                text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
            begins_as_text() || around.contains(' ') && !around.contains("--") && words(&around)
        }
        Place::Attribute(_) | Place::Code => begins_as_text(),
    }
}

fn texts_of(source: &str) -> Vec<String> {
    literals(source).into_iter().filter(is_text).map(|(text, _)| text).collect()
}

/// The Rust files below a folder, by their paths in it.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = vec![root.clone()];
    let mut sources = BTreeMap::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            sources.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    sources
}

#[test]
fn views_have_no_texts_of_their_own() {
    let sources = sources("src/ui");
    assert!(sources.len() > 30, "the sources were found");
    let found: BTreeMap<_, _> = sources.iter().map(|(file, source)| (file.as_str(), texts_of(source))).collect();
    let texts: Vec<_> = found.iter().filter(|(_, texts)| !texts.is_empty()).collect();
    assert!(texts.is_empty(), "these belong in src/locales: {texts:#?}");
}

#[test]
fn every_text_in_a_view_is_seen() {
    for (source, expected) in [
        (r#"view! { <p class="a b">"Hello"</p> }"#, "Hello"),
        (r#"view! { <p>{name}", "<b title="Hello">{x}</b> " "</p> }"#, "Hello"),
        (r#"view! { <p aria-label=if x { "hello" } else { y }>"1 %"</p> }"#, "hello"),
        (r#"view! { <p class=if a { "b c" } else { "d" }>{if a { "hello" } else { t!(l, a::B) }}</p> }"#, "hello"),
        (r#"view! { <p>{a.then(|| view! { <i id="x">"hello"</i> })}</p> }"#, "hello"),
        (r#"view! { <p>{a.then(|| "hello")}</p> }"#, "hello"),
        (r#"view! { <p on:click=move |_| a.press() hidden=a == b>"hello"</p> }"#, "hello"),
        (r#"view! { <p>{match a { 'x' => "hello", _ => b }}</p> <code>"/api/v1"</code> }"#, "hello"),
        (
            r#"view! { <p lang="en">{a.get("name")} // "Not this"
            {format!("{a}, then {b}")}</p> }"#,
            "{a}, then {b}",
        ),
        (r##"let title = r#"Say "x""#; let id = format!("{a}-{b}");"##, r#"Say "x""#),
        (r#"#[prop(default = "Search")] words: &'static str, d: &'static str"#, "Search"),
        (r#"fn f() { "Hello" } #[cfg(test)] mod tests { const A: &str = "Not this"; }"#, "Hello"),
    ] {
        assert_eq!(texts_of(source), [expected], "{source}");
    }
}

/// A text of a language: its arguments and its body.
#[derive(Debug)]
struct Text {
    arguments: Vec<(String, String)>,
    body: String,
}

/// The text between the bracket at `at` and its partner.
fn bracketed(code: &str, at: usize) -> std::ops::Range<usize> {
    let mut depth = 0;
    for (end, c) in code[at..].char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1..at + end;
        }
    }
    panic!("no end of {}", &code[at..]);
}

/// The public texts of a language by their paths.
fn texts(source: &str) -> BTreeMap<String, Text> {
    // Literals and comments become blanks as long as they are.
    let chars: Vec<char> = source.chars().collect();
    let (mut code, mut at) = (String::new(), 0);
    while at < chars.len() {
        let (end, blank) = skipped(&chars, at).map_or((at + 1, false), |(end, _)| (end, true));
        for c in &chars[at..end] {
            if blank { code.extend([' '].repeat(c.len_utf8())) } else { code.push(*c) }
        }
        at = end;
    }
    let mut texts = BTreeMap::new();
    add_texts("", source, &code, 0..code.len(), &mut texts);
    texts
}

fn add_texts(path: &str, source: &str, code: &str, part: std::ops::Range<usize>, texts: &mut BTreeMap<String, Text>) {
    let mut at = part.start;
    while let Some(found) = code[at..part.end].find("pub ") {
        let begin = at + found + "pub ".len();
        let (kind, rest) = code[begin..part.end].split_once(' ').expect("a kind and a name");
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let path = if path.is_empty() { name } else { format!("{path}::{name}") };
        let of = |c: char| begin + code[begin..].find(c).unwrap_or_else(|| panic!("no {c} at {path}"));
        let old = match kind {
            "mod" => {
                let inner = bracketed(code, of('{'));
                at = inner.end;
                add_texts(&path, source, code, inner, texts);
                continue;
            }
            "fn" => {
                let list = bracketed(code, of('('));
                let body = bracketed(code, list.end + code[list.end..].find('{').expect("a body"));
                at = body.end;
                let arguments = code[list].split(',').filter_map(|argument| argument.split_once(':'));
                let arguments = arguments.map(|(name, kind)| (name.trim().to_owned(), kind.trim().to_owned()));
                texts.insert(path.clone(), Text { arguments: arguments.collect(), body: source[body].to_owned() })
            }
            _ => {
                at = of(';');
                texts.insert(path.clone(), Text { arguments: Vec::new(), body: source[begin..at].to_owned() })
            }
        };
        assert!(old.is_none(), "{path} is there twice");
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// The languages, from their files.
fn languages() -> BTreeMap<String, BTreeMap<String, Text>> {
    let files = sources("src/locales").into_iter().filter(|(file, _)| ["en.rs", "de.rs"].contains(&file.as_str()));
    files.map(|(file, source)| (file, texts(&source))).collect()
}

#[test]
fn every_language_has_the_same_texts() {
    let languages = languages();
    let (english, others) = languages.iter().partition::<BTreeMap<_, _>, _>(|(file, _)| *file == "en.rs");
    let english = english.values().next().expect("English");
    assert!(english.len() > 100 && others.len() == languages.len() - 1, "the texts were found");
    for (file, texts) in others {
        let keys: BTreeSet<_> = texts.keys().collect();
        let expected: BTreeSet<_> = english.keys().collect();
        let differ: Vec<_> = keys.symmetric_difference(&expected).collect();
        assert!(differ.is_empty(), "in en.rs or {file} alone: {differ:#?}");
        for (path, text) in texts {
            assert_eq!(text.arguments, english[path].arguments, "arguments of {path} in {file}");
        }
    }
}

#[test]
fn texts_say_all_of_their_arguments() {
    for (file, texts) in languages() {
        for (path, text) in texts {
            let said = words(&text.body);
            for (argument, _) in &text.arguments {
                assert!(said.contains(argument.as_str()), "{path} in {file} leaves {argument} out");
            }
        }
    }
}

#[test]
fn texts_are_found_in_a_language() {
    let found = texts(
        r#"
        /// pub const NOT_THIS: &str = "";
        pub mod a {
            pub const B: &str = "pub mod ü { }";
            pub mod c {
                pub fn d(e: &str, count: usize) -> String {
                    if count == 1 { format!("{e} (") } else { format!("{count}") }
                }
            }
            fn helper() {}
        }
        pub const F: [&str; 2] = ["a", "b"];
        "#,
    );
    assert_eq!(found.keys().collect::<Vec<_>>(), ["F", "a::B", "a::c::d"]);
    assert!(found["a::B"].body.contains("pub mod ü"), "{found:?}");
    let d = &found["a::c::d"];
    assert_eq!(d.arguments, [("e".into(), "&str".into()), ("count".into(), "usize".into())]);
    assert!(words(&d.body).is_superset(&BTreeSet::from(["e", "count"])));
}
