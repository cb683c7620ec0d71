//! The live parts of the pages. The server writes each one whole; the island around it takes it over
//! in the browser. What is decided there is in `client`, pure and tested.

mod chat;
mod chat_list;
mod copy_link;
mod details;
mod inbox;
mod new_chat;
mod requests;

pub use chat::{About, Chat, ChatCache, ChatPanel, MessageForm, Place, name_of};
pub use copy_link::MadeLink;
pub use details::Details;
pub use inbox::InboxList;
pub use requests::{ChatBeside, CustomerLists, Look, RequestSide, RequestTable};

/// What an island starts from, for a `<script>` inside it. Not a property of the island: that would
/// be read by serde's generated readers, the largest part of all that a browser would have to load.
fn start_json(start: &impl serde::Serialize) -> String {
    // `</script>` within would end it.
    let json = serde_json::to_string(start).unwrap_or_default();
    if json.contains('<') { json.replace('<', "\\u003c") } else { json }
}
