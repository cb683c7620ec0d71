//! The live parts of the pages. The server writes each one whole; the island around it takes it over
//! in the browser. What is decided there is in `client`, pure and tested.

mod chat;
mod chat_list;
mod copy_link;
mod desk;
mod details;
mod inbox;
mod new_chat;
mod requests;

pub use chat::{About, Chat, ChatCache, ChatPanel, MessageForm, Place, name_of};
pub use copy_link::MadeLink;
pub use desk::{Desk, View};
pub use requests::{ChatBeside, CustomerLists, Look, RequestSide, RequestTable};
