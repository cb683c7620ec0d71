//! Size limits for request bodies.

/// Bytes of a request's body: fits a form with the longest message.
pub(super) const BODY_BYTES: usize = 256 * 1024;
/// Bytes of an anonymous request's body, or of a form without a long text: fits the longest names, addresses and
/// passwords.
pub(super) const SHORT_BODY_BYTES: usize = 16 * 1024;
