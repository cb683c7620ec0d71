//! Conversations: opening, finding, listing, closing, assigning.

use sqlx::{Row, types::Json};
use uuid::Uuid;

use super::{
    access::seat,
    actors::{Asker, is_alive, own_conversations},
    conversation_lists::{ALL_UNREAD, COUNT_ALL, COUNT_OWN, UNREAD},
    dialect::{Conn, DbRow, ids, is_any, lock, sql},
    links, participants,
    rows::{Columns, Word},
    tx::Tx,
};
use crate::{
    domain::{
        Actor, Conversation, ConversationId, ConversationKind, ConversationStatus, Email, LinkId, MOST_COUNTED,
        MOST_UNREAD, Name, Participant, ParticipantId, ParticipantKind, Rating, RequestId, Timestamp, UserId,
    },
    storage::{
        Audience, Change, Commit, NewConversation, Result, Seat, StatusCounts, StoreError, now,
        rules::{first_rated_at, folded_customer, gathered, read_last_message, shown},
        seated::{Seated, customer_side},
    },
};

/// How many messages of others came after what `$me` has read, in a row of `conversations` with the `receipts`
/// of `$me`.
///
/// A person's own messages are never unread, because sending one moves the receipt to it. The exception is the server's
/// lines in an admin's name. So it is what came after the receipt, less what was deleted of it and such lines.
macro_rules! unread {
    ($me:literal) => {
        concat!(
            "conversations.last_seq - coalesce(receipts.seq, 0)
               - (select count(*) from messages
                  where messages.conversation_id = conversations.id and messages.deleted_at is not null
                    and messages.seq > coalesce(receipts.seq, 0))
               - (select count(*) from messages
                  where messages.conversation_id = conversations.id and messages.is_system
                    and messages.sender_id = ",
            $me,
            " and messages.seq > coalesce(receipts.seq, 0))"
        )
    };
}
pub(crate) use unread;

/// Conversations from `$source` as one person sees them. `$1` is the current time, `$4` the id of the requesting admin,
/// or null for the customer side.
macro_rules! select_conversations {
    ($source:expr) => {
        concat!(
            "
    select conversations.id, conversations.kind, conversations.request_id, conversations.status,
           conversations.is_sealed,
           conversations.customer_name, conversations.customer_email, conversations.customer_participant_id,
           conversations.customer_id is not null as has_account,
           conversations.metadata, conversations.assignee_id, conversations.head, conversations.last_seq,
           conversations.last_message, conversations.created_at, conversations.updated_at,
           conversations.closed_at, conversations.closed_by_name,
           conversations.rating_score, conversations.rating_comment, conversations.rated_at,
           ",
            unread!("$4"),
            " as unread,
           participants.last_seen_at,
           links.id as link_id
    from ",
            $source,
            "
    left join receipts
        on receipts.conversation_id = conversations.id
       and receipts.participant_id = coalesce($4, conversations.customer_participant_id)
    left join participants
        on participants.conversation_id = conversations.id
       and participants.participant_id = coalesce($4, conversations.customer_participant_id)
    left join links
        on links.conversation_id = conversations.id and $4 is not null and ",
            is_alive!("links", "$1")
        )
    };
}
pub(crate) use select_conversations;

/// Reads [`select_conversations`].
pub fn seen_by(actor: &Actor, row: &DbRow) -> sqlx::Result<Seat> {
    let customer_name = shown(row.try_get("customer_name")?);
    let last_seen_at = row.optional_time("last_seen_at")?;
    let customer_email: Option<String> = row.try_get("customer_email")?;
    let has_email = customer_email.is_some();
    // The customer side may be anybody with the link.
    let (me, metadata, customer_email) = match actor {
        Actor::Admin(user) => {
            let Json(metadata) = row.try_get("metadata")?;
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
    let (last_message, last_event) = read_last_message(row.try_get("last_message")?);
    let conversation = Conversation {
        id: row.id("id", ConversationId)?,
        kind: row.word("kind")?,
        request_id: row.optional_id("request_id", RequestId)?,
        status: row.word("status")?,
        sealed: row.try_get("is_sealed")?,
        customer_name,
        customer_email,
        metadata,
        assignee_id: row.optional_id("assignee_id", ParticipantId::stored)?,
        head: row.try_get("head")?,
        last_seq: row.try_get("last_seq")?,
        last_message,
        last_event,
        unread: row.try_get("unread")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        closed_at: row.optional_time("closed_at")?,
        closed_by: row.try_get("closed_by_name")?,
        link: None,
        customer_online: None,
        rating: None,
    };
    let rating = match (row.try_get("rating_score")?, row.optional_time("rated_at")?) {
        (Some(score), Some(rated_at)) => Some(Rating { score, comment: row.try_get("rating_comment")?, rated_at }),
        _ => None,
    };
    Ok(Seat { conversation, me, link: row.optional_id("link_id", LinkId)?, rating, has_email })
}

pub const LOAD: &str = sql!(select_conversations!("conversations"), " where conversations.id = $5");

pub async fn load(conn: &mut Conn, actor: &Actor, seated: &Seated) -> Result<Seat> {
    let asker = Asker::from(actor);
    let row = sqlx::query(LOAD)
        .bind(now())
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(seated.conversation_id().0)
        .fetch_one(conn)
        .await?;
    Ok(seen_by(actor, &row)?)
}

pub const LOAD_SOME: &str = sql!(
    select_conversations!("conversations"),
    " where conversations.id ",
    is_any!("$5"),
    " and ($4 is not null or conversations.id in (",
    own_conversations!(),
    "))"
);

/// The conversation, if the actor may see it: lets in and reads in one query.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn find(conn: &mut Conn, actor: &Actor, id: ConversationId) -> Result<Seat> {
    load_some(conn, actor, &[id]).await?.pop().ok_or(StoreError::NotFound)
}

/// Those of `ids` that the actor may see.
pub async fn load_some(conn: &mut Conn, actor: &Actor, conversations: &[ConversationId]) -> Result<Vec<Seat>> {
    let asker = Asker::from(actor);
    let rows = sqlx::query(LOAD_SOME)
        .bind(now())
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(ids(conversations.iter().map(|id| id.0)))
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(|row| seen_by(actor, row)).collect::<sqlx::Result<_>>()?)
}

/// Stores a conversation at rev 1, with its link, its opening admin and the customer side.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub async fn open(tx: &mut Tx, actor: &Actor, new: NewConversation) -> Result<Seat> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let now = now();
    let NewConversation { id, is_sealed, customer_id, customer_name, customer_email, metadata, link } = new;
    // All people with the link are one participant: the owner's account, or else a participant under the conversation's
    // own id.
    let participant = customer_id.map_or(ParticipantId::stored(id.0), ParticipantId::from);
    let customer = Customer { id: customer_id, participant, name: customer_name, email: customer_email };
    insert(tx, id, Kind::Session { is_sealed }, customer, &metadata, now).await?;
    links::add(&mut tx.conn, id, link, now).await?;
    let seated = seat(&mut tx.conn, actor, id, now).await?;
    participants::join(&mut tx.conn, &seated).await?;
    load(&mut tx.conn, actor, &seated).await
}

