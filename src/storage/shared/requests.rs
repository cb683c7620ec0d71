//! Custom requests, their history, and the one conversation of each.
//!
//! Admins see all, customers their own, guests none.

use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::{
    access::seat,
    actors::Asker,
    conversations::{self, unread},
    dialect::{Conn, DbRow, first_line, lock, locking, ms, prefer_indexes, searchable, sql, unindexed},
    messages, participants, request_files,
    rows::Columns,
    tx::Tx,
};
use crate::{
    domain::{
        Actor, ConversationId, CustomRequest, Email, MOST_COUNTED, MessageEvent, Name, ParticipantId, ParticipantKind,
        RequestId, RequestOrder, RequestStatus, RequestText, StatusChange, Timestamp, UserId,
    },
    storage::{
        RequestCounts, RequestCursor, RequestFilter, Result, Seat, StoreError, now,
        rules::{
            count_requests_sql, folded_customer, folded_request, read_last_message, request_counts, searched, shown,
        },
        search::fold,
        seated::Doer,
    },
};

/// Requests as one person sees them. `$1` is the id of the requesting admin, or null for a customer.
macro_rules! select_requests {
    ($key:expr) => {
        concat!(
            "
    select custom_requests.id, custom_requests.customer_id, custom_requests.title, custom_requests.description,
           custom_requests.budget_cents, custom_requests.wanted_on, custom_requests.status,
           custom_requests.created_at, custom_requests.edited_at, users.name as customer_name, users.email as customer_email,
           conversations.id as conversation_id, conversations.last_message,
           coalesce(",
            unread!("$1"),
            ", 0) as unread,
           greatest(custom_requests.updated_at, coalesce(conversations.updated_at, custom_requests.updated_at))
               as active_at,
           cast(",
            $key,
            " as text) as order_key
    from custom_requests
    join users on users.id = custom_requests.customer_id
    left join conversations on conversations.request_id = custom_requests.id
    left join receipts
        on receipts.conversation_id = conversations.id
       and receipts.participant_id = coalesce($1, conversations.customer_participant_id)"
        )
    };
}

/// Without its files.
fn request(row: &DbRow) -> sqlx::Result<CustomRequest> {
    let (last_message, last_event) = read_last_message(row.try_get("last_message")?);
    Ok(CustomRequest {
        id: row.id("id", RequestId)?,
        customer_id: row.id("customer_id", UserId)?,
        customer_name: shown(row.try_get("customer_name")?),
        customer_email: row.try_get("customer_email")?,
        title: shown(row.try_get("title")?),
        description: shown(row.try_get("description")?),
        budget_cents: row.try_get("budget_cents")?,
        wanted_on: row.try_get("wanted_on")?,
        status: row.word("status")?,
        conversation_id: row.optional_id("conversation_id", ConversationId)?,
        last_message,
        last_event,
        unread: row.try_get("unread")?,
        attachments: Vec::new(),
        created_at: row.time("created_at")?,
        edited_at: row.optional_time("edited_at")?,
        updated_at: row.time("active_at")?,
    })
}

/// # Errors
/// [`StoreError::Forbidden`] for guests, and for admins who name nobody; [`StoreError::NotFound`] if
/// `customer` is no customer; [`StoreError::IdTaken`].
pub async fn create(
    conn: &mut Conn,
    actor: &Actor,
    id: RequestId,
    customer: Option<UserId>,
    text: RequestText,
) -> Result<CustomRequest> {
    let customer = match actor {
        Actor::Customer(user, _) => user.id,
        Actor::Admin(_) => customer.ok_or(StoreError::Forbidden)?,
        Actor::Guest(_) => return Err(StoreError::Forbidden),
    };
    let (name, email): (String, String) =
        sqlx::query_as(sql!("select name, email from users where id = $1 and role = 'customer'"))
            .bind(customer.0)
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(StoreError::NotFound)?;
    let done = sqlx::query(sql!(
        "insert into custom_requests
             (id, customer_id, title, description, budget_cents, wanted_on, status, folded, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         on conflict (id) do nothing"
    ))
    .bind(id.0)
    .bind(customer.0)
    .bind(&text.title)
    .bind(&text.description)
    .bind(text.budget_cents)
    .bind(&text.wanted_on)
    .bind(RequestStatus::New.word())
    .bind(folded_request(&text.title, &text.description, &name, &email))
    .bind(now())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::IdTaken);
    }
    find(conn, actor, id).await
}

/// Gives the requests of a customer, and the chats about them, the customer's present name.
pub async fn customer_renamed(conn: &mut Conn, customer: UserId, name: &Name, email: &Email) -> Result<()> {
    // In the order in which those who write to conversations and requests wait for them.
    lock!(conn, "conversations where customer_id = $1 and kind = 'request' order by id for no key update", customer.0);
    let requests: Vec<(Uuid, String, String)> = sqlx::query_as(sql!(
        "select id, title, description from custom_requests where customer_id = $1",
        locking!(" order by id for no key update")
    ))
    .bind(customer.0)
    .fetch_all(&mut *conn)
    .await?;
    for (id, title, description) in requests {
        sqlx::query(sql!("update custom_requests set folded = $2 where id = $1"))
            .bind(id)
            .bind(folded_request(&title, &description, name.as_str(), email.as_str()))
            .execute(&mut *conn)
            .await?;
    }
    // The customer's next messages in a chat about a request have the new name.
    sqlx::query(sql!(
        "update conversations set customer_name = $2, customer_email = $3, customer_folded = $4
         where customer_id = $1 and kind = 'request'"
    ))
    .bind(customer.0)
    .bind(name.as_str())
    .bind(email.as_str())
    .bind(folded_customer(name.as_str(), Some(email.as_str())))
    .execute(conn)
    .await?;
    Ok(())
}

pub const BY_ID: &str = sql!(
    select_requests!("null"),
    " where custom_requests.id = $3 and ($1 is not null or custom_requests.customer_id = $2)"
);

/// # Errors
/// [`StoreError::NotFound`].
pub async fn find(conn: &mut Conn, actor: &Actor, id: RequestId) -> Result<CustomRequest> {
    let asker = Asker::from(actor);
    let row = sqlx::query(BY_ID).bind(asker.admin).bind(asker.customer).bind(id.0).fetch_optional(&mut *conn).await?;
    let mut request = request(&row.ok_or(StoreError::NotFound)?)?;
    request.attachments = request_files::of(conn, [id]).await?.remove(&id).unwrap_or_default();
    Ok(request)
}

/// The statement that lists what matches `filter`. All variants bind the same values. `$1` is that of
/// [`select_requests`], `$2` the customer, `$3` the status, `$4` the folded search. `$5` and `$6` are the cursor, `$7`
/// the limit, and `$8` the cursor as a number.
pub fn list_sql(is_admin: bool, filter: &RequestFilter, has_cursor: bool) -> String {
    macro_rules! ordered {
        ($key:expr, $bound:literal, $than:literal, $direction:literal) => {
            (
                sql!(select_requests!($key)),
                sql!(" and (", $key, ", custom_requests.id) ", $than, " (", $bound, ", $6)"),
                sql!(" order by ", $key, " ", $direction, ", custom_requests.id ", $direction, " limit $7"),
            )
        };
    }
    let (select, after, order) = match filter.order {
        RequestOrder::Activity => ordered!(
            ms!("greatest(custom_requests.updated_at, coalesce(conversations.updated_at, custom_requests.updated_at))"),
            "$8",
            "<",
            "desc"
        ),
        RequestOrder::Newest => ordered!(ms!("custom_requests.created_at"), "$8", "<", "desc"),
        RequestOrder::Wanted => ordered!("coalesce(custom_requests.wanted_on, '9999-99-99')", "$5", ">", "asc"),
        // The title is the first line of the searched text.
        RequestOrder::Title => ordered!(first_line!("custom_requests.folded"), "$5", ">", "asc"),
    };
    let conditions = [
        (!is_admin, " and custom_requests.customer_id = $2"),
        (is_admin && filter.status.is_some(), " and custom_requests.status = $3"),
        // Among a customer's own, and not among everybody's that have the status.
        (!is_admin && filter.status.is_some(), sql!(" and ", unindexed!("custom_requests.status"), " = $3")),
        (searched(filter.search.as_deref()).is_some(), sql!(" and strpos(custom_requests.folded, $4) > 0")),
        (has_cursor, after),
    ];
    let conditions = conditions.iter().filter(|(applies, _)| *applies).map(|(_, condition)| *condition);
    format!("{select} where true{}{order}", conditions.collect::<String>())
}

pub async fn list(
    conn: &mut Conn,
    actor: &Actor,
    filter: &RequestFilter,
    cursor: Option<RequestCursor>,
    limit: i64,
) -> Result<Vec<(CustomRequest, RequestCursor)>> {
    let asker = Asker::from(actor);
    let sql = list_sql(actor.is_admin(), filter, cursor.is_some());
    let (key, id) = cursor.map(|cursor| (searchable(cursor.key), cursor.id.0)).unzip();
    // Cursors come from outside: what is no number is before all.
    let number = key.as_ref().map(|key| key.parse::<i64>().unwrap_or(0));
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(asker.admin)
        .bind(asker.customer)
        .bind(filter.status.map(RequestStatus::word))
        .bind(searched(filter.search.as_deref()).map(|text| searchable(fold(text))))
        .bind(key)
        .bind(id)
        .bind(limit.max(0))
        .bind(number)
        .fetch_all(&mut *conn)
        .await?;
    let with_cursor = |row: &DbRow| {
        let request = request(row)?;
        let cursor = RequestCursor { key: row.try_get("order_key")?, id: request.id };
        Ok((request, cursor))
    };
    let mut requests: Vec<_> = rows.iter().map(with_cursor).collect::<sqlx::Result<_>>()?;
    let mut files = request_files::of(conn, requests.iter().map(|(request, _)| request.id)).await?;
    for (request, _) in &mut requests {
        request.attachments = files.remove(&request.id).unwrap_or_default();
    }
    Ok(requests)
}

/// Where [`count_requests_sql`] binds how far to count.
pub const MOST: &str = "$1";

const COUNT_OWN: &str = sql!("select status, count(*) from custom_requests where customer_id = $1 group by status");

pub async fn count(conn: &mut Conn, actor: &Actor) -> Result<RequestCounts> {
    let rows: Vec<(String, i64)> = if actor.is_admin() {
        // Requests with another status may come first in the table, and be all of it.
        prefer_indexes(conn).await?;
        sqlx::query_as(AssertSqlSafe(count_requests_sql(MOST))).bind(MOST_COUNTED).fetch_all(conn).await?
    } else {
        sqlx::query_as(COUNT_OWN).bind(Asker::from(actor).customer).fetch_all(conn).await?
    };
    Ok(request_counts(&rows))
}

pub async fn changes(conn: &mut Conn, actor: &Actor, id: RequestId) -> Result<Vec<StatusChange>> {
    let customer = find(&mut *conn, actor, id).await?.customer_id;
    Ok(history(conn, id, customer).await?.into_iter().map(|(_, change)| change).collect())
}

/// Each change with its author.
async fn history(conn: &mut Conn, id: RequestId, customer: UserId) -> Result<Vec<(UserId, StatusChange)>> {
    let rows = sqlx::query(sql!(
        "select status, changed_by, changed_by_name, changed_at from request_changes
         where request_id = $1 order by number"
    ))
    .bind(id.0)
    .fetch_all(conn)
    .await?;
    let change = |row: &DbRow| {
        let (status, by, at) = (row.word("status")?, row.try_get("changed_by_name")?, row.time("changed_at")?);
        let by_id = row.id("changed_by", UserId)?;
        Ok((by_id, StatusChange { status, by, at, withdrawn: by_id == customer }))
    };
    Ok(rows.iter().map(change).collect::<sqlx::Result<_>>()?)
}

/// The request, which nobody else changes until the transaction ends, and whose conversation nobody else
/// opens.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn find_to_change(conn: &mut Conn, actor: &Actor, id: RequestId) -> Result<CustomRequest> {
    lock!(conn, "custom_requests where id = $1 for no key update", id.0);
    // Asked after the wait, so that it sees what was waited for.
    find(conn, actor, id).await
}

