//! `cargo xtask weight`: the bytes of a browser's first visit, from a real server with demo data, and the size of
//! each crate's code in the client. Fails above the budgets.
//!
//! The development server serves the release's client: it renders the same pages and needs no further build.

use std::collections::BTreeMap;
use std::fs;

use crate::client::{self, Names};
use crate::demo::{Demo, Visitor};
use crate::process::{Failure, Outcome, run, say};
use crate::workspace::Workspace;
use crate::{build, server, wasm};

/// HTML and CSS of a guest's chat, which make it readable.
const READABLE_BYTES: usize = 15_000;
/// A guest's whole first visit.
const GUEST_BYTES: usize = 190_000;
/// An admin's whole first visit.
const ADMIN_BYTES: usize = 320_000;
/// Number of listed crates; the others share one line.
const CRATES: usize = 24;

pub fn start(workspace: &Workspace, _: &[String]) -> Outcome {
    say("building the server");
    fs::create_dir_all(workspace.site())?;
    run(&mut server::compilation(workspace, server::Profile::Dev))?;
    hold(workspace)
}

/// Measures the client with the last built development server.
///
/// # Errors
///
/// If compilation fails, or a budget is exceeded.
pub fn hold(workspace: &Workspace) -> Outcome {
    build::client(workspace)?;
    let program = server::program(workspace, server::Profile::Dev);
    let demo = Demo::start(workspace, &program, &workspace.root.join("target/weight"), &[])?;
    let guest = first_visit(&demo.url, demo.link("come as a guest:")?, None)?;
    let admin = first_visit(&demo.url, demo.link("sign in as an admin:")?, Some("/admin?chat="))?;
    visits(&guest, &admin);
    crates(workspace)?;

    let sum = |visit: &BTreeMap<String, usize>| visit.values().sum::<usize>();
    let readable = guest.iter().filter(|(name, _)| name.ends_with(HTML) || name.ends_with(".css"));
    let mut heavy = Vec::new();
    println!();
    for (what, bytes, budget) in [
        ("a guest's HTML and CSS", readable.map(|(_, bytes)| bytes).sum(), READABLE_BYTES),
        ("a guest's first visit", sum(&guest), GUEST_BYTES),
        ("an admin's first visit, to a chat", sum(&admin), ADMIN_BYTES),
    ] {
        println!("{what:<40}{:>9} of {budget} bytes", bytes);
        if bytes > budget {
            heavy.push(format!("{what} has {bytes} bytes, and may have {budget}"));
        }
    }
    if heavy.is_empty() { Ok(()) } else { Err(Failure::new(heavy.join("; "))) }
}

/// The label of the page itself.
const HTML: &str = "HTML";

/// The bytes that the server sends per file for the page at `address`, or for the first page linked there whose
/// address begins with `linked`.
fn first_visit(url: &str, address: &str, linked: Option<&str>) -> Outcome<BTreeMap<String, usize>> {
    let mut browser = Visitor::default();
    let mut page = browser.get(url, address, "gzip, br")?;
    if let Some(begin) = linked {
        let plain = browser.get(url, &page.path, "identity")?;
        let html = String::from_utf8_lossy(&plain.body);
        let found = html.find(&format!("href=\"{begin}")).and_then(|at| html[at..].split('"').nth(1));
        let found = found.ok_or_else(|| Failure::new(format!("{} leads to no {begin}", page.path)))?;
        page = browser.get(url, &found.replace("&amp;", "&"), "gzip, br")?;
    }
    let plain = browser.get(url, &page.path, "identity")?;
    let html = String::from_utf8_lossy(&plain.body);
    // Its styles, and the client with the parts that its islands need.
    let links = html.split("<link rel=\"").skip(1).filter_map(|link| link.split_once("\" href=\""));
    let needed = links
        .filter(|(rel, _)| ["stylesheet", "modulepreload", "later"].contains(rel))
        .filter_map(|(_, rest)| rest.split('"').next());

    let mut sizes = BTreeMap::from([(HTML.to_owned(), page.body.len())]);
    for address in needed {
        let file = browser.get(url, address, "gzip, br")?;
        let name = address.rsplit('/').next().unwrap_or_default();
        sizes.insert(name.to_owned(), file.body.len());
    }
    Ok(sizes)
}

fn visits(guest: &BTreeMap<String, usize>, admin: &BTreeMap<String, usize>) {
    println!("\n{:<40}{:>9}{:>9}", "a first visit, bytes as sent", "guest", "admin");
    let shown = |size: Option<&usize>| size.map_or("–".to_owned(), ToString::to_string);
    let names: BTreeMap<&String, ()> = guest.keys().chain(admin.keys()).map(|name| (name, ())).collect();
    for name in names.keys() {
        println!("{name:<40}{:>9}{:>9}", shown(guest.get(*name)), shown(admin.get(*name)));
    }
}

/// Prints the size of each crate's code: in the main file, and in the parts.
fn crates(workspace: &Workspace) -> Outcome {
    let folder = workspace.target.join("client/names");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    client::bind_into(&folder, &client::compiled(workspace, client::Profile::Release), Names::Kept)?;
    let main = format!("{}_bg.wasm", client::NAME);
    let mut sizes: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".wasm") {
            continue;
        }
        for (of, bytes) in wasm::code_by_crate(&fs::read(folder.join(&name))?)? {
            sizes.entry(of).or_default()[usize::from(name != main)] += bytes;
        }
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, [main, parts])| std::cmp::Reverse(main + parts));
    let rest = sizes.split_off(CRATES.min(sizes.len()));
    let others = rest.iter().fold([0, 0], |sum, (_, size)| [sum[0] + size[0], sum[1] + size[1]]);
    sizes.push((format!("{} others", rest.len()), others));
    let all = sizes.iter().fold([0, 0], |sum, (_, size)| [sum[0] + size[0], sum[1] + size[1]]);
    sizes.push(("together".to_owned(), all));
    println!("\n{:<40}{:>9}{:>9}", "code by crate, bytes before compression", "main", "parts");
    for (name, [main, parts]) in sizes {
        println!("{name:<40}{main:>9}{parts:>9}");
    }
    Ok(())
}