/// The customer side of a new conversation.
pub struct Customer {
    /// The account that it belongs to, if any.
    pub id: Option<UserId>,
    pub participant: ParticipantId,
    pub name: Name,
    pub email: Option<Email>,
}

/// The subject of a new conversation. One about a request is never sealed.
pub enum Kind {
    Session { is_sealed: bool },
    Request(RequestId),
}

/// Stores a conversation at rev 1 with its customer side. The caller has checked that the actor may open it.
pub async fn insert(
    tx: &mut Tx,
    id: ConversationId,
    kind: Kind,
    customer: Customer,
    metadata: &serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let email = customer.email.as_ref().map(|email| email.as_str());
    let (kind, request, is_sealed) = match kind {
        Kind::Session { is_sealed } => (ConversationKind::Session, None, is_sealed),
        Kind::Request(id) => (ConversationKind::Request, Some(id), false),
    };
    let done = sqlx::query(sql!(
        "insert into conversations
             (id, kind, status, customer_name, customer_email, customer_participant_id, metadata, head, last_seq,
              customer_folded, created_at, updated_at, customer_id, request_id, is_sealed)
         values ($1, $2, $3, $4, $5, $6, $7, 1, 0, $8, $9, $9, $10, $11, $12)
         on conflict (id) do nothing"
    ))
    .bind(id.0)
    .bind(kind.word())
    .bind(ConversationStatus::Open.word())
    .bind(customer.name.as_str())
    .bind(email)
    .bind(customer.participant.in_storage())
    .bind(Json(metadata))
    .bind(folded_customer(customer.name.as_str(), email))
    .bind(now)
    .bind(customer.id.map(|id| id.0))
    .bind(request.map(|id| id.0))
    .bind(is_sealed)
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
    participants::add(&mut tx.conn, id, &side).await?;
    tx.commits.push(Commit { conversation_id: id, rev: 1, change: Change::Conversation });
    Ok(())
}

/// Waits for concurrent changes of the conversation, and locks it until the transaction ends.
pub async fn hold(conn: &mut Conn, id: ConversationId) -> Result<()> {
    lock!(conn, "conversations where id = $1 for no key update", id.0);
    Ok(())
}

