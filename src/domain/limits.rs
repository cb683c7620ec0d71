//! How much of everything one person may have or do.

/// How far lists that may be long are counted. A count that is as high means so many or more.
pub const MOST_COUNTED: i64 = 1_000;

/// The configurable limits. Each has a variable `BESPOKEN_LIMIT_…` of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sends, edits and deletes per 10 s for each sender.
    pub sends: u32,
    /// Sockets open at once for each person.
    pub connections: u32,
    /// Wrong links, sign-ins and tokens per minute for each address.
    pub link_guesses: u32,
    /// Characters of a message after trimming.
    pub message_chars: usize,
    /// Bytes of a WebSocket frame.
    pub frame_bytes: usize,
    /// Bytes of one attached file.
    pub attachment_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sends: 30,
            connections: 20,
            link_guesses: 30,
            message_chars: 8_000,
            frame_bytes: 65_536,
            attachment_bytes: 10_485_760,
        }
    }
}
