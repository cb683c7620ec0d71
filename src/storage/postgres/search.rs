//! Search: the latest messages that have certain words.

use sqlx::{AssertSqlSafe, postgres::PgRow};
use uuid::Uuid;

use super::{
    actors::{Asker, is_alive, own_conversations},
    conn::Conn,
    dialect::is_any,
    timeline::{message, select_messages},
};
use crate::{
    domain::{Actor, Message, MessageId},
    storage::{Result, now, search::Sought},
};

/// The number of latest messages that show which words are common.
const SAMPLE: i64 = 500;
/// If so many of them have all words, reading on finds the rest sooner than the index of words.
const COMMON: i64 = 3;
/// If a word is this many times as common as the rarest, the search tests it in the results of the rarest.
const FAR_MORE: i64 = 5;
/// Messages that the index of words gives at a time.
const PART: i64 = 5_000;

/// Binds `$1` the last message of the part before, `$2` how many to read, `$3` the query, and from `$4` on each
/// word of it.
fn sample_sql(words: usize) -> String {
    let having = (4..4 + words).map(|n| format!(", count(*) filter (where words @@ ${n}::tsquery)"));
    format!(
        "select count(*), count(*) filter (where words @@ $3::tsquery), array[{}]
         from (select words from messages
               where id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
               order by id desc limit $2) as latest",
        having.collect::<String>().trim_start_matches(", ")
    )
}

/// Binds `$1` the query, `$2` the last message of the part before, `$3` the limit.
pub(super) const LATEST: &str = concat!(
    select_messages!(),
    " where words @@ $1::tsquery and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      order by id desc limit $3"
);

/// Binds `$1` the query, `$2` the last message of the part before, `$3` a limit.
pub(super) const BY_WORD: &str = "select found_messages($1::tsquery, $2, $3)";

/// Binds `$1` the messages, `$2` the query, `$3` the limit.
pub(super) const AMONG: &str =
    concat!(select_messages!(), " where id = any ($1) and words @@ $2::tsquery order by id desc limit $3");

/// Binds, besides what [`own_conversations`] does, `$4` the query, `$5` the last message of the part
/// before, `$6` the limit.
pub(super) const OWN: &str = concat!(
    select_messages!(),
    " where conversation_id in (",
    own_conversations!(),
    ") and words @@ $4::tsquery and ($5 is null or id < $5) order by id desc limit $6"
);

/// The query for messages with all of these words, including longer words that begin with them.
fn tsquery<'w>(words: impl IntoIterator<Item = &'w Sought>) -> String {
    // A word has only letters and digits, so nothing in it ends the quotes.
    words.into_iter().map(|word| format!("'{}':*", word.folded)).collect::<Vec<_>>().join(" & ")
}

/// The latest messages that have all words of `query`, after the message `after`. Ids made later are higher,
/// so they stand for the order in time.
pub(super) async fn messages(
    conn: &mut Conn,
    actor: &Actor,
    query: &str,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Message>> {
    let words = Sought::all(query);
    let limit = limit.max(0);
    if words.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let after = after.map(|id| id.0);
    let rows = if actor.is_admin() {
        among_all(conn, &words, after, limit).await?
    } else {
        let asker = Asker::from(actor);
        sqlx::query(OWN)
            .bind(now())
            .bind(asker.customer)
            .bind(asker.links)
            .bind(tsquery(&words))
            .bind(after)
            .bind(limit)
            .fetch_all(conn)
            .await?
    };
    Ok(rows.iter().map(message).collect::<sqlx::Result<_>>()?)
}

/// PostgreSQL cannot estimate how many messages have a word with a given beginning. So this reads the latest ones
/// first, and then sets the plan.
async fn among_all(conn: &mut Conn, words: &[Sought], after: Option<Uuid>, limit: i64) -> Result<Vec<PgRow>> {
    let whole = tsquery(words);
    let sample = AssertSqlSafe(sample_sql(words.len()));
    let sample = sqlx::query_as(sample).bind(after).bind(SAMPLE).bind(&whole);
    let sample = words.iter().fold(sample, |sample, word| sample.bind(tsquery([word])));
    let (read, having_all, having): (i64, i64, Vec<i64>) = sample.fetch_one(&mut *conn).await?;
    if read < SAMPLE || having_all >= COMMON {
        sqlx::raw_sql("set local enable_sort = off").execute(&mut *conn).await?;
        return Ok(sqlx::query(LATEST).bind(whole).bind(after).bind(limit).fetch_all(conn).await?);
    }

    // The index first gathers all messages that have a word, however many these are.
    let rarest = having.iter().copied().min().unwrap_or(0);
    let rare = words.iter().zip(having).filter(|(_, having)| *having <= FAR_MORE * (rarest + 1));
    let rare = tsquery(rare.map(|(word, _)| word));
    sqlx::raw_sql("set local enable_indexscan = off; set local enable_seqscan = off").execute(&mut *conn).await?;
    let mut found = Vec::new();
    let mut after = after;
    loop {
        let part: Vec<Uuid> =
            sqlx::query_scalar(BY_WORD).bind(&rare).bind(after).bind(PART).fetch_all(&mut *conn).await?;
        let missing = limit - found.len() as i64;
        let rows = sqlx::query(AMONG).bind(&part).bind(&whole).bind(missing).fetch_all(&mut *conn).await?;
        found.extend(rows);
        after = part.last().copied();
        if (part.len() as i64) < PART || found.len() as i64 >= limit {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_every_word_quoted() {
        assert_eq!(tsquery(&Sought::all("Oak | 'Table")), "'oak':* & 'table':*");
    }
}
