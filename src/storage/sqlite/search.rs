//! Search: the latest messages that have certain words.
//!
//! The index of words answers at once what is rare. For a common word, or a common beginning, it first gathers every
//! match, and reading the latest messages is faster. So this module reads those first, and their words decide between
//! both ways. A customer's or guest's own messages are few, and read without the index.

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;

use super::{
    actors::{Asker, is_alive, own_conversations},
    dialect::{Conn, is_any, sql},
    messages::LAST_INDEXED,
    timeline::{message, select_messages},
};
use crate::{
    domain::{Actor, Message, MessageId},
    storage::{Result, now, search::Sought},
};

/// Numbers of messages that are looked at first, the latest ones.
const PART: i64 = 256;
/// Of which at most so many more are looked at in one go.
const MOST_AT_ONCE: i64 = 4_096;
/// So many messages of their own are read without the index; some 2 µs each.
const MOST_OWN: i64 = 20_000;
/// Reading a message and its words takes as long as gathering this many from the index.
const GATHERED: usize = 10;

/// Those of the messages numbered from `$1` to below `$2` that may contain one of the words. `$3` is the limit, and the
/// patterns of the words follow it. Transferring a message takes longer than testing it here. The caller tests contents
/// outside ASCII, which may use another Unicode form.
pub(super) fn latest(words: usize) -> String {
    let patterns: String = (4..words + 4).map(|number| format!(" or content like ${number}")).collect();
    format!(
        "select search_id, rowid, content from messages
         where search_id >= $1 and search_id < $2 and not is_system
           and (length(content) <> octet_length(content){patterns})
         order by search_id desc limit $3"
    )
}

/// Binds what [`own_conversations`] does. Counts deleted messages too.
pub(super) const COUNT_OWN: &str = sql!(
    "select coalesce(sum(conversations.last_seq), 0) from (",
    own_conversations!(),
    ") as own cross join conversations on conversations.id = own.id"
);

/// Binds, besides what [`own_conversations`] does, `$4` where to begin. In no order.
pub(super) const OWN: &str = sql!(
    "select messages.search_id, messages.rowid, messages.content from (",
    own_conversations!(),
    ") as own cross join messages on messages.conversation_id = own.id
     where messages.search_id < $4 and not messages.is_system"
);

/// Binds the words, where to begin, and a limit.
macro_rules! by_word {
    ($words:literal, $before:literal, $limit:literal, $scope:expr) => {
        concat!(
            "select messages.search_id, messages.rowid, messages.content
             from message_search cross join messages on messages.search_id = message_search.rowid
             where message_search match ",
            $words,
            " and message_search.rowid < ",
            $before,
            " and not messages.is_system",
            $scope,
            " order by message_search.rowid desc limit ",
            $limit
        )
    };
}

pub(super) const ALL_BY_WORD: &str = sql!(by_word!("$1", "$2", "$3", ""));
/// Binds first what [`own_conversations`] does.
pub(super) const OWN_BY_WORD: &str =
    sql!(by_word!("$4", "$5", "$6", concat!(" and messages.conversation_id in (", own_conversations!(), ")")));

pub(super) const FOUND: &str =
    sql!(select_messages!(), " where messages.rowid in (select value from json_each($1)) order by search_id desc");

/// The place at which a list continues after a message. Messages get search numbers in the order of storage. For a
/// message without one, removed from search since, its id gives the same order.
const PLACE: &str = "
    select coalesce(
        (select search_id from messages where id = $1),
        (select search_id + 1 from messages where id < $1 and search_id is not null order by id desc limit 1),
        0)";

/// A message's number for search, the row that it is, and its content.
type Entry = (i64, i64, String);

