//! Text inside `<title>` and `<textarea>`. Leptos writes the children of these elements into HTML as they are,
//! so text from a person would end the element and begin another. Everywhere else `view!` escapes.

use html_escape::encode_text;
use leptos::prelude::*;
use leptos_meta::Title;

/// Names the page in the browser's tab.
#[component]
pub fn TabTitle(#[prop(into)] text: String) -> impl IntoView {
    // In the browser the title is set as text. Any other program writes HTML.
    let text = if cfg!(target_arch = "wasm32") { text } else { encode_text(&text).into_owned() };
    view! { <Title text=text /> }
}

/// What a `<textarea>` has as its `inner_html`, so that it contains `text`.
#[must_use]
pub fn textarea_html(text: &str) -> String {
    let html = encode_text(text);
    // HTML drops a line break right after the start tag (HTML standard, section 13.2.6.4.7).
    if html.starts_with('\n') { format!("\n{html}") } else { html.into_owned() }
}
