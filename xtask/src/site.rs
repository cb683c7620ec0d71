//! target/site, the assets that the server serves: the bound client and the styles in pkg/, and a copy of public/.
//!
//! A file is written only when its content changes, and obsolete files are removed. So the release server is
//! recompiled exactly when an asset changes. `files.txt` lists the assets. It is embedded as well, so an added file
//! also counts as a change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::client::NAME;
use crate::process::{Context, Failure, Outcome};
use crate::workspace::Workspace;

const LISTING: &str = "files.txt";
/// The styles of a guest's chat, a part of the others. The server names it too (`http::assets`).
const CHAT: &str = "chat.css";

/// The treatment of the compressed files beside the assets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compressed {
    /// They are retained, for comparison with new ones.
    Kept,
    /// They are removed: development serves uncompressed assets.
    Removed,
}

/// Copies the bound client, the styles and public/ into target/site.
///
/// # Errors
///
/// If a file cannot be read or written, or the styles are incomplete.
pub fn assemble(workspace: &Workspace, bound_client: &Path, compressed: Compressed) -> Outcome {
    let mut files = BTreeMap::new();
    collect(bound_client, Path::new("pkg"), &mut files)?;
    let folder = workspace.root.join("style");
    let (all, chat) = (imported(&folder, "main.css")?, imported(&folder, CHAT)?);
    let mut rest = all.iter();
    if !chat.iter().all(|name| rest.any(|other| other == name)) {
        return Err(Failure::new("style/chat.css must import files of style/main.css, in the same order"));
    }
    require_all(&folder, &all)?;
    files.insert(format!("pkg/{NAME}.css").into(), joined(&folder, &all)?.into_bytes());
    files.insert(format!("pkg/{CHAT}").into(), joined(&folder, &chat)?.into_bytes());
    let public = workspace.root.join("public");
    if public.is_dir() {
        collect(&public, Path::new(""), &mut files)?;
    }

    let site = workspace.site();
    for (name, content) in &files {
        write_if_changed(&site.join(name), content)?;
    }
    for name in names(&site)? {
        let belongs = match name.strip_suffix(".br") {
            Some(asset) => compressed == Compressed::Kept && files.contains_key(Path::new(asset)),
            None => name == LISTING || files.contains_key(Path::new(&name)),
        };
        if !belongs {
            fs::remove_file(site.join(&name)).context(format!("removing {name}"))?;
        }
    }
    list(workspace)
}

/// Writes the list of assets. Call it when all are written.
///
/// # Errors
///
/// If it cannot be written.
pub fn list(workspace: &Workspace) -> Outcome {
    let site = workspace.site();
    let mut names = names(&site)?;
    names.retain(|name| name != LISTING);
    write_if_changed(&site.join(LISTING), (names.join("\n") + "\n").as_bytes())
}

/// The assets that brotli can compress.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn compressible(workspace: &Workspace) -> Outcome<Vec<PathBuf>> {
    const ENDINGS: [&str; 9] = ["js", "wasm", "css", "svg", "html", "json", "webmanifest", "xml", "ico"];
    let site = workspace.site();
    let paths = names(&site)?.into_iter().map(|name| site.join(name));
    Ok(paths
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| ENDINGS.contains(&ending))
        })
        .collect())
}

/// The names that a file of style/ imports.
fn imported(folder: &Path, name: &str) -> Outcome<Vec<String>> {
    imports(&fs::read_to_string(folder.join(name)).context(format!("style/{name}"))?)
}

/// No file of style/ is forgotten.
fn require_all(folder: &Path, order: &[String]) -> Outcome {
    let is_known = |name: &String| name == "main.css" || name == CHAT || order.contains(name);
    match names(folder)?.iter().find(|name| name.ends_with(".css") && !is_known(name)) {
        Some(forgotten) => {
            Err(Failure::new(format!("style/{forgotten} would be left out: style/main.css does not import it")))
        }
        None => Ok(()),
    }
}

/// Joins files of style/.
fn joined(folder: &Path, order: &[String]) -> Outcome<String> {
    let mut joined = String::new();
    for name in order {
        let text = fs::read_to_string(folder.join(name)).context(format!("style/{name}"))?;
        joined.push_str(&without_comments(&text));
    }
    Ok(joined)
}

