//! How far lists are counted.

/// How far lists that may be long are counted. A count that is as high means so many or more.
pub const MOST_COUNTED: i64 = 1_000;
