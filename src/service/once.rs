//! What is done once, however often it is asked for: ids that follow from a key and from whoever uses it.
//!
//! A page brings a key along with each form that makes something. What is made gets the id that follows from the
//! key, so the primary key of its table keeps a second one out, on whichever node and at the same moment.

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use super::{NewMessage, Service};
use crate::{
    domain::{Actor, ClientId, Code, MessageId, Problem},
    locales::{self, t},
};

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The id that follows from `key` and `parts`. It keeps the time in the key, where a UUIDv7 has it, so that ids that
/// were made later go on to sort later.
pub(super) fn id_of(key: ClientId, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(key.0);
    for part in parts {
        // Lengths, so that no two lists of parts have the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&key.0.as_bytes()[..6]);
    bytes[6..].copy_from_slice(&hash.finalize()[..10]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The id of what this person makes with `key`: the same each time. Without a key it is a new one.
pub(super) fn id_for(actor: &Actor, key: Option<ClientId>, noun: &str) -> Uuid {
    let Some(key) = key else { return Uuid::now_v7() };
    let person = actor.user_id().map(|id| id.0.into_bytes()).unwrap_or_default();
    id_of(key, &[noun.as_bytes(), &person])
}

/// A form was sent, changed, and sent again.
pub(super) fn made_before() -> Problem {
    Problem::new(Code::Conflict, t!(locales::current(), problem::FORM_SENT_BEFORE))
}

impl Service {
    /// The client id of what a form sends together with files: it follows from the form's key, the text, and the files'
    /// names and bytes. So the same form sent twice is one message although its files were uploaded twice, and one that
    /// was filled in anew is another.
    ///
    /// # Errors
    /// `not_found`, `unavailable`.
    pub(super) async fn send_of(&self, actor: &Actor, key: ClientId, new: &NewMessage) -> Result<ClientId, Problem> {
        let mut parts = vec![new.content.as_bytes().to_vec()];
        parts.extend(new.reply_to.map(|MessageId(id)| id.as_bytes().to_vec()));
        let mut piece = vec![0; PIECE_BYTES];
        for id in &new.attachment_ids {
            let (file, mut on_disk) = self.attachment(actor, *id).await?;
            let mut hash = Sha256::new();
            loop {
                let count = on_disk.read(&mut piece).await.map_err(|error| {
                    tracing::error!(%error, "could not read an attachment");
                    Problem::unavailable()
                })?;
                if count == 0 {
                    break;
                }
                hash.update(&piece[..count]);
            }
            parts.push(file.name.into_bytes());
            parts.push(hash.finalize().to_vec());
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