/// `None`, and no change, if the request's conversation is not `conversation`: in PostgreSQL another lane must then
/// publish the line (see `writer`).
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`] for customers, who can only withdraw: decline a request that is
/// new; [`StoreError::RequestBegun`] if it is not new any more.
pub async fn set_status(
    tx: &mut Tx,
    actor: &Actor,
    (id, conversation): (RequestId, Option<ConversationId>),
    status: RequestStatus,
    now: Timestamp,
) -> Result<Option<CustomRequest>> {
    if let Some(conversation) = conversation {
        // Locked before the request, like everywhere else that locks both.
        conversations::hold(&mut tx.conn, conversation).await?;
    }
    let before = find_to_change(&mut tx.conn, actor, id).await?;
    let by = match actor {
        Actor::Admin(admin) => admin,
        Actor::Customer(customer, _) if status == RequestStatus::Declined => customer,
        Actor::Customer(..) | Actor::Guest(_) => return Err(StoreError::Forbidden),
    };
    if before.status == status {
        return Ok(Some(before));
    }
    if !actor.is_admin() && before.status != RequestStatus::New {
        return Err(StoreError::RequestBegun);
    }
    if before.conversation_id != conversation {
        return Ok(None);
    }
    sqlx::query(sql!("update custom_requests set status = $2, updated_at = greatest(updated_at, $3) where id = $1"))
        .bind(id.0)
        .bind(status.word())
        .bind(now)
        .execute(&mut tx.conn)
        .await?;
    sqlx::query(sql!(
        "insert into request_changes (request_id, number, status, changed_by, changed_by_name, changed_at)
         select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 from request_changes where request_id = $1"
    ))
    .bind(id.0)
    .bind(status.word())
    .bind(by.id.0)
    .bind(by.name.as_str())
    .bind(now)
    .execute(&mut tx.conn)
    .await?;
    if let Some(conversation) = conversation {
        let change = StatusChange { status, by: by.name.to_string(), at: now, withdrawn: !actor.is_admin() };
        post_change(tx, conversation, by.id, change).await?;
    }
    find(&mut tx.conn, actor, id).await.map(Some)
}

/// Posts the system line about a change of the status.
async fn post_change(tx: &mut Tx, conversation: ConversationId, by: UserId, change: StatusChange) -> Result<()> {
    let (kind, event) = match change.withdrawn {
        true => (ParticipantKind::Customer, MessageEvent::Withdrawn),
        false => (ParticipantKind::Admin, MessageEvent::StatusSet(change.status)),
    };
    messages::post_system(tx, conversation, Doer { id: by.into(), kind, name: change.by }, event, change.at).await
}

/// Replaces the text of a new request.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Forbidden`] for all but its customer; [`StoreError::RequestBegun`].
pub async fn edit(
    conn: &mut Conn,
    actor: &Actor,
    id: RequestId,
    text: &RequestText,
    now: Timestamp,
) -> Result<CustomRequest> {
    let before = find_to_change(&mut *conn, actor, id).await?;
    if actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    if before.status != RequestStatus::New {
        return Err(StoreError::RequestBegun);
    }
    if before.text() == *text {
        return Ok(before);
    }
    sqlx::query(sql!(
        "update custom_requests
         set title = $2, description = $3, budget_cents = $4, wanted_on = $5, folded = $6, edited_at = $7,
             updated_at = greatest(updated_at, $7)
         where id = $1"
    ))
    .bind(id.0)
    .bind(&text.title)
    .bind(&text.description)
    .bind(text.budget_cents)
    .bind(&text.wanted_on)
    .bind(folded_request(&text.title, &text.description, &before.customer_name, &before.customer_email))
    .bind(now)
    .execute(&mut *conn)
    .await?;
    find(conn, actor, id).await
}

/// Opens the conversation under the id `new`; `None`, and no change, if there is one by now.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn open_conversation(
    tx: &mut Tx,
    actor: &Actor,
    id: RequestId,
    new: ConversationId,
    now: Timestamp,
) -> Result<Option<Seat>> {
    let request = find_to_change(&mut tx.conn, actor, id).await?;
    if request.conversation_id.is_some() {
        return Ok(None);
    }
    let customer = conversations::Customer {
        id: Some(request.customer_id),
        participant: ParticipantId::from(request.customer_id),
        name: Name::trusted(request.customer_name),
        email: Some(Email::trusted(request.customer_email)),
    };
    let kind = conversations::Kind::Request(id);
    conversations::insert(tx, new, kind, customer, &serde_json::Value::Null, now).await?;
    for (by, change) in history(&mut tx.conn, id, request.customer_id).await? {
        post_change(tx, new, by, change).await?;
    }
    let seated = seat(&mut tx.conn, actor, new, now).await?;
    participants::join(&mut tx.conn, &seated).await?;
    conversations::load(&mut tx.conn, actor, &seated).await.map(Some)
}
