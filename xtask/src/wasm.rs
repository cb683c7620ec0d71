//! Reads and rewrites compiled WASM, and measures the code of each crate.

use std::collections::{BTreeMap, HashMap};

use regex::bytes::Regex;
use wasmparser::{ExportSectionReader, KnownCustom, Name, Parser, Payload};

use crate::process::{Context, Failure, Outcome};

/// The treatment of a section.
enum Section {
    Same,
    Gone,
    /// With this content.
    New(Vec<u8>),
}

/// The module with each section replaced by `change`, which takes a section and its content.
fn rewritten<'a>(
    module: &'a [u8],
    mut change: impl FnMut(Payload<'a>, &'a [u8]) -> Outcome<Section>,
) -> Outcome<Vec<u8>> {
    // Magic number and version.
    let mut written = module.get(..8).unwrap_or_default().to_vec();
    let mut from = written.len();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("reading WASM")?;
        let Some((number, range)) = payload.as_section() else { continue };
        let (start, end) = (range.start as usize, range.end as usize);
        match change(payload, &module[start..end])? {
            // With its header, which precedes the content.
            Section::Same => written.extend_from_slice(&module[from..end]),
            Section::Gone => {}
            Section::New(content) => {
                written.push(number);
                written.extend(leb128(content.len()));
                written.extend(content);
            }
        }
        from = end;
    }
    Ok(written)
}

/// The module without the names of its functions.
///
/// # Errors
///
/// If this is not WASM.
pub fn without_names(module: &[u8]) -> Outcome<Vec<u8>> {
    rewritten(module, |payload, _| match payload {
        Payload::CustomSection(section) if section.name() == "name" => Ok(Section::Gone),
        _ => Ok(Section::Same),
    })
}

/// The module with short names for its imports from wasm-bindgen's script, and a map from the old names. Each old
/// name contains a hash, which does not compress.
///
/// # Errors
///
/// If this is not WASM.
pub fn with_short_imports(module: &[u8]) -> Outcome<(Vec<u8>, HashMap<String, String>)> {
    let mut renamed = HashMap::new();
    let short = rewritten(module, |payload, content| {
        let Payload::ImportSection(section) = payload else { return Ok(Section::Same) };
        let mut imports = Vec::new();
        let mut copied = 0;
        for import in section.into_imports() {
            let name = import.context("reading WASM")?.name;
            // A name follows its length, which has one byte if it is below 128.
            if !name.starts_with("__wb") || name.len() >= 128 {
                continue;
            }
            let before = [&[name.len() as u8], name.as_bytes()].concat();
            let found = content[copied..].windows(before.len()).position(|bytes| bytes == before);
            let at = copied + found.ok_or_else(|| Failure::new(format!("{name} is not where it was read")))?;
            let count = renamed.len();
            let after = renamed.entry(name.to_owned()).or_insert_with(|| format!("_{count:x}"));
            imports.extend_from_slice(&content[copied..at]);
            imports.push(after.len() as u8);
            imports.extend_from_slice(after.as_bytes());
            copied = at + before.len();
        }
        imports.extend_from_slice(&content[copied..]);
        Ok(Section::New(imports))
    })?;
    Ok((short, renamed))
}

/// The module without the exports whose names begin with `class`, a class of wasm-bindgen in lower case, and without
/// wasm-bindgen's metadata for it. Without references, later steps remove its code too.
///
/// # Errors
///
/// If this is not WASM.
pub fn without_class(module: &[u8], class: &str) -> Outcome<Vec<u8>> {
    rewritten(module, |payload, content| match payload {
        Payload::ExportSection(section) => exports_without(module, section, class).map(Section::New),
        Payload::CustomSection(section) if section.name() == "__wasm_bindgen_unstable" => {
            let name = &content[..content.len() - section.data().len()];
            Ok(Section::New([name, &notes_without(section.data(), class)?].concat()))
        }
        _ => Ok(Section::Same),
    })
}

fn exports_without(module: &[u8], section: ExportSectionReader, class: &str) -> Outcome<Vec<u8>> {
    // A prefix before the class names the function's purpose, such as `__wbindgen_describe_`.
    let is_of_class = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["", "__wbg_", "__wbindgen_describe_", "__wbindgen_describe___wbg_"]
            .iter()
            .any(|begin| name.strip_prefix(begin).is_some_and(|rest| rest.starts_with(class)))
    };
    let (mut count, mut kept) = (0, Vec::new());
    for export in section.into_iter_with_offsets() {
        let (at, export) = export.context("reading exports")?;
        if is_of_class(export.name) {
            continue;
        }
        // A length-prefixed name, a kind, and an index.
        let length = leb128(export.name.len()).len() + export.name.len() + 1 + leb128(export.index as usize).len();
        count += 1;
        kept.extend_from_slice(&module[at as usize..][..length]);
    }
    Ok([leb128(count), kept].concat())
}

