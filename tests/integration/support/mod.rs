//! A server in this process on a port of its own, and people who talk to it over real connections.
//!
//! Nothing here sleeps: a test waits until the expected event comes. After a time that suffices even on a busy machine,
//! it fails and prints the events that came instead.

mod app;
mod http;
mod mail;
mod nats;
mod postgres;
mod program;
mod push;
mod sealed;
mod silence;
mod ws;

use std::time::Duration;

pub use app::{Chat, Customer, Database, PASSWORD, TestApp, put_file};
pub use http::{Answer, Api, Browser, Sign, multipart};
pub use mail::{Mail, MailServer};
pub use nats::NatsServer;
pub use postgres::TestDatabase;
pub use program::{Program, refused, run_program, succeeded};
pub use push::{PushBrowser, PushService};
pub use sealed::SealKey;
pub use silence::Silence;
pub use ws::{Refused, Ws, fresh, raw_socket, rev_of};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// # Panics
/// If it takes too long.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: waited for too long"))
}

/// The names of a JSON object's members, sorted.
pub fn members(object: &serde_json::Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Names in the order of [`members`].
pub fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}

/// The members of a message.
pub const MESSAGE: [&str; 13] = [
    "id",
    "conversation_id",
    "seq",
    "rev",
    "sender_type",
    "sender_id",
    "sender_name",
    "content",
    "client_id",
    "created_at",
    "edited_at",
    "deleted_at",
    "attachments",
];

/// The members of a conversation: those of the contract, and `closed_by`, which the pages show.
pub const CONVERSATION: [&str; 16] = [
    "id",
    "kind",
    "request_id",
    "status",
    "customer_name",
    "customer_email",
    "metadata",
    "assignee_id",
    "head",
    "last_seq",
    "last_message",
    "unread",
    "created_at",
    "updated_at",
    "closed_at",
    "closed_by",
];

/// The members of a custom request.
pub const REQUEST: [&str; 16] = [
    "id",
    "customer_id",
    "customer_name",
    "customer_email",
    "title",
    "description",
    "budget_cents",
    "wanted_on",
    "status",
    "conversation_id",
    "last_message",
    "unread",
    "attachments",
    "created_at",
    "edited_at",
    "updated_at",
];

/// The members of a conversation as admins see it: also `customer_online`, for the list of chats.
pub fn conversation_for_admins() -> Vec<&'static str> {
    sorted(CONVERSATION.into_iter().chain(["link", "customer_online"]))
}
