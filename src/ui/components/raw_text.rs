//! Text inside `<title>` and `<textarea>`. Leptos does not escape the children of these elements, so user input could
//! end the element and begin another. Everywhere else `view!` escapes.

use html_escape::encode_text;
use leptos::prelude::*;
use leptos_meta::Title;

/// The title of the page in the browser's tab.
#[component]
pub fn TabTitle(#[prop(into)] text: String) -> impl IntoView {
    // In the browser the title is set as text; other targets write HTML.
    let text = if cfg!(target_arch = "wasm32") { text } else { encode_text(&text).into_owned() };
    view! { <Title text=text /> }
}

/// The `inner_html` of a `<textarea>` that contains `text`.
#[must_use]
pub fn textarea_html(text: &str) -> String {
    let html = encode_text(text);
    // HTML drops a line break right after the start tag (HTML standard, section 13.2.6.4.7).
    if html.starts_with('\n') { format!("\n{html}") } else { html.into_owned() }
}
