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

pub mod chat {
    pub const ABOUT: &str = "About this chat";

    pub fn and(first: &str, last: &str) -> String {
        format!("{first} and {last}")
    }

    pub fn are_here(names: &str) -> String {
        format!("{names} are here")
    }

    pub fn are_typing(names: &str) -> String {
        format!("{names} are typing…")
    }

    pub const BACK: &str = "Back to all chats";
    pub const CANCEL: &str = "Cancel";

    pub fn chat_with(name: &str) -> String {
        format!("Chat with {name}")
    }

    pub const CHOOSE: &str = "Choose a chat";
    pub const CHOOSE_HELP: &str = "Or open a new one: you get a link to send to your customer.";
    pub const CLOSE: &str = "Close";
    pub const CLOSED: &str = "This chat was closed.";

    pub fn closed_by(day: &str, name: &str) -> String {
        format!("This chat was closed on {day} by {name}.")
    }

    pub fn closed_on(day: &str) -> String {
        format!("This chat was closed on {day}.")
    }

    pub const CLOSE_PANEL: &str = "Close the chat panel";
    pub const CONNECTING: &str = "Connecting…";
    pub const DELETE: &str = "Delete";
    pub const DELETED: &str = "Message deleted";
    pub const EARLIER: &str = "Earlier messages";
    pub const EDIT: &str = "Edit";
    pub const EDITED: &str = "edited";
    pub const EDIT_HINT: &str = "Esc to cancel";
    pub const EDIT_KEPT: &str = "That message can’t be changed any more. What you wrote is kept as a draft.";
    pub const EDIT_MESSAGE: &str = "Edit message";
    pub const EDIT_OFFLINE: &str = "Messages can be changed when the connection is back.";
    pub const ENDED: &str = "Ended";
    pub const FILES: &str = "Files";
    pub const FILES_HELP: &str = "Ten at most. Pictures show in the chat, everything else can be saved.";
    pub const GONE_ACCOUNT: &str = "You were signed out. Please sign in again.";
    pub const GONE_GUEST: &str = "This chat is not open in this browser any more. Open its link again; if that leads nowhere, ask for a new one.";

    pub fn is_here(names: &str) -> String {
        format!("{names} is here")
    }

    pub fn is_typing(names: &str) -> String {
        format!("{names} is typing…")
    }

    pub const KEYS: &str = "Enter to send, Shift + Enter for a new line";

    pub fn last_here(when: &str) -> String {
        format!("Last here {when}")
    }

    pub const LIVE: &str = "Live";
    pub const LIVE_SLOW: &str = "Live (slow)";
    pub const LOADING: &str = "Loading the chat…";
    pub const LOADING_EARLIER: &str = "Loading earlier messages…";
    pub const MESSAGE: &str = "Message";
    pub const MESSAGES: &str = "Messages";

    pub fn message_to(name: &str) -> String {
        format!("Message to {name}")
    }

    pub const NEW: &str = "New";
    pub const NOT_SENT: &str = "Not sent.";
    pub const OFFLINE: &str = "Offline";
    pub const OPTIONAL: &str = "optional";
    pub const OPTIONS: &str = "Message options";
    pub const PAUSED: &str = "Paused";
    pub const RECONNECTING: &str = "Reconnecting…";
    pub const REOPEN: &str = "Reopen";
    pub const RETRY: &str = "Retry";
    pub const SAVE: &str = "Save";

    pub fn seen(when: &str) -> String {
        format!("Seen {when}")
    }

    pub const SEND: &str = "Send";
    pub const SEND_FILES: &str = "Send files";
    pub const SENDING: &str = "Sending…";
    pub const SENT: &str = "Sent";

    pub fn sent_as_soon(count: usize) -> String {
        match count {
            1 => "1 message will be sent as soon as it can.".to_owned(),
            _ => format!("{count} messages will be sent as soon as it can."),
        }
    }

