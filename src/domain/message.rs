//! A message in a conversation.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AttachmentId, ClientId, ConversationId, MessageId, ParticipantId, RequestStatus, Timestamp, objects, shorten,
};
use crate::locales::{Locale, t};

/// Which side of the conversation a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SenderType {
    Admin,
    Customer,
}

/// The current state of a message. A deleted message retains its place with empty `content`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    /// Its place in the conversation: 1, 2, 3 … without holes; never changes.
    pub seq: i64,
    /// The rev of its last change.
    pub rev: i64,
    pub sender_type: SenderType,
    pub sender_id: ParticipantId,
    pub sender_name: String,
    /// In a sealed conversation the [sealed](super::sealed) form of a person's text.
    pub content: String,
    /// True for a line about a change that the server writes in the name of its author: nobody can edit or delete it.
    /// Absent when false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub system: bool,
    /// The event of a system line, for programs with their own texts; `content` contains it in English. Absent for
    /// people's messages, and for lines from before this field existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<MessageEvent>,
    pub client_id: Option<ClientId>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub attachments: Vec<Attachment>,
    /// The message that it replies to. Absent if it replies to none, and once it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Box<Quote>>,
}

objects!(Message);

/// The event of a system line, as data; each reader's language has its own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageEvent {
    /// An admin gave the custom request that the conversation is about this status.
    StatusSet(RequestStatus),
    /// The customer withdrew the custom request that the conversation is about, which is declined then.
    Withdrawn,
    /// The chat closes a day later, unless somebody writes.
    ClosesSoon,
}

impl MessageEvent {
    #[must_use]
    pub fn words(self, locale: Locale) -> String {
        match self {
            Self::StatusSet(status) => t!(locale, status::set_to(status.label(locale))),
            Self::Withdrawn => t!(locale, status::WITHDRAWN).to_owned(),
            Self::ClosesSoon => t!(locale, status::CLOSES_SOON).to_owned(),
        }
    }
}

/// The latest message of a conversation, shortened, for a reader of this language.
#[must_use]
pub fn latest_words(message: Option<&str>, event: Option<MessageEvent>, locale: Locale) -> Option<String> {
    event.map(|event| event.words(locale)).or_else(|| message.map(str::to_owned))
}

impl Message {
    /// Its text in this language.
    #[must_use]
    pub fn words(&self, locale: Locale) -> Cow<'_, str> {
        match self.event {
            Some(event) => Cow::Owned(event.words(locale)),
            None => Cow::Borrowed(&self.content),
        }
    }

    /// Whether somebody wrote it and has not deleted it.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.deleted_at.is_none() && !self.system
    }
}

/// Most messages that reply to the same one: each takes a rev when that one changes.
pub const MAX_REPLIES: i64 = 50;

/// Characters of [`Quote::excerpt`].
pub const EXCERPT_CHARS: usize = 140;

/// A message of the same conversation that another one replies to, in its current state. When it is edited or deleted,
/// the reply takes a rev of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Quote {
    pub id: MessageId,
    pub seq: i64,
    pub sender_name: String,
    /// Its text on one line, at most 140 characters, or the name of its first file. Empty if it is deleted, and in a
    /// sealed conversation.
    pub excerpt: String,
    /// Whether it was edited or deleted.
    #[serde(skip)]
    pub changed: bool,
}

objects!(Quote);

impl From<&Message> for Quote {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            seq: message.seq,
            sender_name: message.sender_name.clone(),
            excerpt: excerpt(&message.content, &message.attachments, EXCERPT_CHARS),
            changed: message.edited_at.is_some() || message.deleted_at.is_some(),
        }
    }
}

/// The text of a message on one line, or the name of its first file.
#[must_use]
pub fn excerpt(content: &str, files: &[Attachment], max_chars: usize) -> String {
    match files.first() {
        Some(file) if content.is_empty() => shorten(&file.name, max_chars),
        _ => shorten(content, max_chars),
    }
}

/// The kinds of pictures that pages show: all that every browser draws, and none that can hold scripts.
pub const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Attachment {
    pub id: AttachmentId,
    /// The file's name, without folders.
    pub name: String,
    /// Read from the file, and no more than it is safe to believe: what is not known is `application/octet-stream`.
    pub media_type: String,
    pub size_bytes: i64,
    /// Pixels, for pictures that pages show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<i64>,
}

objects!(Attachment);

impl Attachment {
    /// Whether pages show it as a picture.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        PICTURES.contains(&self.media_type.as_str())
    }

    /// Width and height of a picture in a log, in CSS pixels, if they are known.
    #[must_use]
    pub fn size_in_log(&self) -> Option<(i64, i64)> {
        const MOST: (i64, i64) = (640, 320);
        let (width, height) = self.width.zip(self.height).filter(|(width, height)| *width > 0 && *height > 0)?;
        let fit = |width: i64, height: i64, most: i64| {
            if width > most { (most, (height * most / width).max(1)) } else { (width, height) }
        };
        let (width, height) = fit(width, height, MOST.0);
        let (height, width) = fit(height, width, MOST.1);
        Some((width, height))
    }

    /// The address of a picture of at most 640 pixels.
    #[must_use]
    pub fn preview_address(&self) -> String {
        // A preview of an animation would stand still.
        if self.media_type == "image/gif" { self.address() } else { self.address() + "?size=preview" }
    }

    /// Where it is to be had.
    #[must_use]
    pub fn address(&self) -> String {
        ["/api/v1/attachments/", &self.id.to_string()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_shape_in_a_log() {
        let size = |width, height| {
            let id = AttachmentId::new();
            let (name, media_type) = ("a.png".to_owned(), PICTURES[0].to_owned());
            Attachment { id, name, media_type, size_bytes: 1, width, height }.size_in_log()
        };
        for (given, shown) in [
            ((3_000, 4_000), (240, 320)),
            ((4_000, 3_000), (426, 320)),
            ((1_280, 320), (640, 160)),
            ((100, 50), (100, 50)),
            ((65_535, 1), (640, 1)),
            ((1, 65_535), (1, 320)),
        ] {
            assert_eq!(size(Some(given.0), Some(given.1)), Some(shown), "{given:?}");
        }
        for (width, height) in [(None, Some(5)), (Some(5), None), (Some(0), Some(5))] {
            assert_eq!(size(width, height), None);
        }
    }
}
