//! Limits per person, per address and for the whole server.
//!
//! Each limit is declared here only: its flag, its variable, its default and its help.

use clap::Args;

/// The configurable limits.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Sends, edits and deletes per 10 s for each sender
    #[arg(long = "limit-sends", env = "BESPOKEN_LIMIT_SENDS", default_value_t = 30)]
    pub sends: u32,
    /// Sockets open at once for each person
    #[arg(long = "limit-connections", env = "BESPOKEN_LIMIT_CONNECTIONS", default_value_t = 20)]
    pub connections: u32,
    /// Wrong links, sign-ins and tokens per minute for each address
    #[arg(long = "limit-link-guesses", env = "BESPOKEN_LIMIT_LINK_GUESSES", default_value_t = 30)]
    pub link_guesses: u32,
    /// Characters of a message after trimming
    #[arg(long = "limit-message-chars", env = "BESPOKEN_LIMIT_MESSAGE_CHARS", default_value_t = 8_000)]
    pub message_chars: usize,
    /// Bytes of a WebSocket frame
    #[arg(long = "limit-frame-bytes", env = "BESPOKEN_LIMIT_FRAME_BYTES", default_value_t = 65_536)]
    pub frame_bytes: usize,
    /// Bytes of one attached file
    #[arg(long = "limit-attachment-bytes", env = "BESPOKEN_LIMIT_ATTACHMENT_BYTES", default_value_t = 10_485_760)]
    pub attachment_bytes: usize,
    /// TCP connections at once from each network: an IPv4 address, or a /64 of IPv6
    #[arg(long = "limit-network-connections", env = "BESPOKEN_LIMIT_NETWORK_CONNECTIONS", default_value_t = 512)]
    pub network_connections: u32,
    /// TCP connections at once in all; 0: as many as the system's limit on open files permits
    #[arg(long = "limit-tcp-connections", env = "BESPOKEN_LIMIT_TCP_CONNECTIONS", default_value_t = 0)]
    pub tcp_connections: u32,
    // 1,200 for each person, which suffices for a program with 100 rooms that has missed a day.
    /// Joins, leaves, receipts and requests to follow per 10 s for each socket that a person may have open
    #[arg(long = "limit-asks", env = "BESPOKEN_LIMIT_ASKS", default_value_t = 60)]
    pub asks: u32,
    /// Invalid frames per 10 s for each socket; one more closes it
    #[arg(long = "limit-invalid-frames", env = "BESPOKEN_LIMIT_INVALID_FRAMES", default_value_t = 50)]
    pub invalid_frames: u32,
    /// Uploads at once for each person
    #[arg(long = "limit-uploads", env = "BESPOKEN_LIMIT_UPLOADS", default_value_t = 5)]
    pub uploads: u32,
    /// Uploads at once from each network
    #[arg(long = "limit-uploads-network", env = "BESPOKEN_LIMIT_UPLOADS_NETWORK", default_value_t = 20)]
    pub uploads_network: u32,
    /// Uploads at once in all
    #[arg(long = "limit-uploads-total", env = "BESPOKEN_LIMIT_UPLOADS_TOTAL", default_value_t = 100)]
    pub uploads_total: u32,
    /// Bytes of the files that one person adds within a day; an admin ten times as many
    #[arg(long = "limit-person-bytes", env = "BESPOKEN_LIMIT_PERSON_BYTES", default_value_t = 209_715_200)]
    pub person_bytes: u64,
    /// Bytes of all files of one conversation
    #[arg(
        long = "limit-conversation-bytes",
        env = "BESPOKEN_LIMIT_CONVERSATION_BYTES",
        default_value_t = 1_073_741_824
    )]
    pub conversation_bytes: u64,
    /// Bytes of all files; 0: any number
    #[arg(long = "limit-stored-bytes", env = "BESPOKEN_LIMIT_STORED_BYTES", default_value_t = 0)]
    pub stored_bytes: u64,
    /// Bytes of the disk that files leave free; 0: none
    #[arg(long = "limit-free-bytes", env = "BESPOKEN_LIMIT_FREE_BYTES", default_value_t = 536_870_912)]
    pub free_bytes: u64,
    /// Accounts that one network registers per hour; a taken address counts
    #[arg(long = "limit-accounts", env = "BESPOKEN_LIMIT_ACCOUNTS", default_value_t = 10)]
    pub accounts: u32,
    /// Accounts registered per hour in all
    #[arg(long = "limit-accounts-total", env = "BESPOKEN_LIMIT_ACCOUNTS_TOTAL", default_value_t = 500)]
    pub accounts_total: u32,
    /// Wrong passwords per hour for one account, from all networks together
    #[arg(long = "limit-account-guesses", env = "BESPOKEN_LIMIT_ACCOUNT_GUESSES", default_value_t = 20)]
    pub account_guesses: u32,
    /// E-mails per hour to one mailbox, and because of one account
    #[arg(long = "limit-mails", env = "BESPOKEN_LIMIT_MAILS", default_value_t = 5)]
    pub mails: u32,
    /// E-mails per hour that one network requests
    #[arg(long = "limit-mails-asked", env = "BESPOKEN_LIMIT_MAILS_ASKED", default_value_t = 20)]
    pub mails_asked: u32,
    /// E-mails per hour in all
    #[arg(long = "limit-mails-total", env = "BESPOKEN_LIMIT_MAILS_TOTAL", default_value_t = 1_000)]
    pub mails_total: u32,
    /// Browsers that one person has notified
    #[arg(long = "limit-push-subscriptions", env = "BESPOKEN_LIMIT_PUSH_SUBSCRIPTIONS", default_value_t = 10)]
    pub push_subscriptions: u32,
    /// Custom requests that one customer makes per hour
    #[arg(long = "limit-requests", env = "BESPOKEN_LIMIT_REQUESTS", default_value_t = 20)]
    pub requests: u32,
    /// Custom requests of one customer that are new or in progress at once
    #[arg(long = "limit-open-requests", env = "BESPOKEN_LIMIT_OPEN_REQUESTS", default_value_t = 100)]
    pub open_requests: u32,
    /// Chats and custom requests that one admin and their API tokens open per hour
    #[arg(long = "limit-chats", env = "BESPOKEN_LIMIT_CHATS", default_value_t = 1_000)]
    pub chats: u32,
}

/// Files reserved for other uses than connections: a fraction of all, within bounds.
const LEFT_PART: u64 = 4;
const LEFT: std::ops::RangeInclusive<u64> = 64..=1_024;

impl Limits {
    /// The effective limit of TCP connections in total.
    #[must_use]
    pub fn most_connections(&self) -> usize {
        match (self.tcp_connections, open_files()) {
            (0, Some(files)) => connections_within(files),
            (0, None) => usize::MAX,
            (most, _) => most as usize,
        }
    }
}

/// The number of connections for a limit of open files.
fn connections_within(files: u64) -> usize {
    let left = (files / LEFT_PART).clamp(*LEFT.start(), *LEFT.end()).min(files / 2);
    usize::try_from(files - left).unwrap_or(usize::MAX).max(1)
}

/// Raises this process's limit of open files to the system's maximum, as each connection needs one.
#[cfg(unix)]
pub fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Some systems reject their own hard limit; then the limit stays unchanged.
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
}

#[cfg(unix)]
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
pub fn allow_open_files() {}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

impl Default for Limits {
    fn default() -> Self {
        super::defaults()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        for (files, connections) in [(64, 32), (256, 192), (1_024, 768), (524_288, 523_264), (1, 1)] {
            assert_eq!(connections_within(files), connections, "{files}");
        }
    }
}
