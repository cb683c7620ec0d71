//! How long the body of a request may be.

/// Bytes of a request's body: a message of the longest kind, as a form encodes it, and some room.
pub(super) const BODY_BYTES: usize = 256 * 1024;
/// Bytes of a form without a long text, and of whatever somebody sends whom nobody knows: names, addresses and
/// passwords of the longest kind.
pub(super) const SHORT_BODY_BYTES: usize = 16 * 1024;
