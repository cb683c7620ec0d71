//! The valid contents of a conversation, derived only from its clients' writes. The server's word counts for nothing
//! here, but for which id it gave to which message.

use std::collections::{HashMap, HashSet};

use bespoken::domain::{ClientId, Message, MessageId, ParticipantId};

/// The content of a message; none once it is deleted.
pub type Words = Option<Box<str>>;

pub fn words(message: &Message) -> Option<&str> {
    message.deleted_at.is_none().then_some(&message.content)
}

/// Something that a client wrote, with the id that it gave to it.
#[derive(Clone, Debug)]
pub struct Written {
    pub client_id: ClientId,
    pub by: ParticipantId,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Post(String),
    Edit(MessageId, String),
    Delete(MessageId),
}

impl Written {
    /// Its id, if it was a message.
    pub fn posted(&self) -> Option<ClientId> {
        matches!(self.what, What::Post(_)).then_some(self.client_id)
    }
}

#[derive(Default)]
pub struct Model<'a> {
    written: HashMap<ClientId, &'a Written>,
    /// The valid contents of a message besides its original one.
    changes: HashMap<MessageId, HashSet<Option<&'a str>>>,
}

impl<'a> Model<'a> {
    pub fn new(written: &'a [Vec<Written>]) -> Self {
        let mut model = Self::default();
        for written in written.iter().flatten() {
            model.written.insert(written.client_id, written);
            let (id, words) = match &written.what {
                What::Post(_) => continue,
                What::Edit(id, content) => (*id, Some(&**content)),
                What::Delete(id) => (*id, None),
            };
            model.changes.entry(id).or_default().insert(words);
        }
        model
    }

    /// Whether this message can result from the writes.
    ///
    /// # Errors
    /// In words, why not.
    pub fn may_be(&self, message: &Message) -> Result<(), String> {
        let Some(written) = message.client_id.and_then(|client_id| self.written.get(&client_id)) else {
            return Err(format!("nobody wrote {} ({})", message.id, message.content));
        };
        if written.by != message.sender_id {
            return Err(format!("{} is in another's name", message.id));
        }
        if message.deleted_at.is_some() && !message.content.is_empty() {
            return Err(format!("{} is deleted, and still there", message.id));
        }
        self.may_say(message.id, message.client_id, words(message))
    }

    /// Whether the message that was posted with this id may say this.
    ///
    /// # Errors
    /// In words, why not.
    pub fn may_say(&self, id: MessageId, posted: Option<ClientId>, words: Option<&str>) -> Result<(), String> {
        let first = words.is_some() && self.first(posted) == words;
        let later = self.changes.get(&id).is_some_and(|changes| changes.contains(&words));
        if first || later { Ok(()) } else { Err(format!("nobody had {id} say {words:?}")) }
    }

    /// The original content of the message; none if nobody posted it.
    pub fn posted(&self, message: &Message) -> Option<&str> {
        self.first(message.client_id)
    }

    fn first(&self, posted: Option<ClientId>) -> Option<&str> {
        match &self.written.get(&posted?)?.what {
            What::Post(content) => Some(content),
            What::Edit(..) | What::Delete(_) => None,
        }
    }

    /// Whether this message answers the write with this id.
    ///
    /// # Errors
    /// In words, why not.
    pub fn answers(&self, client_id: ClientId, message: &Message) -> Result<(), String> {
        self.may_be(message)?;
        let fits = self.written.get(&client_id).is_some_and(|written| match &written.what {
            // It may have been changed before the same was sent again.
            What::Post(_) => message.client_id == Some(client_id),
            What::Edit(id, content) => message.id == *id && words(message) == Some(content),
            What::Delete(id) => message.id == *id && words(message).is_none(),
        });
        if fits { Ok(()) } else { Err(format!("{} is no answer to {client_id}", message.id)) }
    }
}