fn notes_without(mut notes: &[u8], class: &str) -> Outcome<Vec<u8>> {
    let mut kept = Vec::new();
    // In pairs: the version of the format, and the metadata of one use of the macro.
    while let Some((version, rest)) = sized(notes) {
        let (note, rest) = sized(rest).ok_or_else(|| Failure::new("wasm-bindgen's notes end early"))?;
        if !String::from_utf8_lossy(note).to_ascii_lowercase().contains(class) {
            for part in [version, note] {
                kept.extend((part.len() as u32).to_le_bytes());
                kept.extend_from_slice(part);
            }
        }
        notes = rest;
    }
    Ok(kept)
}

/// Length-prefixed bytes, and the rest.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// Merges lazy functions into common parts before the module is split. `wasm_split` writes all functions of one part
/// into one file. It reads the part's name from the function's name, `__wasm_split_00PART00_import_HASH_NAME`. Leptos
/// makes a part for each function. `parts` contains names, and the beginnings of their functions' names. Lengths stay
/// unchanged, so that nothing moves. Returns the part of each merged function.
///
/// # Errors
///
/// If a part's name is longer than its function's.
pub fn join_parts<'a>(module: &mut [u8], parts: &[(&'a str, &[&str])]) -> Outcome<BTreeMap<String, &'a str>> {
    let names = Regex::new("__wasm_split_00([a-z_]+)_loader_([0-9]+)00_(?:import|export)_[0-9a-f]{32}")
        .context("the names of lazy functions")?;
    let mut joined = BTreeMap::new();
    let found: Vec<_> = names
        .captures_iter(module)
        .map(|name| {
            let (whole, parts): (_, [_; 2]) = name.extract();
            let range = name.get(0).map_or(0..0, |whole| whole.range());
            let [whole, begin, number] =
                [whole, parts[0], parts[1]].map(|text: &[u8]| String::from_utf8_lossy(text).into_owned());
            (range, whole, begin, number)
        })
        .collect();
    for (range, whole, begin, number) in found {
        let Some((part, _)) = parts.iter().find(|(_, functions)| functions.contains(&begin.as_str())) else { continue };
        let function = format!("{begin}_loader_{number}");
        let name = whole.replace(&function, part);
        let spare = whole.len().checked_sub(name.len());
        let spare = spare.ok_or_else(|| Failure::new(format!("{part} is a longer name than {function}")))?;
        module[range].copy_from_slice(format!("{name}{}", "_".repeat(spare)).as_bytes());
        joined.insert(function, *part);
    }
    Ok(joined)
}

