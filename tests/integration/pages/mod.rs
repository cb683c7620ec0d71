//! Pages and forms as a browser without JavaScript uses them.

mod accounts;
mod answers;
mod builds;
mod chat;
mod dashboard;
mod language;
mod link;
mod markup;
mod sender;
mod session;
mod settings;
mod setup;
mod twice;

use crate::support::*;

/// The common parts of every page.
#[track_caller]
fn expect_page(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'nonce-",
        "' 'strict-dynamic' 'wasm-unsafe-eval';",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
    assert!(!scripts.contains("'self'"), "an upload is no script: {policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.text.starts_with("<!DOCTYPE html>"), "{}", answer.text);
}

/// The value of the hidden field with this name.
#[track_caller]
fn hidden(page: &Answer, name: &str) -> String {
    let marker = format!(r#"name="{name}""#);
    let tag = page.text.split('<').find(|tag| tag.starts_with("input") && tag.contains(&marker));
    let tag = tag.unwrap_or_else(|| panic!("no field {name} in {}", page.text));
    tag.split_once(r#"value=""#).and_then(|(_, rest)| rest.split_once('"')).expect("a value").0.to_owned()
}
