//! Conversations: opening, finding, listing, closing, assigning.

use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    access::{Asker, is_alive, own_conversations, seat},
    links, participants,
    rows::{Columns, Word, id_list},
    writer::Tx,
};
use crate::{
    domain::{
        Actor, Conversation, ConversationId, ConversationKind, ConversationStatus, Email, LinkId, MOST_COUNTED,
        MOST_UNREAD, Name, Participant, ParticipantId, ParticipantKind, RequestId, Timestamp, UserId,
    },
    storage::{
        Audience, Change, Commit, ConversationFilter, Cursor, NewConversation, Result, Seat, StatusCounts, StoreError,
        now,
        rules::{folded_customer, gathered, searched},
        search::fold,
        seated::{Seated, customer_side},
    },
};

/// How many messages of others came after what `$me` has read, in a row of `conversations` with the `receipts`
/// of `$me`.
///
/// Nobody has an unread message of their own, because sending one moves the receipt to it; only the
/// lines that the server writes in an admin's name do not. So it is what came after the receipt, less
/// what was deleted of it and such lines.
macro_rules! unread {
    ($me:literal) => {
        concat!(
            "conversations.last_seq - coalesce(receipts.seq, 0)
               - (select count(*) from messages
                  where messages.conversation_id = conversations.id and messages.deleted_at_ms is not null
                    and messages.seq > coalesce(receipts.seq, 0))
               - (select count(*) from messages
                  where messages.conversation_id = conversations.id and messages.is_system
                    and messages.sender_id = ",
            $me,
            " and messages.seq > coalesce(receipts.seq, 0))"
        )
    };
}
pub(super) use unread;

/// Conversations from `$source` as one person sees them. `?1` is the present moment, `?4` the id of the admin who
/// asks, or null for the customer side.
macro_rules! select_conversations {
    ($source:expr) => {
        concat!(
            "
    select conversations.id, conversations.kind, conversations.request_id, conversations.status,
           conversations.customer_name, conversations.customer_email, conversations.customer_participant_id,
           conversations.customer_id is not null as has_account,
           conversations.metadata, conversations.assignee_id, conversations.head, conversations.last_seq,
           conversations.last_message, conversations.created_at_ms, conversations.updated_at_ms,
           conversations.closed_at_ms, conversations.closed_by_name,
           ",
            unread!("?4"),
            " as unread,
           participants.last_seen_at_ms,
           links.id as link_id
    from ",
            $source,
            "
    left join receipts
        on receipts.conversation_id = conversations.id
       and receipts.participant_id = coalesce(?4, conversations.customer_participant_id)
    left join participants
        on participants.conversation_id = conversations.id
       and participants.participant_id = coalesce(?4, conversations.customer_participant_id)
    left join links
        on links.conversation_id = conversations.id and ?4 is not null and ",
            crate::storage::sqlite::access::is_alive!("links", "?1")
        )
    };
}

/// Reads [`select_conversations`].
fn seen_by(actor: &Actor, row: &SqliteRow) -> sqlx::Result<Seat> {
    let customer_name: String = row.try_get("customer_name")?;
    let last_seen_at = row.optional_time("last_seen_at_ms")?;
    let customer_email = row.try_get("customer_email")?;
    // The customer side may be anybody with the link.
    let (me, metadata, customer_email) = match actor {
        Actor::Admin(user) => {
            let metadata = serde_json::from_str(row.try_get("metadata")?)
                .map_err(|error| sqlx::Error::ColumnDecode { index: "metadata".to_owned(), source: error.into() })?;
            let (id, name) = (user.id.into(), user.name.as_str().to_owned());
            (
                Participant { id, kind: ParticipantKind::Admin, name, online: false, last_seen_at },
                metadata,
                customer_email,
            )
        }
        Actor::Customer(..) | Actor::Guest(_) => {
            let id = row.id("customer_participant_id", ParticipantId::stored)?;
            let kind = customer_side(row.try_get("has_account")?);
            let name = customer_name.clone();
            (Participant { id, kind, name, online: false, last_seen_at }, serde_json::Value::Null, None)
        }
    };
    let conversation = Conversation {
        id: row.id("id", ConversationId)?,
        kind: row.word("kind")?,
        request_id: row.optional_id("request_id", RequestId)?,
        status: row.word("status")?,
        customer_name,
        customer_email,
        metadata,
        assignee_id: row.optional_id("assignee_id", ParticipantId::stored)?,
        head: row.try_get("head")?,
        last_seq: row.try_get("last_seq")?,
        last_message: row.try_get("last_message")?,
        unread: row.try_get("unread")?,
        created_at: row.time("created_at_ms")?,
        updated_at: row.time("updated_at_ms")?,
        closed_at: row.optional_time("closed_at_ms")?,
        closed_by: row.try_get("closed_by_name")?,
        link: None,
        customer_online: None,
    };
    Ok(Seat { conversation, me, link: row.optional_id("link_id", LinkId)? })
}

pub(super) const LOAD: &str = concat!(select_conversations!("conversations"), " where conversations.id = ?5");

pub(super) async fn load(conn: &mut SqliteConnection, actor: &Actor, seated: &Seated) -> Result<Seat> {
    let asker = Asker::from(actor);
    let row = sqlx::query(LOAD)
        .bind(now().0)
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(seated.conversation_id().0)
        .fetch_one(conn)
        .await?;
    Ok(seen_by(actor, &row)?)
}

pub(super) const LOAD_SOME: &str = concat!(
    select_conversations!("conversations"),
    " where conversations.id in (select unhex(value) from json_each(?5))
        and (?4 is not null or conversations.id in (",
    own_conversations!(),
    "))"
);

/// The conversation, if the actor may see it: lets in and reads in one query.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn find(conn: &mut SqliteConnection, actor: &Actor, id: ConversationId) -> Result<Seat> {
    load_some(conn, actor, &[id]).await?.pop().ok_or(StoreError::NotFound)
}

/// Those of `ids` that the actor may see.
pub(super) async fn load_some(conn: &mut SqliteConnection, actor: &Actor, ids: &[ConversationId]) -> Result<Vec<Seat>> {
    let asker = Asker::from(actor);
    let rows = sqlx::query(LOAD_SOME)
        .bind(now().0)
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(id_list(ids.iter().map(|id| id.0)))
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(|row| seen_by(actor, row)).collect::<sqlx::Result<_>>()?)
}

/// Stores a conversation at rev 1, with its link, the admin who opens it and the customer side.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub(super) async fn open(tx: &mut Tx, actor: &Actor, new: NewConversation) -> Result<Seat> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let now = now();
    let NewConversation { id, customer_id, customer_name, customer_email, metadata, link } = new;
    // Whoever comes by the link is one participant: the owner's account, or else somebody known by
    // the conversation's own id.
    let participant = customer_id.map_or(ParticipantId::stored(id.0), ParticipantId::from);
    let customer = Customer { id: customer_id, participant, name: customer_name, email: customer_email };
    insert(tx, id, (ConversationKind::Session, None), customer, &metadata, now).await?;
    links::add(tx, id, link, now).await?;
    let seated = seat(&mut tx.conn, actor, id, now).await?;
    participants::join(tx, &seated).await?;
    load(&mut tx.conn, actor, &seated).await
}