pub const ADOPT: &str = sql!(
    "update conversations set customer_id = $2
     where customer_id is null and exists (select 1 from users where id = $2 and role = 'customer')
       and id in (select links.conversation_id from links where links.id ",
    is_any!("$3"),
    " and ",
    is_alive!("links", "$1"),
    ") returning id"
);

/// Gives `user`, if a customer, those conversations of `links` that belong to nobody.
pub async fn adopt(conn: &mut Conn, user: UserId, links: &[LinkId], now: Timestamp) -> Result<Vec<ConversationId>> {
    let links = ids(links.iter().map(|link| link.0));
    // In the order in which those who write to conversations wait for them.
    lock!(
        conn,
        "conversations where id in (select conversation_id from links where id = any ($1))
         order by id for no key update",
        &links
    );
    let adopted: Vec<Uuid> = sqlx::query_scalar(ADOPT).bind(now).bind(user.0).bind(links).fetch_all(&mut *conn).await?;
    for id in &adopted {
        sqlx::query(sql!(
            "update participants set kind = 'customer'
             where conversation_id = $1
               and participant_id = (select customer_participant_id from conversations where id = $1)"
        ))
        .bind(id)
        .execute(&mut *conn)
        .await?;
    }
    Ok(adopted.into_iter().map(ConversationId).collect())
}

pub async fn heads(conn: &mut Conn, conversations: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>> {
    let rows = sqlx::query(sql!("select id, head from conversations where id ", is_any!("$1")))
        .bind(ids(conversations.iter().map(|id| id.0)))
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(head).collect::<sqlx::Result<_>>()?)
}

pub async fn list_active(conn: &mut Conn, since: Timestamp, limit: i64) -> Result<Vec<(ConversationId, i64)>> {
    let rows = sqlx::query(sql!(
        "select id, head from conversations where updated_at >= $1 order by updated_at desc, id desc limit $2"
    ))
    .bind(since)
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(head).collect::<sqlx::Result<_>>()?)
}

fn head(row: &DbRow) -> sqlx::Result<(ConversationId, i64)> {
    Ok((row.id("id", ConversationId)?, row.try_get("head")?))
}

pub const AUDIENCES: &str = sql!(
    "select conversations.id, conversations.customer_id, links.id as link_id
     from conversations left join links on links.conversation_id = conversations.id and ",
    is_alive!("links", "$1"),
    " where conversations.id ",
    is_any!("$2"),
    " order by conversations.id"
);

pub async fn audiences(
    conn: &mut Conn,
    conversations: &[ConversationId],
    now: Timestamp,
) -> Result<Vec<(ConversationId, Audience)>> {
    let of = ids(conversations.iter().map(|id| id.0));
    let rows = sqlx::query(AUDIENCES).bind(now).bind(of).fetch_all(conn).await?;
    let row = |row: &DbRow| {
        let customer = row.optional_id("customer_id", UserId)?;
        Ok((row.id("id", ConversationId)?, customer, row.optional_id("link_id", LinkId)?))
    };
    Ok(gathered(rows.iter().map(row).collect::<sqlx::Result<Vec<_>>>()?))
}

/// # Errors
/// [`StoreError::Forbidden`].
pub async fn count_unread(
    conn: &mut Conn,
    actor: &Actor,
    conversations: &[ConversationId],
    admins: &[UserId],
) -> Result<Vec<(ConversationId, UserId, i64)>> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let (of, by) = (ids(conversations.iter().map(|id| id.0)), ids(admins.iter().map(|id| id.0)));
    let rows = sqlx::query(UNREAD).bind(of).bind(by).fetch_all(conn).await?;
    let row = |row: &DbRow| Ok((row.id("id", ConversationId)?, row.id("admin_id", UserId)?, row.try_get("unread")?));
    Ok(rows.iter().map(row).collect::<sqlx::Result<_>>()?)
}

/// # Errors
/// [`StoreError::Forbidden`].
pub async fn count_all_unread(conn: &mut Conn, admin: &Actor) -> Result<i64> {
    let Some(id) = Asker::from(admin).admin else { return Err(StoreError::Forbidden) };
    let counted: i64 =
        sqlx::query_scalar(ALL_UNREAD).bind(id).bind(MOST_COUNTED).bind(MOST_UNREAD).fetch_one(conn).await?;
    Ok(counted.min(MOST_UNREAD))
}

