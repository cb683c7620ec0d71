//! The dashboard's list of chats: its loaded parts, in order during live changes.

use std::collections::HashSet;

use crate::{
    api::{Found, Inbox},
    domain::{Conversation, ConversationId, ConversationStatus, MOST_COUNTED, MOST_UNREAD},
};

#[derive(Clone, Debug, PartialEq)]
pub struct ChatList {
    pub status: ConversationStatus,
    /// The search; empty for all chats.
    pub search: String,
    /// Latest activity first. Also contains chats that changed to the other status, so that the counts stay right
    /// when they change back.
    items: Vec<Conversation>,
    /// The chat that is open beside the list, if it is in none of the loaded parts. It is shown on top.
    beyond: Option<Conversation>,
    pub next_cursor: Option<String>,
    pub open: i64,
    pub closed: i64,
    /// The number of unread messages in all open chats; from [`MOST_UNREAD`] on, a lower bound.
    pub unread: i64,
    /// The messages that matched the search when it was made.
    pub found: Vec<Found>,
}

fn waiting(chat: &Conversation) -> i64 {
    if chat.is_open() { chat.unread } else { 0 }
}

impl ChatList {
    #[must_use]
    pub fn new(start: Inbox, status: ConversationStatus, search: String) -> Self {
        let Inbox { items, next_cursor, open, closed, unread, found } = start;
        Self { status, search, items, beyond: None, next_cursor, open, closed, unread, found }
    }

    /// The chats in the shown list.
    pub fn shown(&self) -> impl Iterator<Item = &Conversation> {
        let beyond = self.beyond.iter().filter(|chat| self.search.is_empty() && !self.has(chat.id));
        beyond.chain(&self.items).filter(|item| item.status == self.status)
    }

    /// The displayed order of chats. While it `is_held`, the chats `before` remain in place. New ones above them
    /// wait, and chats loaded below follow.
    #[must_use]
    pub fn order(&self, before: &[ConversationId], is_held: bool) -> Vec<ConversationId> {
        let order: Vec<_> = self.shown().map(|item| item.id).collect();
        if !is_held {
            return order;
        }
        let is_shown: HashSet<_> = order.iter().collect();
        let mut held: Vec<_> = before.iter().copied().filter(|id| is_shown.contains(id)).collect();
        let was_shown: HashSet<_> = held.iter().copied().collect();
        let below = order.iter().rposition(|id| was_shown.contains(id)).map_or(0, |last| last + 1);
        held.extend(&order[below..]);
        held
    }

    /// A loaded chat.
    #[must_use]
    pub fn get(&self, id: ConversationId) -> Option<&Conversation> {
        self.items.iter().chain(&self.beyond).find(|item| item.id == id)
    }

    fn has(&self, id: ConversationId) -> bool {
        self.items.iter().any(|item| item.id == id)
    }

    /// Shows the chat that is open beside the list, also if no part contains it.
    pub fn open_beside(&mut self, chat: Conversation) {
        if !self.has(chat.id) {
            self.beyond = Some(chat);
        }
    }

    /// Updates the count of unread messages after a change in one chat. Returns whether the list must be reloaded: a
    /// count that was a lower bound is unknown now.
    fn count(&mut self, before: i64, now: i64) -> bool {
        let ended = self.unread >= MOST_UNREAD && now < before;
        if !ended {
            self.unread = (self.unread + now - before).max(0);
        }
        ended
    }

    /// Applies a chat's new summary. Returns whether the list must be reloaded: only the server knows whether an
    /// unknown chat matches the search, and its effect on the counts.
    pub fn apply(&mut self, news: Conversation) -> bool {
        let Some(at) = self.items.iter().position(|item| item.id == news.id) else {
            if let Some(known) = self.beyond.as_mut().filter(|known| known.id == news.id && known.head <= news.head) {
                *known = news;
            }
            return true;
        };
        // Summaries of two nodes can arrive out of order.
        if news.head < self.items[at].head {
            return false;
        }
        let known = self.items.remove(at);
        if known.status != news.status {
            let (more, less) =
                if news.is_open() { (&mut self.open, &mut self.closed) } else { (&mut self.closed, &mut self.open) };
            *more += 1;
            // A count at the maximum is a lower bound.
            if *less < MOST_COUNTED {
                *less -= 1;
            }
        }
        let ended = self.count(waiting(&known), waiting(&news));
        self.put(Conversation { link: news.link.clone().or(known.link), ..news });
        ended
    }

