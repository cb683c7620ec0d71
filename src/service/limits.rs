//! How much of everything one person, one address and the whole server may have or do.
//!
//! Each limit is declared here only: its flag, its variable, its default and its help.

use clap::Args;

/// The configurable limits.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Sends, edits and deletes per 10 s for each sender
    #[arg(long = "limit-sends", env = "BESPOKEN_LIMIT_SENDS", default_value_t = Limits::DEFAULT.sends)]
    pub sends: u32,
    /// Sockets open at once for each person
    #[arg(long = "limit-connections", env = "BESPOKEN_LIMIT_CONNECTIONS", default_value_t = Limits::DEFAULT.connections)]
    pub connections: u32,
    /// Wrong links, sign-ins and tokens per minute for each address
    #[arg(long = "limit-link-guesses", env = "BESPOKEN_LIMIT_LINK_GUESSES", default_value_t = Limits::DEFAULT.link_guesses)]
    pub link_guesses: u32,
    /// Characters of a message after trimming
    #[arg(long = "limit-message-chars", env = "BESPOKEN_LIMIT_MESSAGE_CHARS", default_value_t = Limits::DEFAULT.message_chars)]
    pub message_chars: usize,
    /// Bytes of a WebSocket frame
    #[arg(long = "limit-frame-bytes", env = "BESPOKEN_LIMIT_FRAME_BYTES", default_value_t = Limits::DEFAULT.frame_bytes)]
    pub frame_bytes: usize,
    /// Bytes of one attached file
    #[arg(long = "limit-attachment-bytes", env = "BESPOKEN_LIMIT_ATTACHMENT_BYTES", default_value_t = Limits::DEFAULT.attachment_bytes)]
    pub attachment_bytes: usize,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        sends: 30,
        connections: 20,
        link_guesses: 30,
        message_chars: 8_000,
        frame_bytes: 65_536,
        attachment_bytes: 10_485_760,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
