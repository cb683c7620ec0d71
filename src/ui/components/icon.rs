//! Icons: one path each, drawn as a line in the text's colour on a grid of 20. They never carry meaning alone: each
//! has a text or an `aria-label`.

use leptos::prelude::*;

pub const BACK: &str = "M12 4 6 10l6 6";
pub const BELL: &str = "M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5.5-1.5 5.5h12s-1.5-1.5-1.5-5.5A4.5 4.5 0 0 0 10 3Zm-1.5 12.5a1.5 1.5 0 0 0 3 0";
pub const CLIP: &str =
    "m15.5 9.2-5.9 5.9a3.4 3.4 0 0 1-4.8-4.8l6.5-6.5a2.3 2.3 0 0 1 3.2 3.2l-6.4 6.4a1.1 1.1 0 0 1-1.6-1.6l5.7-5.7";
pub const CLOSE: &str = "m5 5 10 10M15 5 5 15";
pub const DOWN: &str = "M10 4v12m-5-5 5 5 5-5";
pub const INFO: &str = "M10 9v5m0-8h.01M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0Z";
pub const LOCK: &str = "M6 9V6.5a4 4 0 0 1 8 0V9M4.5 9h11v8h-11Z";
pub const MINUS: &str = "M4 10h12";
pub const MORE: &str = "M4.5 10h.01M10 10h.01m5.49 0h.01";
pub const PLUS: &str = "M10 4v12M4 10h12";
pub const SAVE: &str = "M10 3v9m-4-4 4 4 4-4M4 16.5h12";
pub const SEARCH: &str = "m13 13 4 4m-2.5-8.5a6 6 0 1 1-12 0 6 6 0 0 1 12 0Z";
pub const SEND: &str = "M10 16V4M5 9l5-5 5 5";

pub const UNFOLD: &str = "m6 8 4 4 4-4";

#[component]
pub fn Icon(d: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d=d></path>
        </svg>
    }
}