/// The names in a file with only `@import "name.css";` lines and comments.
fn imports(text: &str) -> Outcome<Vec<String>> {
    without_comments(text)
        .lines()
        .map(|line| {
            line.strip_prefix("@import \"")
                .and_then(|rest| rest.strip_suffix("\";"))
                .map(|name| name.trim_start_matches("./").to_owned())
                .ok_or_else(|| Failure::new(format!("style/main.css holds more than imports: {line}")))
        })
        .collect()
}

/// Removes comments, indentation and empty lines; with brotli, further minifying is pointless.
fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut quote = None;
    let mut characters = css.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '/') if characters.peek() == Some(&'*') => {
                characters.next();
                let mut last = ' ';
                for next in characters.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
                continue;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            (Some(_), '\\') => {
                kept.push(character);
                kept.extend(characters.next());
                continue;
            }
            _ => {}
        }
        kept.push(character);
    }
    kept.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::with_capacity(kept.len()), |joined, line| joined + line + "\n")
}

/// The files below `folder`, relative to it, with `/` on every system, sorted.
fn names(folder: &Path) -> Outcome<Vec<String>> {
    let mut files = BTreeMap::new();
    walk(folder, Path::new(""), &mut |name, _| {
        files.insert(name.to_string_lossy().replace('\\', "/"), ());
        Ok(())
    })?;
    Ok(files.into_keys().collect())
}

fn collect(folder: &Path, under: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Outcome {
    walk(folder, under, &mut |name, path| {
        files.insert(name, fs::read(path)?);
        Ok(())
    })
}

fn walk(folder: &Path, under: &Path, visit: &mut dyn FnMut(PathBuf, &Path) -> Outcome) -> Outcome {
    for entry in fs::read_dir(folder).context(folder.display())? {
        let entry = entry?;
        let name = under.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &name, visit)?;
        } else {
            visit(name, &entry.path())?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, content: &[u8]) -> Outcome {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).context(folder.display())?;
    }
    fs::write(path, content).context(path.display())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn comments_and_indentation_go_and_strings_stay() {
        let css = "/* a\n b */a {\n  content: \"/* kept \\\" */\"; /* gone */\n\n}\n";
        assert_eq!(without_comments(css), "a {\ncontent: \"/* kept \\\" */\";\n}\n");
    }

    #[test]
    fn imports_retain_their_order() {
        let text = "/* the order */\n@import \"./tokens.css\";\n@import \"base.css\";\n";
        assert_eq!(imports(text).unwrap(), ["tokens.css", "base.css"]);
    }

    /// The classes in a file of style/.
    fn classes(folder: &Path, name: &str) -> BTreeSet<String> {
        let css = without_comments(&fs::read_to_string(folder.join(name)).unwrap());
        let words = css.split('.').skip(1);
        let class =
            |word: &str| word.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').next().map(str::to_owned);
        words.filter_map(class).collect()
    }

    #[test]
    fn the_styles_of_a_chat_are_complete() {
        // Only beside another page; the id of a popover; a part of an address.
        const ELSEWHERE: [&str; 4] = ["chat__topic", "chat__close", "details", "search"];
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = root.join("style");
        let (all, chat) = (imported(&folder, "main.css").unwrap(), imported(&folder, CHAT).unwrap());
        // The last files change what others define.
        let defines = |name: &&String| !name.starts_with('9');
        let of =
            |names: Vec<&String>| names.into_iter().flat_map(|name| classes(&folder, name)).collect::<BTreeSet<_>>();
        let here = of(chat.iter().filter(defines).collect());
        let missing: BTreeSet<_> =
            of(all.iter().filter(|name| !chat.contains(name)).collect()).difference(&here).cloned().collect();
        let mut sources: Vec<_> =
            fs::read_dir(root.join("src/ui/islands/chat")).unwrap().map(|file| file.unwrap().path()).collect();
        sources.extend(
            ["pages/guest_chat.rs", "pages/problem.rs", "components/frame.rs"]
                .map(|name| root.join("src/ui").join(name)),
        );
        for source in sources {
            for text in fs::read_to_string(&source).unwrap().split('"').skip(1).step_by(2) {
                for word in text.split_whitespace().filter(|word| !ELSEWHERE.contains(word)) {
                    assert!(!missing.contains(word), "style/{CHAT} lacks .{word} of {}", source.display());
                }
            }
        }
    }

    #[test]
    fn main_css_may_hold_imports_only() {
        assert!(imports("@import \"a.css\";\nbody { margin: 0 }").is_err());
    }
}
