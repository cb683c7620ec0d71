//! The live parts of the pages. The server renders each one completely, and the browser hydrates it. Decisions are
//! made in `client`, which is pure and tested.

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
