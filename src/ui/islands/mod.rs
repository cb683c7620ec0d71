//! The live parts of the pages. The server renders each one with its content, the browser wakes it
//! up; what it decides is in `client`, pure and tested.

mod chat;
mod chat_list;
mod copy_link;
mod details;
mod inbox;
mod new_chat;

pub use chat::Chat;
pub use details::Details;
pub use inbox::InboxList;