/// The customer side of a new conversation.
pub(super) struct Customer {
    /// The account that it belongs to, if any.
    pub(super) id: Option<UserId>,
    pub(super) participant: ParticipantId,
    pub(super) name: Name,
    pub(super) email: Option<Email>,
}

/// Stores a conversation at rev 1 with its customer side. Whoever calls this has decided that the
/// actor may open it.
pub(super) async fn insert(
    tx: &mut Tx,
    id: ConversationId,
    (kind, request): (ConversationKind, Option<RequestId>),
    customer: Customer,
    metadata: &serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let email = customer.email.as_ref().map(|email| email.as_str());
    let done = sqlx::query(
        "insert into conversations
             (id, kind, status, customer_name, customer_email, customer_participant_id, metadata, head, last_seq,
              customer_folded, created_at_ms, updated_at_ms, customer_id, request_id)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, ?8, ?9, ?9, ?10, ?11)
         on conflict (id) do nothing",
    )
    .bind(id.0)
    .bind(kind.word())
    .bind(ConversationStatus::Open.word())
    .bind(customer.name.as_str())
    .bind(email)
    .bind(customer.participant.in_storage())
    .bind(metadata.to_string())
    .bind(folded_customer(customer.name.as_str(), email))
    .bind(now.0)
    .bind(customer.id.map(|id| id.0))
    .bind(request.map(|id| id.0))
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::IdTaken);
    }
    let side = Participant {
        id: customer.participant,
        kind: customer_side(customer.id.is_some()),
        name: customer.name.to_string(),
        online: false,
        last_seen_at: None,
    };
    participants::add(tx, id, &side).await?;
    tx.commits.push(Commit { conversation_id: id, rev: 1, change: Change::Conversation });
    Ok(())
}

const HEADS: &str = "
    select id, head from conversations where id in (select unhex(value) from json_each(?1))";

