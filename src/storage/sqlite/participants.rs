//! The people of a conversation, and how far each has read.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    rows::{Columns, Word},
    writer::Tx,
};
use crate::{
    domain::{ConversationId, Participant, ParticipantId, Receipt, Timestamp},
    storage::{Result, seated::Seated},
};

const LIST: &str = "
    select participant_id, kind, name, last_seen_at_ms
    from participants where conversation_id = ?1 order by participant_id";

pub(super) async fn list(conn: &mut SqliteConnection, seated: &Seated) -> Result<Vec<Participant>> {
    let rows = sqlx::query(LIST).bind(seated.conversation_id().0).fetch_all(conn).await?;
    let participant = |row: &SqliteRow| {
        Ok(Participant {
            id: row.id("participant_id", ParticipantId::stored)?,
            kind: row.word("kind")?,
            name: row.try_get("name")?,
            online: false,
            last_seen_at: row.optional_time("last_seen_at_ms")?,
        })
    };
    Ok(rows.iter().map(participant).collect::<sqlx::Result<_>>()?)
}

const IS_IN: &str = "select exists (select 1 from participants
                    where conversation_id = ?1 and participant_id = ?2 and kind = ?3 and name = ?4)";

/// Whether joining would change nothing.
pub(super) async fn is_in(conn: &mut SqliteConnection, seated: &Seated) -> Result<bool> {
    Ok(sqlx::query_scalar(IS_IN)
        .bind(seated.conversation_id().0)
        .bind(seated.me().id.in_storage())
        .bind(seated.me().kind.word())
        .bind(&seated.me().name)
        .fetch_one(conn)
        .await?)
}

/// Makes the actor a participant, and keeps kind and name up to date.
pub(super) async fn join(tx: &mut Tx, seated: &Seated) -> Result<()> {
    add(tx, seated.conversation_id(), seated.me()).await
}

pub(super) async fn add(tx: &mut Tx, conversation: ConversationId, participant: &Participant) -> Result<()> {
    sqlx::query(
        "insert into participants (conversation_id, participant_id, kind, name) values (?1, ?2, ?3, ?4)
         on conflict (conversation_id, participant_id) do update set kind = excluded.kind, name = excluded.name
         where kind <> excluded.kind or name <> excluded.name",
    )
    .bind(conversation.0)
    .bind(participant.id.in_storage())
    .bind(participant.kind.word())
    .bind(&participant.name)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

pub(super) async fn note_left(
    tx: &mut Tx,
    conversation: ConversationId,
    participant: ParticipantId,
    at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update participants set last_seen_at_ms = ?3
         where conversation_id = ?1 and participant_id = ?2 and (last_seen_at_ms is null or last_seen_at_ms < ?3)",
    )
    .bind(conversation.0)
    .bind(participant.in_storage())
    .bind(at.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

const RECEIPTS: &str = "
    select participant_id, seq, read_at_ms
    from receipts where conversation_id = ?1 order by participant_id";

pub(super) async fn receipts(conn: &mut SqliteConnection, seated: &Seated) -> Result<Vec<Receipt>> {
    let rows = sqlx::query(RECEIPTS).bind(seated.conversation_id().0).fetch_all(conn).await?;
    let receipt = |row: &SqliteRow| {
        Ok(Receipt {
            participant: row.id("participant_id", ParticipantId::stored)?,
            seq: row.try_get("seq")?,
            at: row.time("read_at_ms")?,
        })
    };
    Ok(rows.iter().map(receipt).collect::<sqlx::Result<_>>()?)
}

/// Moves the actor's receipt forward, at most to the last message.
pub(super) async fn read_up_to(tx: &mut Tx, seated: &Seated, seq: i64, now: Timestamp) -> Result<Option<Receipt>> {
    let seq = seq.min(seated.last_seq());
    if seq < 1 {
        return Ok(None);
    }
    let done = sqlx::query(
        "insert into receipts (conversation_id, participant_id, seq, read_at_ms) values (?1, ?2, ?3, ?4)
         on conflict (conversation_id, participant_id)
         do update set seq = excluded.seq, read_at_ms = excluded.read_at_ms where seq < excluded.seq",
    )
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(seq)
    .bind(now.0)
    .execute(&mut tx.conn)
    .await?;
    let moved = done.rows_affected() > 0;
    Ok(moved.then_some(Receipt { participant: seated.me().id, seq, at: now }))
}