    pub fn sent_in_a_moment(count: usize) -> String {
        match count {
            1 => "1 message will be sent in a moment.".to_owned(),
            _ => format!("{count} messages will be sent in a moment."),
        }
    }

    pub fn sent_when_back(count: usize) -> String {
        match count {
            1 => "1 message will be sent when you are back.".to_owned(),
            _ => format!("{count} messages will be sent when you are back."),
        }
    }

    pub fn sent_when_signed_in(count: usize) -> String {
        match count {
            1 => "1 message will be sent when you have signed in again.".to_owned(),
            _ => format!("{count} messages will be sent when you have signed in again."),
        }
    }

    pub fn start(name: &str) -> String {
        format!("Only you and {name} can read this chat. It is kept after it is closed.")
    }

    pub fn start_admin(name: &str) -> String {
        format!("Only you, your colleagues and {name} can read this chat. It is kept after it is closed.")
    }

    pub fn to_latest(new: usize) -> String {
        match new {
            0 => "Go to the latest message".to_owned(),
            _ => format!("Go to the latest message, {new} new"),
        }
    }

    pub const TOO_LONG: &str = "It is too long. Please send it in parts.";
    pub const TRY_AGAIN: &str = "Try again";
    pub const UNKEPT: &str =
        "Your messages could not be kept in this browser. Keep this page open until they are sent.";
    pub const WRITE: &str = "Write a message";
    pub const WRONG_CROWDED: &str = "You have this site open in many windows. This one hears of news a little later.";
    pub const WRONG_ESTRANGED: &str = "Nothing is sent from here now.";
    pub const WRONG_FAST: &str = "You write faster than the server takes it.";
    pub const WRONG_LOST: &str = "The connection is lost. Trying to get it back.";
    pub const WRONG_OFFLINE: &str = "You are offline.";
    pub const WRONG_SERVER: &str = "The server cannot take messages right now.";
    pub const YOU: &str = "You";
}

pub mod desk {
    pub const ABOUT: &str = "About";
    pub const CHATS: &str = "Chats";
    pub const CHAT_WITH: &str = "Chat with";
    pub const CLOSE_CHAT: &str = "Close chat";
    pub const CLOSED: &str = "Closed";
    pub const CLOSED_HELP: &str = "This chat can be read, but not written to.";
    pub const CLOSE_HELP: &str = "A closed chat can be read, but not written to. You can reopen it.";
    pub const COPIED: &str = "Copied";
    pub const COPIED_SEND_TO: &str = "The link is copied. Send it to";
    pub const COPY: &str = "Copy";
    pub const COPY_KEYS: &str = "Press Ctrl + C";
    pub const COPY_LINK: &str = "Copy link";
    pub const COPY_SEND_TO: &str = "Copy this link and send it to";
    pub const CUSTOMER: &str = "Customer";
    pub const CUSTOMER_NAME: &str = "Customer’s name";
    pub const EMAIL: &str = "E-mail";
    pub const FIRST_MESSAGE: &str = "First message";
    pub const FOUND_FULL: &str = "These are the latest messages. More words find fewer.";
    pub const GO_TO_CHAT: &str = "Go to the chat";
    pub const HERE_NOW: &str = ", here now";
    pub const IS_OPEN: &str = "is open";
    pub const LINK: &str = "Link";
    pub const LINK_HELP: &str = "This link lets people read and write here. A new link ends this one.";
    pub const LINK_LABEL: &str = "Link to this chat";
    pub const LINK_NONE: &str = "There is no link to this chat now. Only you and your colleagues can open it.";
    pub const LINK_WARNING: &str = ": the link lets people read and write in this chat.";
    pub const MAKE_LINK: &str = "Make a link";
    pub const MESSAGES: &str = "Messages";
    pub const MORE: &str = "More";
    pub const NEW_CHAT: &str = "New chat";
    pub const NEW_LINK: &str = "New link";
    pub const NO_CLOSED: &str = "No closed chats. One that you close can be read here.";
    pub const NO_MESSAGES: &str = "No messages yet";
    pub const NO_OPEN: &str = "No open chats. A new one starts with a link that you send.";
    pub const NOTHING_FOUND: &str = "Nothing found for";
    pub const OPEN: &str = "Open";
    pub const OPEN_CHAT: &str = "Open chat";
    pub const OPEN_CHATS: &str = "Open chats";
    pub const OPENED: &str = "Opened";
    pub const REOPEN_CHAT: &str = "Reopen chat";
    pub const REVOKE_LINK: &str = "Revoke link";
    pub const SAVE_TRANSCRIPT: &str = "Save transcript";
    pub const SEARCH: &str = "Search";
    pub const SEARCH_LABEL: &str = "Search chats and messages";
    pub const SHOW_ALL: &str = "Show all";
    pub const SHOW_REQUEST: &str = "Show the request";
    pub const STATUS: &str = "Status";
    pub const TRANSCRIPT: &str = "Transcript";
    pub const TRANSCRIPT_HELP: &str = "Every message of this chat, in a file to keep or to print.";