pub async fn count(conn: &mut Conn, actor: &Actor) -> Result<StatusCounts> {
    let asker = Asker::from(actor);
    let rows = sqlx::query(if actor.is_admin() { COUNT_ALL } else { COUNT_OWN })
        .bind(now())
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
pub async fn set_status(
    tx: &mut Tx,
    actor: &Actor,
    seated: &Seated,
    status: ConversationStatus,
    now: Timestamp,
) -> Result<Seat> {
    seated.require_admin()?;
    change_status(tx, seated, status, now).await?;
    load(&mut tx.conn, actor, seated).await
}

/// The same for everyone with a seat: the caller decides who may.
pub async fn change_status(tx: &mut Tx, seated: &Seated, status: ConversationStatus, now: Timestamp) -> Result<()> {
    if seated.status() != status {
        let closed = (status == ConversationStatus::Closed).then_some(now);
        let rev = seated.head() + 1;
        sqlx::query(sql!(
            "update conversations
             set head = $2, status = $3, closed_at = $4, closed_by_name = $5, updated_at = greatest(updated_at, $6)
             where id = $1"
        ))
        .bind(seated.conversation_id().0)
        .bind(rev)
        .bind(status.word())
        .bind(closed)
        .bind(closed.map(|_| seated.me().name.as_str()))
        .bind(now)
        .execute(&mut tx.conn)
        .await?;
        tx.commits.push(Commit { conversation_id: seated.conversation_id(), rev, change: Change::Conversation });
    }
    Ok(())
}

/// Rates a closed conversation, or changes the rating. After the conversation was closed again, it can be rated again.
///
/// # Errors
/// [`StoreError::Forbidden`] for admins; [`StoreError::NotClosed`]; [`StoreError::RatingFinal`].
pub async fn rate(
    tx: &mut Tx,
    actor: &Actor,
    seated: &Seated,
    score: i64,
    comment: Option<&str>,
    now: Timestamp,
) -> Result<Rating> {
    if seated.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let Seat { conversation, rating, .. } = load(&mut tx.conn, actor, seated).await?;
    let closed_at = conversation.closed_at.ok_or(StoreError::NotClosed)?;
    let before = rating.filter(|rating| rating.is_since(closed_at));
    if let Some(same) = before.as_ref().filter(|it| it.score == score && it.comment.as_deref() == comment) {
        return Ok(same.clone());
    }
    let rated_at = first_rated_at(before.as_ref(), closed_at, now)?;
    let rev = seated.head() + 1;
    sqlx::query(sql!(
        "update conversations
         set head = $2, rating_score = $3, rating_comment = $4, rated_at = $5, updated_at = greatest(updated_at, $6)
         where id = $1"
    ))
    .bind(seated.conversation_id().0)
    .bind(rev)
    .bind(score)
    .bind(comment)
    .bind(rated_at)
    .bind(now)
    .execute(&mut tx.conn)
    .await?;
    tx.commits.push(Commit { conversation_id: seated.conversation_id(), rev, change: Change::Conversation });
    Ok(Rating { score, comment: comment.map(str::to_owned), rated_at })
}

/// The address for e-mails to the customer of a conversation: the confirmed one of the account that it belongs to, or
/// else the one that an admin gave. Only the account itself and admins get an account's.
pub async fn mail_address(conn: &mut Conn, actor: &Actor, id: ConversationId) -> Result<Option<Email>> {
    find(&mut *conn, actor, id).await?;
    let address: Option<String> = sqlx::query_scalar(sql!(
        "select case when conversations.customer_id is null then conversations.customer_email
                     when users.confirmed_email = users.email then users.email end
         from conversations
         left join users on users.id = conversations.customer_id and (users.id = $2 or $3)
         where conversations.id = $1"
    ))
    .bind(id.0)
    .bind(actor.user_id().map(|user| user.0))
    .bind(actor.is_admin())
    .fetch_one(conn)
    .await?;
    Ok(address.and_then(|address| Email::parse("customer_email", &address).ok()))
}

/// Assigns an admin or nobody, unless it is so already.
///
/// # Errors
/// [`StoreError::Forbidden`]; [`StoreError::NotFound`]: the assignee is no admin.
pub async fn assign(
    tx: &mut Tx,
    actor: &Actor,
    seated: &Seated,
    assignee: Option<UserId>,
    now: Timestamp,
) -> Result<Seat> {
    seated.require_admin()?;
    if let Some(assignee) = assignee {
        let is_admin: bool =
            sqlx::query_scalar(sql!("select exists (select 1 from users where id = $1 and role = 'admin')"))
                .bind(assignee.0)
                .fetch_one(&mut tx.conn)
                .await?;
        if !is_admin {
            return Err(StoreError::NotFound);
        }
    }
    let assignee: Option<Uuid> = assignee.map(|assignee| assignee.0);
    let rev = seated.head() + 1;
    let done = sqlx::query(sql!(
        "update conversations set head = $2, assignee_id = $3, updated_at = greatest(updated_at, $4)
         where id = $1 and assignee_id is distinct from $3"
    ))
    .bind(seated.conversation_id().0)
    .bind(rev)
    .bind(assignee)
    .bind(now)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() > 0 {
        tx.commits.push(Commit { conversation_id: seated.conversation_id(), rev, change: Change::Conversation });
    }
    load(&mut tx.conn, actor, seated).await
}