pub(super) async fn heads(conn: &mut SqliteConnection, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>> {
    let rows = sqlx::query(HEADS).bind(id_list(ids.iter().map(|id| id.0))).fetch_all(conn).await?;
    Ok(rows.iter().map(head).collect::<sqlx::Result<_>>()?)
}

const ACTIVE: &str = "
    select id, head from conversations where updated_at_ms >= ?1 order by updated_at_ms desc, id desc limit ?2";

pub(super) async fn list_active(
    conn: &mut SqliteConnection,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(ConversationId, i64)>> {
    let rows = sqlx::query(ACTIVE).bind(since.0).bind(limit.max(0)).fetch_all(conn).await?;
    Ok(rows.iter().map(head).collect::<sqlx::Result<_>>()?)
}

fn head(row: &SqliteRow) -> sqlx::Result<(ConversationId, i64)> {
    Ok((row.id("id", ConversationId)?, row.try_get("head")?))
}

pub(super) const ADOPT: &str = concat!(
    "update conversations set customer_id = ?2
     where customer_id is null and exists (select 1 from users where id = ?2 and role = 'customer')
       and id in (select links.conversation_id from links
                  where links.id in (select unhex(value) from json_each(?3)) and ",
    is_alive!("links", "?1"),
    ") returning id"
);

/// Gives `user`, if a customer, those conversations of `links` that belong to nobody.
pub(super) async fn adopt(tx: &mut Tx, user: UserId, links: &[LinkId], now: Timestamp) -> Result<Vec<ConversationId>> {
    let adopted: Vec<Uuid> = sqlx::query_scalar(ADOPT)
        .bind(now.0)
        .bind(user.0)
        .bind(id_list(links.iter().map(|link| link.0)))
        .fetch_all(&mut tx.conn)
        .await?;
    for id in &adopted {
        sqlx::query(
            "update participants set kind = 'customer'
             where conversation_id = ?1
               and participant_id = (select customer_participant_id from conversations where id = ?1)",
        )
        .bind(id)
        .execute(&mut tx.conn)
        .await?;
    }
    Ok(adopted.into_iter().map(ConversationId).collect())
}

pub(super) const AUDIENCES: &str = concat!(
    "select conversations.id, conversations.customer_id, links.id as link_id
     from conversations left join links on links.conversation_id = conversations.id and ",
    is_alive!("links", "?1"),
    " where conversations.id in (select unhex(value) from json_each(?2)) order by conversations.id"
);

pub(super) async fn audiences(
    conn: &mut SqliteConnection,
    ids: &[ConversationId],
    now: Timestamp,
) -> Result<Vec<(ConversationId, Audience)>> {
    let rows = sqlx::query(AUDIENCES).bind(now.0).bind(id_list(ids.iter().map(|id| id.0))).fetch_all(conn).await?;
    let row = |row: &SqliteRow| {
        let customer = row.optional_id("customer_id", UserId)?;
        Ok((row.id("id", ConversationId)?, customer, row.optional_id("link_id", LinkId)?))
    };
    Ok(gathered(rows.iter().map(row).collect::<sqlx::Result<Vec<_>>>()?))
}

pub(super) const UNREAD: &str = concat!(
    "select conversations.id, unhex(json_each.value) as admin_id, ",
    unread!("unhex(json_each.value)"),
    " as unread
     from conversations cross join json_each(?2)
     left join receipts
         on receipts.conversation_id = conversations.id and receipts.participant_id = unhex(json_each.value)
     where conversations.id in (select unhex(value) from json_each(?1))"
);

/// # Errors
/// [`StoreError::Forbidden`].
pub(super) async fn count_unread(
    conn: &mut SqliteConnection,
    actor: &Actor,
    ids: &[ConversationId],
    admins: &[UserId],
) -> Result<Vec<(ConversationId, UserId, i64)>> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let rows = sqlx::query(UNREAD)
        .bind(id_list(ids.iter().map(|id| id.0)))
        .bind(id_list(admins.iter().map(|id| id.0)))
        .fetch_all(conn)
        .await?;
    let row =
        |row: &SqliteRow| Ok((row.id("id", ConversationId)?, row.id("admin_id", UserId)?, row.try_get("unread")?));
    Ok(rows.iter().map(row).collect::<sqlx::Result<_>>()?)
}

/// Of the latest open conversations, those that have something new first.
pub(super) const ALL_UNREAD: &str = concat!(
    "select coalesce(sum(unread), 0) from (
         select ",
    unread!("?1"),
    " as unread
         from (select id from conversations where status = 'open' order by updated_at_ms desc, id desc limit ?2) as counted
         cross join conversations on conversations.id = counted.id
         left join receipts on receipts.conversation_id = conversations.id and receipts.participant_id = ?1
         where conversations.last_seq > coalesce(receipts.seq, 0)
         limit ?3)"
);

/// # Errors
/// [`StoreError::Forbidden`].
pub(super) async fn count_all_unread(conn: &mut SqliteConnection, admin: &Actor) -> Result<i64> {
    let Some(id) = Asker::from(admin).admin else { return Err(StoreError::Forbidden) };
    let counted: i64 =
        sqlx::query_scalar(ALL_UNREAD).bind(id).bind(MOST_COUNTED).bind(MOST_UNREAD).fetch_one(conn).await?;
    Ok(counted.min(MOST_UNREAD))
}

/// How a list of conversations finds what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Goes through all, latest activity first.
    Activity,
    /// Looks into the index of customers.
    Customer,
    /// Goes through those of whoever asks.
    Owner,
}

