//! The words of this product and their rules, free of I/O.
//!
//! Everything here compiles for the server and for the browser, and imports nothing of the other
//! modules. A value of one of these types has been checked: code that holds it need not check again.

mod actor;
mod business;
mod change;
mod conversation;
mod hours;
mod ids;
mod limits;
mod message;
pub(crate) mod object;
mod participant;
mod problem;
mod request;
pub mod sealed;
mod text;
mod time;
mod user;

pub use actor::Actor;
pub use business::{Business, BusinessForm};
pub use change::Change;
pub use conversation::{Conversation, ConversationKind, ConversationStatus, Rating};
pub use hours::{Closed, Hours, HoursForm, Opening};
pub use ids::{
    AttachmentId, ClientId, ConversationId, Epoch, InviteId, LinkId, MessageId, ParticipantId, PushId, RequestId,
    SessionId, TokenId, UserId,
};
pub use limits::{MOST_COUNTED, MOST_UNREAD};
pub use message::{
    Attachment, EXCERPT_CHARS, MAX_REPLIES, Message, MessageEvent, PICTURES, Quote, SenderType, excerpt, latest_words,
};
pub(crate) use object::objects;
pub use participant::{Participant, ParticipantKind, Receipt};
pub use problem::{Code, Problem};
pub use request::{CustomRequest, RequestOrder, RequestStatus, RequestText, StatusChange, money_field, parse_money};
pub use text::{Content, Email, Name, file_name, is_visible, percent_encoded, plain_line, plain_lines, shorten};
pub use time::{Date, Timestamp};
pub use user::{Role, User};
