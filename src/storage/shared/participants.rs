//! The people of a conversation, and how far each has read.

use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, sql},
    rows::{Columns, Word},
};
use crate::{
    domain::{ConversationId, Participant, ParticipantId, Receipt, Timestamp},
    storage::{Result, rules::shown, seated::Seated},
};

pub const LIST: &str = sql!(
    "
    select participant_id, kind, name, last_seen_at
    from participants where conversation_id = $1 order by participant_id"
);

pub async fn list(conn: &mut Conn, seated: &Seated) -> Result<Vec<Participant>> {
    let rows = sqlx::query(LIST).bind(seated.conversation_id().0).fetch_all(conn).await?;
    let participant = |row: &DbRow| {
        Ok(Participant {
            id: row.id("participant_id", ParticipantId::stored)?,
            kind: row.word("kind")?,
            name: shown(row.try_get("name")?),
            online: false,
            last_seen_at: row.optional_time("last_seen_at")?,
        })
    };
    Ok(rows.iter().map(participant).collect::<sqlx::Result<_>>()?)
}

/// Whether joining would change nothing.
pub async fn is_in(conn: &mut Conn, seated: &Seated) -> Result<bool> {
    Ok(sqlx::query_scalar(sql!(
        "select exists (select 1 from participants
                        where conversation_id = $1 and participant_id = $2 and kind = $3 and name = $4)"
    ))
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(seated.me().kind.word())
    .bind(&seated.me().name)
    .fetch_one(conn)
    .await?)
}

/// Makes the actor a participant, and keeps kind and name up to date.
pub async fn join(conn: &mut Conn, seated: &Seated) -> Result<()> {
    add(conn, seated.conversation_id(), seated.me()).await
}

pub async fn add(conn: &mut Conn, conversation: ConversationId, participant: &Participant) -> Result<()> {
    sqlx::query(sql!(
        "insert into participants (conversation_id, participant_id, kind, name) values ($1, $2, $3, $4)
         on conflict (conversation_id, participant_id) do update set kind = excluded.kind, name = excluded.name
         where participants.kind <> excluded.kind or participants.name <> excluded.name"
    ))
    .bind(conversation.0)
    .bind(participant.id.in_storage())
    .bind(participant.kind.word())
    .bind(&participant.name)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub async fn note_left(
    conn: &mut Conn,
    conversation: ConversationId,
    participant: ParticipantId,
    left_at: Timestamp,
) -> Result<()> {
    sqlx::query(sql!(
        "update participants set last_seen_at = $3
         where conversation_id = $1 and participant_id = $2 and (last_seen_at is null or last_seen_at < $3)"
    ))
    .bind(conversation.0)
    .bind(participant.in_storage())
    .bind(left_at)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub const RECEIPTS: &str = sql!(
    "
    select participant_id, seq, read_at
    from receipts where conversation_id = $1 order by participant_id"
);

pub async fn receipts(conn: &mut Conn, seated: &Seated) -> Result<Vec<Receipt>> {
    let rows = sqlx::query(RECEIPTS).bind(seated.conversation_id().0).fetch_all(conn).await?;
    let receipt = |row: &DbRow| {
        Ok(Receipt {
            participant: row.id("participant_id", ParticipantId::stored)?,
            seq: row.try_get("seq")?,
            at: row.time("read_at")?,
        })
    };
    Ok(rows.iter().map(receipt).collect::<sqlx::Result<_>>()?)
}

/// Moves the actor's receipt forward, at most to the last message.
pub async fn read_up_to(conn: &mut Conn, seated: &Seated, seq: i64, now: Timestamp) -> Result<Option<Receipt>> {
    let seq = seq.min(seated.last_seq());
    if seq < 1 {
        return Ok(None);
    }
    let done = sqlx::query(sql!(
        "insert into receipts (conversation_id, participant_id, seq, read_at) values ($1, $2, $3, $4)
         on conflict (conversation_id, participant_id)
         do update set seq = excluded.seq, read_at = excluded.read_at where receipts.seq < excluded.seq"
    ))
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(seq)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let moved = done.rows_affected() > 0;
    Ok(moved.then_some(Receipt { participant: seated.me().id, seq, at: now }))
}
