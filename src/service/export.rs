//! Exports all data of one customer to a file for them. The tar archive contains `customer.json`, and the files of
//! their conversations under the ids in it.

use std::{
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{
    BackupError, Service, attachments,
    backup::{append, failed, private_file},
    conversations::MAX_LIST,
    problem,
};
use crate::{
    domain::{
        Actor, AttachmentId, Conversation, ConversationId, CustomRequest, Email, Message, Name, Participant, Problem,
        Receipt, Role, StatusChange, Timestamp, User, UserId,
    },
    storage::{RequestFilter, Snapshot, now},
};

/// The reason why the export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("no data is stored about {0}")]
    Nobody(Email),
    #[error("{0}")]
    Problem(#[from] Problem),
    #[error("{0}")]
    File(#[from] BackupError),
}

#[derive(Serialize)]
struct Talk {
    conversation: Conversation,
    participants: Vec<Participant>,
    receipts: Vec<Receipt>,
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Asked {
    request: CustomRequest,
    changes: Vec<StatusChange>,
}

/// The actor of the export: the operator of this machine may see everything, and participates in nothing.
fn operator() -> Actor {
    Actor::Admin(User {
        id: UserId(Uuid::nil()),
        email: Email::trusted("operator@bespoken.invalid".to_owned()),
        name: Name::trusted("Operator".to_owned()),
        role: Role::Admin,
        is_confirmed: true,
        created_at: Timestamp(0),
    })
}

impl Service {
    /// Writes all data of the customer with this address to `file`, which must not exist. Returns the number of
    /// conversations in it.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub async fn export_customer(&self, email: &str, file: &Path) -> Result<usize, ExportError> {
        if file.exists() {
            return Err(BackupError::Exists(file.to_owned()).into());
        }
        let email = Email::parse("email", email)?;
        let user = self.store.find_user_by_email(&email).await.map_err(problem)?.map(|(user, _)| user);
        let mut talks = Vec::new();
        for id in self.store.list_conversations_of(&email).await.map_err(problem)? {
            talks.push(self.talk(id).await?);
        }
        if user.is_none() && talks.is_empty() {
            return Err(ExportError::Nobody(email));
        }
        let (mut sessions, mut requests) = (Vec::new(), Vec::new());
        if let Some(user) = &user {
            for session in self.store.list_sessions(user.id, Timestamp(0)).await.map_err(problem)? {
                sessions.push(json!({
                    "id": session.id,
                    "user_agent": session.user_agent,
                    "created_at": session.created_at,
                    "last_seen_at": session.last_seen_at,
                }));
            }
            requests = self.requests_of(user).await?;
        }
        let files: Vec<AttachmentId> = talks
            .iter()
            .flat_map(|talk| &talk.messages)
            .flat_map(|message| &message.attachments)
            .chain(requests.iter().flat_map(|asked: &Asked| &asked.request.attachments))
            .map(|file| file.id)
            .collect();
        let count = talks.len();
        let all = json!({
            "exported_at": now(),
            "email": email,
            "account": user,
            "sessions": sessions,
            "requests": requests,
            "conversations": talks,
        });
        let (file, data_dir) = (file.to_owned(), self.settings.data.data_dir.clone());
        let wrote = file.clone();
        spawn_blocking(move || write(&file, &all, &data_dir, &files))
            .await
            .map_err(io::Error::from)
            .map_err(failed("write", &wrote))??;
        Ok(count)
    }

    async fn talk(&self, id: ConversationId) -> Result<Talk, Problem> {
        let operator = operator();
        let (conversation, messages) = self.transcript(&operator, id).await?;
        let Snapshot { participants, receipts, .. } =
            self.store.load_room(&operator, id, None, 0).await.map_err(problem)?;
        Ok(Talk { conversation, participants, receipts, messages })
    }

    async fn requests_of(&self, user: &User) -> Result<Vec<Asked>, Problem> {
        let actor = Actor::Customer(user.clone(), Vec::new());
        let (mut requests, mut cursor) = (Vec::new(), None);
        loop {
            let filter = RequestFilter::default();
            let part = self.store.list_requests(&actor, &filter, cursor, MAX_LIST).await.map_err(problem)?;
            cursor = part.last().map(|(_, cursor)| cursor.clone());
            let is_last = (part.len() as i64) < MAX_LIST;
            for (request, _) in part {
                let changes = self.store.list_request_changes(&actor, request.id).await.map_err(problem)?;
                requests.push(Asked { request, changes });
            }
            if is_last {
                return Ok(requests);
            }
        }
    }
}

/// Escapes characters that a terminal interprets but JSON permits. This loses nothing, as they occur in strings only.
fn escaped(json: String) -> String {
    let obeyed = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !json.contains(obeyed) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if obeyed(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn write(file: &Path, all: &Value, data_dir: &Path, files: &[AttachmentId]) -> Result<(), BackupError> {
    let mut sums = String::new();
    let mut tar = tar::Builder::new(BufWriter::new(private_file(file)?));
    let mut write = || -> io::Result<()> {
        let json = escaped(serde_json::to_string_pretty(all)?).into_bytes();
        append(&mut tar, "customer.json", json.len() as u64, &*json, &mut sums)?;
        for id in files {
            let path: PathBuf = attachments::folder(data_dir).join(id.to_string());
            match std::fs::File::open(&path) {
                Ok(content) => {
                    let bytes = content.metadata()?.len();
                    append(&mut tar, &format!("attachments/{id}"), bytes, BufReader::new(content), &mut sums)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    tracing::warn!(attachment = %id, "an attached file is missing");
                }
                Err(error) => return Err(error),
            }
        }
        tar.finish()?;
        tar.get_mut().flush()?;
        tar.get_ref().get_ref().sync_all()
    };
    write().map_err(|error| {
        std::fs::remove_file(file).ok();
        failed("write", file)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_has_no_control_characters_and_loses_nothing() {
        let said = json!({ "said": "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}b\n\u{2028}é😀" });
        let written = escaped(serde_json::to_string_pretty(&said).unwrap());
        assert!(!written.contains(|c: char| c.is_control() && c != '\n'), "{written:?}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), said);
    }
}