    /// Applies that messages up to `seq` were read, here or in another tab. Returns whether the list must be
    /// reloaded.
    pub fn apply_read(&mut self, id: ConversationId, seq: i64) -> bool {
        let known = self.items.iter_mut().chain(&mut self.beyond);
        let Some(known) = known.into_iter().find(|item| item.id == id && seq >= item.last_seq) else { return false };
        let before = waiting(known);
        known.unread = 0;
        self.count(before, 0)
    }

    /// Records whether someone of the customer side has this chat open. Returns whether that has changed.
    pub fn set_online(&mut self, id: ConversationId, online: bool) -> bool {
        let known = self.items.iter_mut().chain(&mut self.beyond).find(|item| item.id == id);
        known.is_some_and(|known| known.customer_online.replace(online) != Some(online))
    }

    /// Replaces the first part, as after a reconnection; later loaded parts remain.
    pub fn refresh(&mut self, fresh: Inbox) {
        let Inbox { items, next_cursor, open, closed, unread, found } = fresh;
        (self.open, self.closed, self.unread, self.found) = (open, closed, unread, found);
        // A chat within the range of the fresh ones but not among them has left this list.
        match items.last() {
            Some(last) if next_cursor.is_some() => {
                let end = (last.updated_at, last.id);
                self.items.retain(|item| (item.updated_at, item.id) < end && item.status == self.status);
            }
            _ => {
                self.items.clear();
                self.next_cursor = None;
            }
        }
        if self.items.is_empty() {
            self.next_cursor = next_cursor;
        }
        self.add(items);
    }

    /// Adds the next part.
    pub fn extend(&mut self, part: Inbox) {
        self.next_cursor = part.next_cursor;
        (self.open, self.closed, self.unread) = (part.open, part.closed, part.unread);
        self.add(part.items);
    }

    fn add(&mut self, items: Vec<Conversation>) {
        for item in items {
            self.items.retain(|known| known.id != item.id);
            self.put(item);
        }
    }

    /// Inserts a chat that is not in the list in order of activity.
    fn put(&mut self, item: Conversation) {
        let place = (item.updated_at, item.id);
        let at = self.items.partition_point(|known| (known.updated_at, known.id) > place);
        self.items.insert(at, item);
    }
}

