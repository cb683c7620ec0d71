//! The texts in English. Sentences are short, and the reader is "you".

/// The frame around pages.
pub mod frame {
    pub const ACCOUNT: &str = "Account";
    pub const API_TOKENS: &str = "API tokens";
    pub const CHATS: &str = "Chats";
    pub const MY_ACCOUNT: &str = "My account";
    pub const PEOPLE: &str = "People";
    pub const PROFILE: &str = "Profile";
    pub const PROFILE_AND_SECURITY: &str = "Profile and security";
    pub const REGISTER: &str = "Register";
    pub const RELOAD: &str = "Reload";
    pub const REQUESTS: &str = "Requests";
    pub const SECURITY: &str = "Security";
    pub const SIGN_IN: &str = "Sign in";
    pub const SIGN_OUT: &str = "Sign out";
    pub const SIGNED_IN_AS: &str = "Signed in as ";
    pub const SKIP: &str = "Skip to the content";
    pub const SOMEBODY_ELSE: &str = "You are signed in as somebody else in this browser now. Reload to go on.";
    // What `ui/boot.js` says.
    pub const UPDATED: &str = "This site was updated while you had the page open.";
    pub const BROKEN: &str = "Something went wrong on this page.";
    pub const CUT_OFF: &str = "This page did not arrive in full.";
}

// ---- Islands and their components

// ---- Pages

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Please sign in.";
}