    pub fn unread(count: i64) -> String {
        match count {
            1 => "1 unread message".to_owned(),
            _ => format!("{count} unread messages"),
        }
    }

    pub const WHICH: &str = "Which chats";
}

pub mod requests {
    pub const ABOUT: &str = "About this request";
    pub const ALL: &str = "All";

    pub fn amount(number: &str, currency: &str) -> String {
        format!("{number} {currency}")
    }

    pub const BUDGET: &str = "Budget";
    pub const BY: &str = "by";
    pub const CAPTION: &str = "Custom requests";
    pub const CHAT: &str = "Chat";
    pub const CHAT_WITH_ADMIN: &str = "Chat with Admin";
    pub const CHAT_WITH_CUSTOMER: &str = "Chat with the customer";
    pub const CLOSED: &str = "Closed";
    pub const CUSTOMER: &str = "Customer";
    pub const LAST_ACTIVITY: &str = "Last activity";
    pub const LIST_EMPTY_AFTER: &str = "to make will be listed here, with a chat about each.";
    pub const LIST_EMPTY_BEFORE: &str = "What you ask";
    pub const MAKE: &str = "Make a request";
    pub const MORE: &str = "More";
    pub const NEW: &str = "New request";
    pub const NO_MATCH: &str = "No requests match this search.";
    pub const ORDER_ACTIVITY: &str = "Latest activity";
    pub const ORDER_NEWEST: &str = "Newest";
    pub const ORDER_TITLE: &str = "Title";
    pub const ORDER_WANTED: &str = "Wanted soonest";
    pub const OTHER_CHATS: &str = "Other chats";
    pub const REQUEST: &str = "Request";
    pub const SENT: &str = "Sent";
    pub const SET: &str = "Set";
    pub const SHOW_ALL: &str = "Show all requests";
    pub const STATUS: &str = "Status";
    pub const STATUS_OF: &str = "Status of";
    pub const TABLE_EMPTY: &str = "What customers ask for will be listed here. They make a request from their account.";

    pub fn unread(count: i64) -> String {
        format!(", {count} unread")
    }

    pub const WANTED_BY: &str = "Wanted by";
    pub const WHICH: &str = "Which requests";
}

pub mod time {

    pub fn at(day: &str, clock: &str) -> String {
        format!("{day}, {clock}")
    }

    pub fn hours_ago(hours: i64) -> String {
        format!("{hours} h ago")
    }

    pub const JUST_NOW: &str = "just now";

    pub fn minutes_ago(minutes: i64) -> String {
        format!("{minutes} min ago")
    }

    pub const TODAY: &str = "Today";
    pub const UTC: &str = "UTC";
    pub const YESTERDAY: &str = "Yesterday";
}

// ---- Pages

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Please sign in.";
}