/// A person's initials: the first letters of the first and the last name. CSS capitalises them.
#[must_use]
pub fn initials(name: &str) -> String {
    let is_letter = |c: &char| c.is_ascii_alphanumeric() || !c.is_ascii();
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(is_letter));
    let first = words.next();
    first.into_iter().chain(words.next_back()).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{client::timeline::tests::conversation, domain::Timestamp};

    fn chat(n: u128, at: i64) -> Conversation {
        Conversation { id: ConversationId(Uuid::from_u128(n)), updated_at: Timestamp(at), head: at, ..conversation() }
    }

    fn part(items: Vec<Conversation>, more: bool) -> Inbox {
        Inbox { open: 5, closed: 2, unread: 0, next_cursor: more.then(|| "next".into()), items, found: Vec::new() }
    }

    fn ids(list: &ChatList) -> Vec<u128> {
        list.shown().map(|item| item.id.0.as_u128()).collect()
    }

    fn list() -> ChatList {
        ChatList::new(part(vec![chat(3, 30), chat(2, 20), chat(1, 10)], true), ConversationStatus::Open, String::new())
    }

    #[test]
    fn activity_moves_a_chat_up() {
        let mut list = list();
        assert!(!list.apply(Conversation { unread: 2, ..chat(1, 40) }));
        assert_eq!((ids(&list), list.unread), (vec![1, 3, 2], 2));
        assert!(!list.apply(chat(1, 39)), "an older summary that comes late is ignored");
        assert_eq!(list.unread, 2);
        assert!(!list.apply_read(chat(1, 0).id, 0));
        assert_eq!(list.unread, 0);
        assert!(list.apply(chat(9, 50)), "of an unknown one only the server knows where it belongs");
    }

    #[test]
    fn closing_and_reopening_are_counted() {
        let mut list = list();
        list.apply(Conversation { status: ConversationStatus::Closed, ..chat(2, 40) });
        assert_eq!((ids(&list), list.open, list.closed), (vec![3, 1], 4, 3));
        list.apply(chat(2, 50));
        assert_eq!((ids(&list), list.open, list.closed), (vec![2, 3, 1], 5, 2));
    }

    #[test]
    fn a_count_that_ended_stays_where_it_is() {
        let start = Inbox { open: MOST_COUNTED, ..part(vec![chat(2, 20), chat(1, 10)], true) };
        let mut list = ChatList::new(start, ConversationStatus::Open, String::new());
        list.apply(Conversation { status: ConversationStatus::Closed, ..chat(2, 40) });
        assert_eq!((list.open, list.closed), (MOST_COUNTED, 3));
    }

    #[test]
    fn a_refresh_retains_later_loaded_parts() {
        let mut list = list();
        list.extend(Inbox { next_cursor: Some("third".into()), ..part(vec![chat(8, 8), chat(7, 7)], true) });
        list.refresh(part(vec![chat(4, 60), chat(1, 50), chat(3, 30)], true));
        assert_eq!((ids(&list), list.next_cursor.as_deref()), (vec![4, 1, 3, 2, 8, 7], Some("third")));
        list.refresh(part(vec![chat(4, 60)], false));
        assert_eq!((ids(&list), list.next_cursor.as_deref()), (vec![4], None));
    }

    #[test]
    fn what_waits_is_counted_in_all_open_chats() {
        let mut list = list();
        list.refresh(Inbox { unread: 7, ..part(vec![Conversation { unread: 2, ..chat(3, 30) }], true) });
        assert!(!list.apply(Conversation { unread: 3, ..chat(3, 40) }));
        assert_eq!(list.unread, 8, "with what waits in chats that are not loaded");
        assert!(!list.apply(Conversation { unread: 3, status: ConversationStatus::Closed, ..chat(3, 50) }));
        assert_eq!(list.unread, 5, "what is closed waits for nobody");
        assert!(!list.apply(Conversation { unread: 3, ..chat(3, 60) }));
        list.unread = MOST_UNREAD;
        assert!(!list.apply(Conversation { unread: 4, ..chat(3, 70) }));
        assert!(list.apply_read(chat(3, 0).id, 0), "how much more there is, the server knows");
    }

    #[test]
    fn the_chat_beside_the_list_is_in_it() {
        let mut list = list();
        list.open_beside(chat(2, 20));
        assert_eq!(ids(&list), [3, 2, 1], "it was there");
        list.open_beside(chat(9, 5));
        assert_eq!(ids(&list), [9, 3, 2, 1]);
        list.open_beside(chat(2, 20));
        assert_eq!(ids(&list), [9, 3, 2, 1], "nothing moves when another is chosen");
        assert!(list.apply(chat(9, 40)), "it may belong to the first part now");
        list.refresh(part(vec![chat(9, 40), chat(3, 30)], true));
        assert_eq!(ids(&list), [9, 3, 2, 1]);
        list.open_beside(Conversation { status: ConversationStatus::Closed, ..chat(8, 4) });
        assert_eq!(ids(&list), [9, 3, 2, 1], "it is not of this kind");
    }

    #[test]
    fn a_held_order_lets_nothing_move() {
        let mut list = list();
        let before: Vec<_> = list.shown().map(|item| item.id).collect();
        let order = |list: &ChatList, held| -> Vec<_> {
            list.order(&before, held).into_iter().map(|id| id.0.as_u128()).collect()
        };
        list.apply(chat(1, 40));
        list.refresh(part(vec![chat(4, 60), chat(1, 40), chat(3, 30)], true));
        list.extend(part(vec![chat(8, 8)], true));
        assert_eq!(order(&list, true), [3, 2, 1, 8]);
        assert_eq!(order(&list, false), [4, 1, 3, 2, 8]);
        list.apply(Conversation { status: ConversationStatus::Closed, ..chat(3, 70) });
        assert_eq!(order(&list, true), [2, 1, 8], "what is gone is gone");
    }

    #[test]
    fn initials_of_names() {
        for (name, expected) in
            [("Ada Long", "AL"), ("ada", "a"), ("Ana de la Cruz", "AC"), ("  ", ""), ("(Bo) ßen", "Bß")]
        {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