/// A number in WASM's encoding (LEB128): seven bits per byte, the lowest first.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The bytes of code per crate, in a module with names.
///
/// # Errors
///
/// If this is not WASM.
pub fn code_by_crate(module: &[u8]) -> Outcome<BTreeMap<String, usize>> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.context("reading WASM")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.context("reading WASM")?;
                    imported += u32::from(matches!(import.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes().len()),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(parts) = section.as_known() {
                    for part in parts {
                        let Name::Function(functions) = part.context("reading names")? else { continue };
                        for function in functions {
                            let function = function.context("reading names")?;
                            names.insert(function.index, function.name);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut sizes = BTreeMap::new();
    for (index, body) in (imported..).zip(bodies) {
        let name = names.get(&index).copied().unwrap_or_default();
        *sizes.entry(crate_of(name)).or_default() += body;
    }
    Ok(sizes)
}

/// Crates of Rust itself.
const STANDARD: [&str; 3] = ["core", "alloc", "std"];
/// The label of functions without a crate in their name.
const NOBODY: &str = "(no crate)";

/// The crate that a function counts for: the first in its name. If that is one of Rust itself, the first other, such
/// as the crate of a list's items.
fn crate_of(name: &str) -> String {
    let name = rustc_demangle::try_demangle(name).map_or_else(|_| name.to_owned(), |name| format!("{name:#}"));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut first = None;
    for (at, _) in name.match_indices("::") {
        let before = &name[..at];
        // `std[4e21c0a1]`
        let before = before.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map_or(before, |(name, _)| name);
        let start = before.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
        let word = &before[start..];
        // Otherwise it is an item of a crate, or of a trait.
        let begins = !word.is_empty() && !before[..start].ends_with("::");
        if begins && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            if !STANDARD.contains(&word) {
                return word.to_owned();
            }
            first.get_or_insert(word);
        }
    }
    first.unwrap_or(NOBODY).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty custom section with this name.
    fn section(name: &str) -> Vec<u8> {
        let length = name.len() as u8;
        [&[0, length + 1, length], name.as_bytes()].concat()
    }

    #[test]
    fn names_go_and_the_rest_stays() {
        let head = b"\0asm\x01\0\0\0".to_vec();
        let module = [head.clone(), section("a"), section("name"), section("b")].concat();
        assert_eq!(without_names(&module).unwrap(), [head, section("a"), section("b")].concat());
    }

    #[test]
    fn imports_get_short_names() {
        let import = |name: &str| [&[1, b'm', name.len() as u8], name.as_bytes(), &[0, 0]].concat();
        let module = |first: &str, second: &str| {
            let imports = [vec![3], import(first), import("other"), import(second)].concat();
            let types = [1, 4, 1, 0x60, 0, 0];
            [b"\0asm\x01\0\0\0".to_vec(), types.into(), vec![2], leb128(imports.len()), imports, section("z")].concat()
        };
        let long = format!("__wbg_get_{}", "0123456789abcdef".repeat(6));
        let (short, renamed) = with_short_imports(&module(&long, "__wbg_set_0123")).unwrap();
        assert_eq!(short, module("_0", "_1"));
        assert_eq!(renamed.get(&long).map(String::as_str), Some("_0"));
    }

    #[test]
    fn lazy_functions_get_a_common_part_without_moving_anything() {
        let hash = "0123456789abcdef".repeat(2);
        let name = |part: &str, way: &str, spare: &str| format!("__wasm_split_00{part}00_{way}_{hash}{spare}_x");
        let before = [name("list_loader_12", "import", ""), name("side_loader_34", "export", "")].join(" ");
        let mut module = before.clone().into_bytes();
        let joined = join_parts(&mut module, &[("lists", &["list"])]).unwrap();
        let after = [name("lists", "import", "_________"), name("side_loader_34", "export", "")].join(" ");
        assert_eq!(String::from_utf8(module).unwrap(), after);
        assert_eq!(before.len(), after.len());
        assert_eq!(joined, BTreeMap::from([("list_loader_12".to_owned(), "lists")]));
    }

    #[test]
    fn a_class_goes_with_all_that_it_exports() {
        let export = |name: &str| [&[name.len() as u8], name.as_bytes(), &[0, 0]].concat();
        let note = |text: &str| {
            [&4_u32.to_le_bytes(), &b"v 1 "[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
        };
        let module = |exports: &[&str], notes: &[&str]| {
            let exports: Vec<u8> = exports.iter().flat_map(|name| export(name)).collect();
            let count = exports.len() / export("free_x").len();
            let notes: Vec<u8> = notes.iter().flat_map(|text| note(text)).collect();
            let name = "__wasm_bindgen_unstable";
            let notes = [&[name.len() as u8], name.as_bytes(), &notes].concat();
            let head = b"\0asm\x01\0\0\0".to_vec();
            let exports = [vec![count as u8], exports].concat();
            [head, vec![7], leb128(exports.len()), exports, vec![0], leb128(notes.len()), notes].concat()
        };
        let whole = module(&["sink_a", "free_x", "sink_b"], &["class Sink", "class Other"]);
        assert_eq!(without_class(&whole, "sink").unwrap(), module(&["free_x"], &["class Other"]));
    }

    #[test]
    fn functions_belong_to_the_first_crate_that_is_not_rusts_own() {
        for (name, expected) in [
            ("tachys::html::element::f", "tachys"),
            ("<bespoken::ui::Row as core::fmt::Debug>::fmt", "bespoken"),
            ("core::ptr::drop_in_place<alloc::vec::Vec<serde_json::Value>>", "serde_json"),
            ("<alloc::vec::Vec<T> as core::ops::Drop>::drop", "alloc"),
            ("_RNvCs1234_7mycrate3foo", "mycrate"),
            ("<dlmalloc[e24a27700634d609]::Dlmalloc<dlmalloc[e24a27700634d609]::sys::System>>::malloc", "dlmalloc"),
            ("core[c5930c85a12de822]::str::slice_error_fail_rt", "core"),
            ("memcpy", NOBODY),
        ] {
            assert_eq!(crate_of(name), expected, "{name}");
        }
    }
}
