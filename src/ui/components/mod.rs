//! The components that pages and islands share. Their styles are in style/, a file per component.

mod address;
mod anew;
mod chat_button;
mod field;
mod frame;
pub mod icon;
mod language;
mod raw_text;
mod refusal;
mod request;
mod search;
mod text;
mod time;

pub use address::address;
pub use anew::Anew;
pub use chat_button::ChatButton;
pub use field::{Field, FormKey, FormProblem};
pub use frame::{Frame, Layout, Mark};
pub use icon::Icon;
pub use language::{LanguageSwitch, this_page};
pub use raw_text::{TabTitle, textarea_html};
pub use refusal::Refusal;
pub use request::{StatusChip, Unread, budget_in_words, day_in_words};
pub use search::SearchField;
pub use text::Text;
pub use time::{Clock, When, long_date};
