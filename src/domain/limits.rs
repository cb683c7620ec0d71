//! How far lists are counted.

/// How far lists that may be long are counted. A count that is as high means so many or more.
pub const MOST_COUNTED: i64 = 1_000;

/// How far unread messages of all chats together are counted. A count that is as high means so many or more.
pub const MOST_UNREAD: i64 = 100;