/// The statement that lists what matches `filter`. All variants bind the same values: besides those
/// of [`select_conversations`], `?2` and `?3` of [`own_conversations`], `?5` status, `?6` kind,
/// `?7` folded search, `?8` and `?9` cursor, `?10` limit; [`By::Customer`] also `?11` the part to look up.
pub(super) fn list_sql(by: By, filter: &ConversationFilter, has_cursor: bool) -> String {
    // A cross join keeps the order of its tables: first the few that are theirs, or were found, then each
    // of those, never all that are open.
    let mut sql = String::from(match by {
        By::Activity => select_conversations!("conversations"),
        By::Customer => select_conversations!(
            "customer_search cross join conversations on conversations.number = customer_search.rowid"
        ),
        By::Owner => select_conversations!(concat!(
            "(",
            own_conversations!(),
            ") as own cross join conversations on conversations.id = own.id"
        )),
    });
    let is_searched = searched(filter.search.as_deref()).is_some();
    let conditions = [
        (filter.status.is_some(), " and conversations.status = ?5"),
        (filter.kind.is_some(), " and conversations.kind = ?6"),
        (by == By::Customer, " and customer_search match ?11"),
        (is_searched && by != By::Owner, " and instr(conversations.customer_folded, ?7)"),
        // Its first line is the name. The customer side does not see the address, and so cannot try it out either.
        (
            is_searched && by == By::Owner,
            " and instr(substr(conversations.customer_folded, 1,
                               instr(conversations.customer_folded || char(10), char(10)) - 1), ?7)",
        ),
        (has_cursor, " and (conversations.updated_at_ms, conversations.id) < (?8, ?9)"),
    ];
    sql.push_str(" where true");
    for (_, condition) in conditions.iter().filter(|(applies, _)| *applies) {
        sql.push_str(condition);
    }
    sql.push_str(" order by conversations.updated_at_ms desc, conversations.id desc limit ?10");
    sql
}

/// More chats than this are not gathered from the index and sorted: going through the latest ones finds as many as
/// a list has sooner.
const FEW: i64 = 500;
/// Of a long text so many parts are counted.
const MOST_PARTS: usize = 16;

/// Parts of a text that the index of customers can look up, as FTS5 takes them: three characters in a row.
fn parts(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 3 || chars.contains(&'\0') {
        return Vec::new();
    }
    let (last, step) = (chars.len() - 3, (chars.len() / MOST_PARTS).max(3));
    let starts = (0..last).step_by(step).chain([last]);
    let quoted = |start| format!("\"{}\"", chars[start..start + 3].iter().collect::<String>().replace('"', "\"\""));
    starts.map(quoted).collect()
}

/// How many chats the index has for each of some parts, a JSON list `?1`; it counts to `?2`.
pub(super) const COUNT_PARTS: &str = "
    select value, (select count(*) from (select 1 from customer_search where customer_search match asked.value limit ?2))
    from json_each(?1) as asked";

