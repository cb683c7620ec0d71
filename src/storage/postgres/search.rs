//! Search: the latest messages that have certain words.

use sqlx::PgConnection;

use super::{
    access::{Asker, own_conversations},
    messages::{message, select_messages},
    rows::at,
};
use crate::{
    domain::{Actor, Message, MessageId},
    storage::{Result, now, search::Sought},
};

/// What finds the messages that have all words of `text`, of each also what merely begins with it. `None`
/// if there are no words.
fn tsquery(text: &str) -> Option<String> {
    // A word has only letters and digits, so nothing in it ends the quotes.
    let words: Vec<_> = Sought::all(text).into_iter().map(|word| format!("'{}':*", word.folded)).collect();
    (!words.is_empty()).then(|| words.join(" & "))
}

/// Binds `$1` the query, `$2` the last message of the part before, `$3` the limit.
pub(super) const SEARCH_ALL: &str =
    concat!(select_messages!(), " where id = any (array(select found_messages($1::tsquery, $2, $3))) order by id desc");
/// Binds, besides what [`own_conversations`] does, `$4` the query, `$5` the last message of the part
/// before, `$6` the limit.
pub(super) const SEARCH_OWN: &str = concat!(
    select_messages!(),
    " where conversation_id in (",
    own_conversations!(),
    ") and words @@ $4::tsquery and ($5 is null or id < $5) order by id desc limit $6"
);

/// Ids made later are higher, so they stand for the order in time.
pub(super) async fn messages(
    conn: &mut PgConnection,
    actor: &Actor,
    query: &str,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Message>> {
    let Some(query) = tsquery(query) else { return Ok(Vec::new()) };
    let (after, limit) = (after.map(|id| id.0), limit.max(0));
    let rows = if actor.is_admin() {
        sqlx::query(SEARCH_ALL).bind(query).bind(after).bind(limit).fetch_all(conn).await?
    } else {
        let asker = Asker::from(actor);
        sqlx::query(SEARCH_OWN)
            .bind(at(now()))
            .bind(asker.customer)
            .bind(asker.links)
            .bind(query)
            .bind(after)
            .bind(limit)
            .fetch_all(conn)
            .await?
    };
    Ok(rows.iter().map(message).collect::<sqlx::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_every_word_quoted() {
        assert_eq!(tsquery("Oak | 'Table").as_deref(), Some("'oak':* & 'table':*"));
        assert_eq!(tsquery(" '& "), None);
    }
}
