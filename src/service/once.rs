//! Idempotent creation: ids derived from a key and its user.
//!
//! A page sends a key with each form that creates something. The id of the new object is derived from the key. So the
//! primary key of its table rejects a duplicate, on every node and also concurrently.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{NewMessage, Service, attachments::digest_of};
use crate::{
    domain::{Actor, ClientId, Code, MessageId, Problem},
    locales::{self, t},
};

/// The id derived from `key` and `parts`. It contains the key's time at the position of a UUIDv7's, so that later ids
/// still sort later.
pub(super) fn id_of(key: ClientId, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(key.0);
    for part in parts {
        // With lengths, so that different lists of parts have different bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&key.0.as_bytes()[..6]);
    bytes[6..].copy_from_slice(&hash.finalize()[..10]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The id of the object that this person creates with `key`: the same each time. Without a key the id is new.
pub(super) fn id_for(actor: &Actor, key: Option<ClientId>, noun: &str) -> Uuid {
    let Some(key) = key else { return Uuid::now_v7() };
    let person = actor.user_id().map(|id| id.0.into_bytes()).unwrap_or_default();
    id_of(key, &[noun.as_bytes(), &person])
}

/// The error for a form that was sent, edited and sent again.
pub(super) fn made_before() -> Problem {
    Problem::new(Code::Conflict, t!(locales::current(), problem::FORM_SENT_BEFORE))
}

impl Service {
    /// The client id of a form's message with files, derived from the form's key, the text, and the files' names and
    /// bytes. So the same form sent twice is one message, although its files were uploaded twice. A form with other
    /// content is another message.
    ///
    /// # Errors
    /// `not_found`, `unavailable`.
    pub(super) async fn send_of(&self, actor: &Actor, key: ClientId, new: &NewMessage) -> Result<ClientId, Problem> {
        let mut parts = vec![new.content.as_bytes().to_vec()];
        parts.extend(new.reply_to.map(|MessageId(id)| id.as_bytes().to_vec()));
        for id in &new.attachment_ids {
            let (file, path) = self.attachment(actor, *id).await?;
            let failed = |error| {
                tracing::error!(%error, "could not read an attachment");
                Problem::unavailable()
            };
            let digest = digest_of(&path).await.map_err(failed)?;
            parts.push(file.name.into_bytes());
            parts.push(digest.to_vec());
        }
        Ok(ClientId(id_of(key, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_follows_from_all_of_its_parts() {
        let (key, other) = (ClientId::new(), ClientId::new());
        let ids: HashSet<_> = [
            id_of(key, &[b"ab", b"c"]),
            id_of(key, &[b"a", b"bc"]),
            id_of(key, &[b"abc"]),
            id_of(key, &[]),
            id_of(other, &[b"abc"]),
        ]
        .into();
        assert_eq!(ids.len(), 5);
        assert_eq!(id_of(key, &[b"abc"]), id_of(key, &[b"abc"]));
        assert_eq!(id_of(key, &[]).as_bytes()[..6], key.0.as_bytes()[..6]);
    }
}
