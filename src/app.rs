//! The HTML document and the table of pages.

use leptos::prelude::*;

#[component]
pub fn Preview() -> impl IntoView {}