/// The part of a text that the fewest customers have, if these are [`FEW`].
async fn rarest_part(conn: &mut SqliteConnection, text: &str) -> Result<Option<String>> {
    let parts = parts(text);
    if parts.is_empty() {
        return Ok(None);
    }
    let parts = serde_json::Value::from(parts).to_string();
    let counted: Vec<(String, i64)> = sqlx::query_as(COUNT_PARTS).bind(parts).bind(FEW + 1).fetch_all(conn).await?;
    let rarest = counted.into_iter().min_by_key(|(_, found)| *found);
    Ok(rarest.filter(|(_, found)| *found <= FEW).map(|(part, _)| part))
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    actor: &Actor,
    filter: &ConversationFilter,
    cursor: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Seat>> {
    let asker = Asker::from(actor);
    let text = searched(filter.search.as_deref()).map(fold);
    let part = match &text {
        Some(text) if actor.is_admin() => rarest_part(conn, text).await?,
        _ => None,
    };
    let by = match &part {
        Some(_) => By::Customer,
        None if actor.is_admin() => By::Activity,
        None => By::Owner,
    };
    let query = sqlx::query(AssertSqlSafe(list_sql(by, filter, cursor.is_some())))
        .bind(now().0)
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(filter.status.map(Word::word))
        .bind(filter.kind.map(Word::word))
        .bind(text)
        .bind(cursor.map(|cursor| cursor.updated_at.0))
        .bind(cursor.map(|cursor| cursor.id.0))
        // A negative limit would mean none at all.
        .bind(limit.max(0));
    let query = if let Some(part) = part { query.bind(part) } else { query };
    let rows = query.fetch_all(conn).await?;
    Ok(rows.iter().map(|row| seen_by(actor, row)).collect::<sqlx::Result<_>>()?)
}

/// Binds `?4` how far to count.
const COUNT_ALL: &str = "
    select status, count(*) as conversations from (
        select * from (select status from conversations where status = 'open' limit ?4)
        union all
        select * from (select status from conversations where status = 'closed' limit ?4)
    ) group by status";
pub(super) const COUNT_OWN: &str = concat!(
    "select status, count(*) as conversations from (",
    own_conversations!(),
    ") as own cross join conversations on conversations.id = own.id group by status"
);

pub(super) async fn count(conn: &mut SqliteConnection, actor: &Actor) -> Result<StatusCounts> {
    let asker = Asker::from(actor);
    let rows = sqlx::query(if actor.is_admin() { COUNT_ALL } else { COUNT_OWN })
        .bind(now().0)
        .bind(asker.customer)
        .bind(asker.links)
        .bind(MOST_COUNTED)
        .fetch_all(conn)
        .await?;
    let mut counts = StatusCounts::default();
    for row in rows {
        let number = row.try_get::<i64, _>("conversations")?.min(MOST_COUNTED);
        match row.word("status")? {
            ConversationStatus::Open => counts.open = number,
            ConversationStatus::Closed => counts.closed = number,
        }
    }
    Ok(counts)
}

/// Closes or reopens, unless it is so already.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub(super) async fn set_status(
    tx: &mut Tx,
    actor: &Actor,
    seated: &Seated,
    status: ConversationStatus,
    now: Timestamp,
) -> Result<Seat> {
    seated.require_admin()?;
    if seated.status() != status {
        let closed = (status == ConversationStatus::Closed).then_some(now.0);
        let rev = seated.head() + 1;
        sqlx::query(
            "update conversations
             set head = ?2, status = ?3, closed_at_ms = ?4, closed_by_name = ?5, updated_at_ms = max(updated_at_ms, ?6)
             where id = ?1",
        )
        .bind(seated.conversation_id().0)
        .bind(rev)
        .bind(status.word())
        .bind(closed)
        .bind(closed.map(|_| seated.me().name.as_str()))
        .bind(now.0)
        .execute(&mut tx.conn)
        .await?;
        tx.commits.push(Commit { conversation_id: seated.conversation_id(), rev, change: Change::Conversation });
    }
    load(&mut tx.conn, actor, seated).await
}

/// Assigns an admin or nobody, unless it is so already.
///
/// # Errors
/// [`StoreError::Forbidden`]; [`StoreError::NotFound`]: the assignee is no admin.
pub(super) async fn assign(
    tx: &mut Tx,
    actor: &Actor,
    seated: &Seated,
    assignee: Option<UserId>,
    now: Timestamp,
) -> Result<Seat> {
    seated.require_admin()?;
    if let Some(assignee) = assignee {
        let is_admin: bool = sqlx::query_scalar("select exists (select 1 from users where id = ?1 and role = 'admin')")
            .bind(assignee.0)
            .fetch_one(&mut tx.conn)
            .await?;
        if !is_admin {
            return Err(StoreError::NotFound);
        }
    }
    let assignee: Option<Uuid> = assignee.map(|assignee| assignee.0);
    let rev = seated.head() + 1;
    let done = sqlx::query(
        "update conversations set head = ?2, assignee_id = ?3, updated_at_ms = max(updated_at_ms, ?4)
         where id = ?1 and assignee_id is not ?3",
    )
    .bind(seated.conversation_id().0)
    .bind(rev)
    .bind(assignee)
    .bind(now.0)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() > 0 {
        tx.commits.push(Commit { conversation_id: seated.conversation_id(), rev, change: Change::Conversation });
    }
    load(&mut tx.conn, actor, seated).await
}