/// The latest messages that have all words of `query`, after the message `after`. Call it in a snapshot.
pub(super) async fn messages(
    conn: &mut Conn,
    actor: &Actor,
    query: &str,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Message>> {
    let words = Sought::all(query);
    let limit = usize::try_from(limit).unwrap_or(0);
    if words.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let before = match after {
        Some(id) => sqlx::query_scalar(PLACE).bind(id.0).fetch_one(&mut *conn).await?,
        None => i64::MAX,
    };
    // The row itself, as looking it up by its number once more would read as much again.
    let found = if actor.is_admin() {
        among_all(conn, &words, before, limit).await?
    } else {
        among_own(conn, &Asker::from(actor), &words, before, limit).await?
    };
    let found = serde_json::Value::from(found).to_string();
    let rows = sqlx::query(FOUND).bind(found).fetch_all(conn).await?;
    Ok(rows.iter().map(message).collect::<sqlx::Result<_>>()?)
}

async fn among_all(conn: &mut Conn, words: &[Sought], before: i64, limit: usize) -> Result<Vec<i64>> {
    let last: i64 = sqlx::query_scalar(LAST_INDEXED).fetch_one(&mut *conn).await?;
    let latest = latest(words.len());
    let mut sample = Sample { read: 0, having: vec![0; words.len()], found: Vec::new() };
    let mut before = before.min(last + 1);
    loop {
        // Numbers have few holes: where search lost messages.
        let from = (before - sample.reach(limit)).max(1);
        // A message with one of several words need not have all.
        let most = if words.len() == 1 { (limit - sample.found.len()) as i64 } else { -1 };
        let mut query = sqlx::query_as(AssertSqlSafe(latest.clone())).bind(from).bind(before).bind(most);
        for word in words {
            query = query.bind(word.pattern());
        }
        let part: Vec<Entry> = query.fetch_all(&mut *conn).await?;
        sample.add(words, &part);
        let next = match part.last() {
            Some((number, ..)) if part.len() as i64 == most => *number,
            _ => from,
        };
        sample.read += (before - next) as usize;
        if sample.found.len() >= limit || next == 1 {
            sample.found.truncate(limit);
            return Ok(sample.found);
        }
        before = next;
        if sample.says_index(before, limit) {
            break;
        }
    }
    let (rare, common) = sample.by_rarity(words);
    let mut found = sample.found;
    let missing = limit - found.len();
    let most = if common.is_empty() { missing as i64 } else { -1 };
    let mut entries = sqlx::query_as::<_, Entry>(ALL_BY_WORD).bind(matching(&rare)).bind(before).bind(most).fetch(conn);
    while found.len() < limit {
        let Some((_, row, content)) = entries.try_next().await? else { break };
        if common.iter().all(|word| word.is_in(&content)) {
            found.push(row);
        }
    }
    Ok(found)
}

/// The statistics of the messages read so far.
struct Sample {
    read: usize,
    /// How many of them have each word.
    having: Vec<usize>,
    /// The rows of those that have all.
    found: Vec<i64>,
}

impl Sample {
    fn add(&mut self, words: &[Sought], part: &[Entry]) {
        for (_, row, content) in part {
            let mut has_all = true;
            for (word, having) in words.iter().zip(&mut self.having) {
                let has_it = word.is_in(content);
                *having += usize::from(has_it);
                has_all &= has_it;
            }
            if has_all {
                self.found.push(*row);
            }
        }
    }

    /// How many messages to read next, if all resemble these; some more, because they do not.
    fn reach(&self, limit: usize) -> i64 {
        match self.read {
            0 => PART,
            _ => (self.to_read(limit) as i64 * 3 / 2).clamp(PART, MOST_AT_ONCE),
        }
    }

    /// How many messages to read until there are enough matches.
    fn to_read(&self, limit: usize) -> usize {
        (limit - self.found.len()) * self.read / self.found.len().max(1)
    }

    fn rarest(&self) -> usize {
        self.having.iter().copied().min().unwrap_or(0)
    }

    /// Whether the index has the rest sooner than reading on, if the `older` messages are like these.
    fn says_index(&self, older: i64, limit: usize) -> bool {
        let older = usize::try_from(older).unwrap_or(0);
        let to_gather = older * self.rarest().max(1) / self.read;
        to_gather <= self.to_read(limit) * GATHERED
    }

    /// The words to query in the index, and those to test in its results. For a word that is far more common than
    /// another, gathering all matches takes longer than testing.
    fn by_rarity<'w>(&self, words: &'w [Sought]) -> (Vec<&'w Sought>, Vec<&'w Sought>) {
        let most = GATHERED / 2 * (self.rarest() + 1);
        let (rare, common): (Vec<_>, Vec<_>) = words.iter().zip(&self.having).partition(|(_, having)| **having <= most);
        (rare.into_iter().map(|(word, _)| word).collect(), common.into_iter().map(|(word, _)| word).collect())
    }
}

async fn among_own(conn: &mut Conn, asker: &Asker, words: &[Sought], before: i64, limit: usize) -> Result<Vec<i64>> {
    let own: i64 =
        sqlx::query_scalar(COUNT_OWN).bind(now()).bind(asker.customer).bind(&asker.links).fetch_one(&mut *conn).await?;
    if own > MOST_OWN {
        let rows = sqlx::query_as::<_, Entry>(OWN_BY_WORD)
            .bind(now())
            .bind(asker.customer)
            .bind(&asker.links)
            .bind(matching(&words.iter().collect::<Vec<_>>()))
            .bind(before)
            .bind(limit as i64)
            .fetch_all(conn)
            .await?;
        return Ok(rows.into_iter().map(|(_, row, _)| row).collect());
    }
    let mut entries =
        sqlx::query_as::<_, Entry>(OWN).bind(now()).bind(asker.customer).bind(&asker.links).bind(before).fetch(conn);
    let mut found = Vec::new();
    while let Some((number, row, content)) = entries.try_next().await? {
        if words.iter().all(|word| word.is_in(&content)) {
            found.push((number, row));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found.into_iter().take(limit).map(|(_, row)| row).collect())
}

/// As FTS5 takes it: each word quoted, so that nothing in it is an operator, and of each also what merely
/// begins with it.
fn matching(words: &[&Sought]) -> String {
    words.iter().map(|word| format!("\"{}\"*", word.written)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(having: &[usize], found: i64) -> Sample {
        Sample { read: PART as usize, having: having.to_vec(), found: (0..found).collect() }
    }

    #[test]
    fn the_index_is_asked_if_it_has_less_to_gather_than_there_is_to_read() {
        let many = 1_000_000;
        assert!(!sample(&[200], 40).says_index(many, 51), "some more are read soon");
        assert!(sample(&[200], 40).says_index(50, 51), "there is nothing to gather");
        assert!(sample(&[0], 0).says_index(many, 51), "it would take all of them");
        assert!(sample(&[250, 0], 0).says_index(many, 51), "one word is rare");
    }

    #[test]
    fn the_index_is_asked_for_the_rarer_words() {
        let words = Sought::all("the oak of");
        let asked = |having| {
            let (rare, common) = sample(having, 0).by_rarity(&words);
            assert_eq!(rare.len() + common.len(), words.len());
            matching(&rare)
        };
        assert_eq!(asked(&[250, 1, 200]), "\"oak\"*");
        assert_eq!(asked(&[250, 100, 200]), "\"the\"* \"oak\"* \"of\"*");
    }
}
