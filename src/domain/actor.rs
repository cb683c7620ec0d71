//! The actor: the person on whose behalf the server acts.

use super::{LinkId, Role, User, UserId};

/// The requesting person. Every read and write of customers' data takes one, and storage limits each query to this
/// person's permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// May see and do everything.
    Admin(User),
    /// Sees the conversations of the account, and those whose link was opened in this browser.
    Customer(User, Vec<LinkId>),
    /// Sees the conversations whose link was opened in this browser. A link counts only while it
    /// is neither revoked nor expired: storage checks that with each query.
    Guest(Vec<LinkId>),
}

impl Actor {
    /// The person of a browser with this account and these opened links; `None` with neither.
    #[must_use]
    pub fn of_browser(user: Option<User>, links: Vec<LinkId>) -> Option<Self> {
        match user {
            Some(user) if user.role == Role::Admin => Some(Self::Admin(user)),
            Some(user) => Some(Self::Customer(user, links)),
            None if links.is_empty() => None,
            None => Some(Self::Guest(links)),
        }
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Admin(_))
    }

    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Admin(user) | Self::Customer(user, _) => Some(user),
            Self::Guest(_) => None,
        }
    }

    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.user().map(|user| user.id)
    }

    /// The links that this person came by; empty for admins, who need none.
    #[must_use]
    pub fn links(&self) -> &[LinkId] {
        match self {
            Self::Admin(_) => &[],
            Self::Customer(_, links) | Self::Guest(links) => links,
        }
    }
}
