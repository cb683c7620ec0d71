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
    pub const SEALED_MESSAGE: &str = "Sealed message";
    pub const SUGGESTIONS: &str = "Begin with one of these sentences:";
    pub const COMMENT: &str = "Comment (optional)";
    pub const MAIL_TRANSCRIPT: &str = "E-mail me the transcript";
    pub const MAILED: &str = "The transcript is on its way to your e-mail address.";
    pub const RATE: &str = "How was this chat?";
    pub const RATED: &str = "Thank you for your rating.";

    pub fn score(value: i64) -> String {
        format!("{value} of 5 stars")
    }

    pub const REPLY: &str = "Reply";
    pub const NO_REPLY: &str = "Do not reply to this message";
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
    pub const NOTIFY: &str = "Notify me";
    pub const NOTIFY_BLOCKED: &str =
        "Your browser does not allow notifications from this site. Allow them in its settings for this page.";
    pub const NOTIFY_FAILED: &str = "Notifications could not be switched. Try again in a moment.";
    pub const NOT_SENT: &str = "Not sent.";
    pub const OFFLINE: &str = "Offline";
    pub const OPTIONS: &str = "Message options";
    pub const PAUSED: &str = "Paused";
    pub const RECONNECTING: &str = "Reconnecting…";
    pub const REOPEN: &str = "Reopen";
    pub const RETRY: &str = "Retry";

    pub fn seen(when: &str) -> String {
        format!("Seen {when}")
    }

    pub const SEND: &str = "Send";
    pub fn megabytes(whole: &str, tenths: &str) -> String {
        [whole, ".", tenths, " MB"].concat()
    }

    pub const LARGER: &str = "Larger";
    pub const NEXT: &str = "Next picture";
    pub const PREVIOUS: &str = "Previous picture";
    pub const SAVE_PICTURE: &str = "Save the picture";
    pub const SMALLER: &str = "Smaller";
    pub const FILE_LOST: &str = "This file is no longer here. Please choose it again.";
    pub const FILE_READY: &str = "Ready to send";
    pub const FILE_WAITS: &str = "Waiting";

    pub fn remove_file(name: &str) -> String {
        format!("Remove {name}")
    }

    pub const SENDING_FILES: &str = "This message will be sent when its files are uploaded.";

    pub fn uploading(percent: u8) -> String {
        format!("Uploading… {percent} %")
    }

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

    pub fn to_latest(new: i64) -> String {
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

/// When to expect an answer. The server writes these sentences.
pub mod answers {
    pub const DAY: &str = "a day";
    pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    pub const FEW_HOURS: &str = "a few hours";
    pub const FEW_MINUTES: &str = "a few minutes";
    pub const HOUR: &str = "an hour";
    pub const TEN_MINUTES: &str = "10 minutes";
    pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    pub fn again_at(clock: &str) -> String {
        format!("again at {clock}")
    }

    pub fn again_on(day: &str, clock: &str) -> String {
        format!("again on {day} at {clock}")
    }

    pub fn hours(hours: &str) -> String {
        format!("We answer {hours}")
    }

    pub fn hours_again(hours: &str, again: &str) -> String {
        format!("We answer {hours}, {again}")
    }

    pub fn until(clock: &str) -> String {
        format!("We answer until {clock}")
    }

    pub fn within(time: &str) -> String {
        format!("Usually answers within {time}")
    }

    pub fn zone(place: &str) -> String {
        format!("({place} time)")
    }
}

pub mod desk {
    pub const RATING: &str = "Rating";
    pub const ABOUT: &str = "About";
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
    pub const SEARCH_LABEL: &str = "Search chats and messages";
    pub const SHOW_ALL: &str = "Show all";
    pub const SHOW_REQUEST: &str = "Show the request";
    pub const STATUS: &str = "Status";
    pub const TRANSCRIPT: &str = "Transcript";
    pub const TRANSCRIPT_HELP: &str = "Every message of this chat, in a file to keep or to print.";

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

    pub const EDITED: &str = "Edited";
    pub const FILES: &str = "Files";
    pub const IN_CHAT: &str = "Show in the chat";
    pub const SHOW_NEW_TEXT: &str = "Show the new text";
    pub const WITHDRAWN: &str = "Withdrawn";
    pub const WANTED_BY: &str = "Wanted by";
    pub const WHICH: &str = "Which requests";
}

pub mod time {
    pub const ALL_UTC: &str = "All times are in UTC.";

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

pub mod account {
    pub const THIS_BROWSER_ONLY: &str =
        "The chats that you opened in this browser. With an account you find them everywhere.";
    pub const YOUR_CHATS: &str = "Your chats";
    pub const CHANGE_PASSWORD: &str = "Change the password";
    pub const CHANGE_PASSWORD_TITLE: &str = "Change your password";
    pub const CONFIRMED: &str = "Your e-mail address is confirmed.";
    pub const CURRENT_PASSWORD: &str = "Current password";
    pub const LINK_SENT: &str = "We have sent you a link. Open it in this browser to confirm the address.";
    pub const NO_MAIL: &str = "No e-mail?";
    pub const PARTS: &str = "Parts of the account";
    pub const PASSWORD_CHANGED: &str = "Your password is changed. You are signed out everywhere else.";
    pub const PASSWORD_HELP: &str = "Only needed to change the e-mail address. We send a link to the new address. \
         The new address counts when you open that link.";
    pub const PROFILE_SAVED: &str = "Your profile is saved.";
    pub const SEND_AGAIN: &str = "Send the link again";
    pub const SESSIONS: &str = "Your sessions";
    pub const THIS_BROWSER: &str = "This browser";
    pub const UNKNOWN_BROWSER: &str = "An unknown browser";

    /// Such as "Firefox on Linux".
    pub fn browser_on_system(browser: &str, system: &str) -> String {
        format!("{browser} on {system}")
    }

    /// Before the time, such as "5 min ago".
    pub fn since_and_last_seen(date: &str) -> String {
        format!("Since {date}, last seen ")
    }

    pub fn sign_out_of(browser: &str) -> String {
        format!("Sign out {browser}")
    }

    /// Before [`NO_MAIL`], which leads to more about it.
    pub fn unconfirmed(email: &str) -> String {
        format!("{email} is not confirmed yet. Please open the link that we have sent there. ")
    }

    pub fn unconfirmed_in_full(email: &str) -> String {
        format!(
            "{email} is not confirmed yet. Until you confirm it, we send only the link to confirm it there. \
             We do not even send a link for a new password."
        )
    }
}

pub mod chat_button {
    /// Before the title of the request.
    pub const ABOUT: &str = " about ";
    pub const CHAT: &str = "Chat";
}

pub mod confirm {
    pub const CONFIRM: &str = "Yes, confirm it";
    pub const CONFIRM_AND_SIGN_IN: &str = "Confirm and sign in";
    pub const NOTE: &str = "You can use the password that you chose when you registered. You will be signed in here, \
         and signed out everywhere else. Did you not register? Then somebody else entered your address, \
         and you do not need to do anything.";
    pub const SIGN_IN_FIRST: &str = "Sign in first";
    pub const TITLE: &str = "Confirm your address";

    pub fn choose_password(email: &str) -> String {
        format!("There is an account with {email}. To confirm that it is yours, choose its password.")
    }

    pub fn is_it_yours(email: &str) -> String {
        format!("Is {email} your e-mail address?")
    }

    pub fn sign_in_to_confirm(email: &str) -> String {
        format!(
            "Somebody entered {email} as the new address of an account. \
             If it is your account, sign in to it in this browser and open the link again."
        )
    }
}

pub mod dashboard {
    pub const OPEN_CHAT: &str = "Open chat";
    pub const YOU_GET_A_LINK: &str =
        "You get a link. Anyone who opens it can write to you at once, without an account.";
}

pub mod forgot {
    pub const BACK: &str = "Back to sign in";
    pub const CHOOSE: &str = "Choose a new password";
    pub const NOTHING_ARRIVED: &str = "Did you not get an e-mail? Look in your spam folder, or contact us directly.";
    pub const SAVE: &str = "Save and sign in";
    pub const SEND: &str = "Send me the link";
    pub const SENT: &str = "Look into your mailbox";
    pub const SIGNED_OUT_ELSEWHERE: &str = "You will be signed in here, and signed out everywhere else.";
    pub const TITLE: &str = "Forgot your password?";
    pub const WE_SEND_A_LINK: &str = "We send you a link. You can choose a new password with it.";

    pub fn on_its_way(email: &str) -> String {
        format!("If {email} has an account here, we have sent a link for a new password to it. It works for two hours.")
    }
}

/// Words that several forms share.
pub mod form {
    pub const CANCEL: &str = "Cancel";
    pub const CREATE_ACCOUNT: &str = "Create the account";
    pub const EMAIL: &str = "E-mail";
    pub const NEW_PASSWORD: &str = "New password";
    pub const OPTIONAL: &str = "optional";
    pub const PASSWORD: &str = "Password";
    pub const PASSWORD_HELP: &str = "At least 10 characters. A few words in a row are easy to remember.";
    pub const SAVE: &str = "Save";
    pub const SEARCH: &str = "Search";
    pub const YOUR_NAME: &str = "Your name";
}

pub mod guest_chat {
    pub const TITLE: &str = "Chat";
}

pub mod home {
    pub const GO_TO_CHATS: &str = "Go to the chats";
    pub const GO_TO_REQUESTS: &str = "Go to your requests";
    pub const GOT_A_LINK: &str = "Did you get a link? Just open it. You need no account.";
    pub const SAMPLE: &str = "Example of a chat";
    pub const SAMPLE_ANSWER: &str = "Yes. I am changing the drawing.";
    pub const SAMPLE_NEWS: &str = "The boards are here. The grain runs the long way, as you wanted.";
    pub const SAMPLE_QUESTION: &str = "Could the lowest shelf be 2 cm deeper?";
    pub const TITLE: &str = "Made to order, talked over.";

    pub fn lead(business: &str) -> String {
        format!(
            "{business} and its customers agree here on the details of an order, and follow it until it is done. \
             The people who make the product answer the messages."
        )
    }
}

pub mod invite {
    pub const HAVE_AN_ACCOUNT: &str =
        "Do you have an account already? Then ask an admin to change its role under People.";
    pub const LEAD: &str = "You were invited as an admin. This account can see and answer all chats.";
    pub const TITLE: &str = "Join";

    pub fn join(business: &str) -> String {
        format!("Join {business}")
    }
}

pub mod login {

    pub fn got_a_link(business: &str) -> String {
        format!("Did {business} send you a link? Open it again. You need no password.")
    }
}

pub mod logout {
    pub const SIGNED_OUT: &str = "You are signed out";
    pub const STAY: &str = "Stay signed in";
    pub const TITLE: &str = "Sign out?";

    pub fn signed_in_as(name: &str) -> String {
        format!("You are signed in as {name}.")
    }
}

/// Of forms that make an admin's account.
pub mod new_admin {
    pub const NAME_HELP: &str = "Customers see it beside your messages.";
}

/// In the place of erased names and texts.
pub mod erased {
    pub const CUSTOMER: &str = "Former customer";
    pub const REMOVED: &str = "Removed";
}

pub mod people {
    pub const ACCOUNTS: &str = "Accounts";
    pub const ADMIN: &str = "Admin";
    pub const INVITE: &str = "Invite an admin";
    pub const INVITE_HELP: &str =
        "You get a link that works once, within 7 days. The person who opens it can see and answer all chats.";
    pub const LINK: &str = "Link of the invitation";
    pub const MADE: &str = "This link is shown only now. Send it to the person whom you invite.";
    pub const MAKE_ADMIN: &str = "Make an admin";
    pub const MAKE_CUSTOMER: &str = "Make a customer";
    pub const MAKE_INVITATION: &str = "Make an invitation";
    pub const NAME_OR_EMAIL: &str = "Name or e-mail";
    pub const SEARCH: &str = "Search people";
    pub const UNCONFIRMED: &str = "Address not confirmed";
    pub const WITHDRAW: &str = "Withdraw";
    pub const YOU: &str = "You";

    pub fn email_and_since(email: &str, date: &str) -> String {
        format!("{email}, since {date}")
    }

    pub fn invitation(invited_by: &str, until: &str) -> String {
        format!("Invitation by {invited_by}, until {until}")
    }

    pub fn make_admin_of(name: &str) -> String {
        format!("Make an admin: {name}")
    }

    pub fn make_customer_of(name: &str) -> String {
        format!("Make a customer: {name}")
    }
}

pub mod problem_page {
    pub const ALLOW_COOKIES: &str = "If the link leads here, your browser may not have kept the cookie that this site \
         needs. Allow cookies for this site, and open the link again.";
    pub const BACK_TO_CHATS: &str = "Back to the chats";
    pub const BACK_TO_START: &str = "Back to the start";
    pub const BACK_TO_YOUR_CHATS: &str = "Back to your chats";
    pub const GONE: &str = "This address is wrong, or the page was removed.";
    pub const GOT_A_LINK: &str = "Did you get a link to a chat?";
    pub const LINK_REPLACED: &str = "The link may have been replaced. Ask for a new one.";
    pub const NOTHING_HERE: &str = "There is nothing here";
    pub const OPEN_AGAIN: &str = "Open that link again. An address from another browser does not work. \
         A chat opens only in the browser in which you opened its link.";
    pub const YOUR_TEXT: &str = "Your text";
}

pub mod reference {
    /// Before the type of a call's body.
    pub const BODY: &str = "Body: ";
    pub const OPENAPI: &str = "OpenAPI description for tools";
    /// Before the path that all addresses begin with.
    pub const PREFIX: &str = "All addresses begin with ";
    pub const TITLE: &str = "API";
    pub const TYPES: &str = "Types";
}

pub mod register {
    pub const ALREADY_REGISTERED: &str = "Are you registered already?";
    pub const CHATS_COME_ALONG: &str = "Chats that you opened by a link in this browser will be in your account too.";

    pub fn lead(business: &str) -> String {
        format!("With an account you can send requests to {business}, and follow their progress.")
    }
}

pub mod request_pages {
    pub const ALL_REQUESTS: &str = "All requests";
    pub const DESCRIPTION: &str = "Describe it";
    pub const DESCRIPTION_HELP: &str = "Size, material, purpose, and everything else that matters to you.";
    pub const ADD_FILES: &str = "Add files";
    pub const EDIT: &str = "Edit";
    pub const EDIT_TITLE: &str = "Edit your request";
    pub const FILES: &str = "Pictures and drawings";
    pub const FILES_HELP: &str = "Ten at most at once. Photographs lose their place and other hidden data.";
    pub const SAVE: &str = "Save";
    pub const WITHDRAW: &str = "Withdraw";
    pub const WITHDRAW_HELP: &str = "A withdrawn request is declined. Its text and its chat stay.";
    pub const WITHDRAW_NOW: &str = "Withdraw the request";
    pub const MY_REQUESTS: &str = "My requests";
    pub const NEW_TITLE: &str = "What would you like to have made?";
    pub const SEARCH: &str = "Search requests";
    pub const SEND: &str = "Send the request";
    pub const SHOW: &str = "Show";
    pub const SORT_BY: &str = "Sort by";
    pub const TITLE: &str = "What is it?";
    pub const TITLE_HELP: &str = "A few words, such as “Oak table for a bay window”.";

    pub fn budget_help(currency: &str) -> String {
        format!("In {currency}. A rough figure is fine.")
    }

    pub fn lead(business: &str) -> String {
        format!("{business} will answer you in a chat about the request.")
    }
}

pub mod settings {
    pub const DONE: &str = "The settings are saved.";
    pub const CLOSED_DAYS: &str = "Closed days";
    pub const CLOSED_DAYS_HELP: &str = "Such as holidays: one day on each line, like 2026-12-24, or the first and the last \
         day, like 2026-12-24 – 2027-01-02.";
    pub const CLOSES: &str = "to";
    pub const HOURS: &str = "Opening hours";
    pub const HOURS_HELP: &str = "Outside of them, customers see when you answer again, on their own clock. Leave a day \
         empty on which you do not answer, and all days if you have no fixed hours.";
    pub const OPENS: &str = "from";
    pub const ZONE: &str = "Time zone of the hours";
    pub const ZONE_HELP: &str = "The name of the zone, such as Europe/Berlin.";
    pub const IDLE_DAYS: &str = "Close silent chats after … days";
    pub const IDLE_DAYS_HELP: &str = "For chats by link in which you wrote last. A line in the chat warns a day before. \
         Empty: chats stay open.";
    pub const LANGUAGE: &str = "Language";
    pub const LANGUAGE_DEFAULT: &str = "As the server is started";
    pub const LANGUAGE_HELP: &str = "For people whose browser requests neither English nor German.";
    pub const LEAD: &str = "What your customers see, and how chats end. Changes apply at once.";
    pub const NAME: &str = "Name of the business";
    pub const NAME_HELP: &str = "On every page and in every e-mail. Empty: the name with which the server is started.";
    pub const PRIVACY: &str = "Privacy note";
    pub const PRIVACY_HELP: &str = "What you do with personal data. It appears at the start of each chat.";
    pub const REOPENS: &str = "A customer who writes in a closed chat reopens it.";
    pub const RETENTION_DAYS: &str = "Erase old chats after … days";
    pub const RETENTION_DAYS_HELP: &str = "Days without activity. It applies to chats, and to requests that are done or \
         declined. 0: never. Empty: as the server is started.";
    pub const SUGGESTIONS: &str = "Suggested first sentences";
    pub const TITLE: &str = "Settings";
    pub const WELCOME: &str = "Welcome text";
    pub const WELCOME_HELP: &str = "At the start of each chat, for your customers.";

    pub fn suggestions_help(most: usize) -> String {
        format!("Up to {most}, one on each line. A customer sends one with a click, while the chat is empty.")
    }
}

pub mod setup {
    pub const LEAD: &str = "You are the first here. This account can see and answer all chats.";
    pub const TITLE: &str = "Set up";
}

pub mod tokens {
    pub const API_REFERENCE: &str = "API reference";
    pub const LEAD: &str = "A program that has a token can do everything that you can do. ";
    pub const MADE: &str = "This token is shown only now. Copy it into the program that uses it.";
    pub const MAKE: &str = "Make a token";
    pub const NAME: &str = "What is it for?";
    pub const NAME_HELP: &str = "A few words that tell you later which token this is.";
    pub const NEW: &str = "The new token";
    pub const REVOKE: &str = "Revoke";
    pub const UNNAMED: &str = "Without a name";

    pub fn acts_as(user: &str, date: &str) -> String {
        format!("Acts as {user}, since {date}")
    }

    pub fn revoke(name: &str) -> String {
        format!("Revoke {name}")
    }
}

pub mod unsubscribe {
    pub const DONE: &str = "No more e-mails";
    pub const DONE_HELP: &str = "You get no more e-mails about this chat. Its messages stay where they are.";
    pub const HELP: &str = "We send you an e-mail when messages in this chat wait for you.";
    pub const STOP: &str = "Send no more e-mails";
    pub const TITLE: &str = "E-mails about your chat";
}

// ---- Refusals, e-mails and documents

/// For programs that use the REST API, the socket or HTTP itself.
pub mod api {
    pub const BODY_TOO_LARGE: &str = "The body is too large.";
    pub const CURSOR: &str = "This cursor does not come from this server.";
    pub const EITHER_SEQ_OR_REV: &str = "Give either before_seq or after_rev, not both.";
    pub const EITHER_STATUS_OR_ASSIGNEE: &str = "Give either status or assignee_id.";
    pub const EITHER_STATUS_OR_TEXT: &str = "Send either the status, or the fields to edit.";
    pub const FILE_HEADERS: &str = "The server cannot send this file.";
    pub const FRAME: &str = "The server does not understand this frame.";
    pub const HOST: &str = "A request needs exactly one Host header, with the host that it is for.";
    pub const LIMIT: &str = "The limit must be at least 1.";
    pub const METADATA_KIND: &str = "Metadata must be an object.";
    pub const METADATA_NUL: &str = "Metadata cannot contain the NUL character.";
    pub const METHOD: &str = "This address does not accept this method.";
    pub const MULTIPART: &str = "Send the file as multipart/form-data, in a part named `file`.";
    pub const NO_SUCH_ADMIN: &str = "There is no admin with this id.";
    pub const NO_SUCH_CUSTOMER: &str = "There is no customer with this id.";
    pub const ORIGIN: &str = "A connection with a cookie needs an Origin header.";
    pub const PART_HEAD: &str = "The head of a part is too long.";
    pub const REV: &str = "A rev is never negative.";
    pub const SEQ: &str = "A seq is never negative.";
    pub const TOKEN: &str = "This token is wrong or was revoked.";
    pub const WEBSOCKET: &str = "This connection cannot become a WebSocket.";
    pub const WEBSOCKET_KEY: &str = "A handshake needs exactly one Sec-WebSocket-Key header, with 16 bytes in base64.";
    pub const WHOSE_REQUEST: &str = "Give the customer_id of the account that the request belongs to.";

    /// `detail` names the member that is missing or of the wrong type. It is always in English.
    pub fn body(detail: &str) -> String {
        detail.to_owned()
    }

    pub fn frames(most: usize) -> String {
        format!("The server takes up to {most} frames at once.")
    }

    pub fn metadata_too_long(most: usize) -> String {
        format!("Metadata can be up to {most} bytes long.")
    }

    /// `detail` names the parameter that is missing or of the wrong type. It is always in English.
    pub fn query(detail: &str) -> String {
        detail.to_owned()
    }
}

/// What happened, in a few words: one for each kind of problem.
pub mod code {
    pub const CLOSED: &str = "This chat is closed";
    pub const CONFLICT: &str = "Used for something else";
    pub const FORBIDDEN: &str = "Not allowed";
    pub const INVALID: &str = "Not valid";
    pub const NOT_FOUND: &str = "Not found";
    pub const RATE_LIMITED: &str = "Too many requests";
    pub const TOO_LARGE: &str = "Too large";
    pub const UNAUTHORIZED: &str = "Sign-in needed";
    pub const UNAVAILABLE: &str = "Not available right now";
}

/// E-mails. A link stands at the end of its line.
pub mod mail {
    pub const DIGEST_SEALED: &str = "This chat is sealed, so its messages are not in this e-mail. Open it in the browser in which you have read it before, or by the complete link that you were given.";
    pub fn transcript_subject(business: &str) -> String {
        format!("Your chat with {business}")
    }

    pub fn address_changed(business: &str, url: &str) -> String {
        format!(
            "Hello,\n\nthe e-mail address of your account at {business} was changed. From now on, e-mails about the \
             account go to the new address.\n\nIf it was not you, please tell us at once: {url}\n"
        )
    }

    pub fn address_changed_subject(business: &str) -> String {
        format!("Your e-mail address for {business} was changed")
    }

    pub fn address_taken(business: &str, link: &str) -> String {
        format!(
            "Hello,\n\nsomebody, probably you, wants to use this e-mail address for an account at {business}. Another \
             account already has this address, so nothing was changed.\n\nTo get into that account, choose a new \
             password:\n{link}\n\nIf it was not you, there is nothing to do.\n"
        )
    }

    pub fn address_taken_subject(business: &str) -> String {
        format!("Your e-mail address at {business}")
    }

    pub fn confirm(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Hello,\n\nsomebody, probably you, gave this e-mail address for an account at {business}.\n\nTo confirm \
             that it is yours, open this link within {hours} hours:\n{link}\n\nIf it was not you, there is nothing to \
             do.\n"
        )
    }

    pub fn confirm_new(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Hello,\n\nsomebody, probably you, gave this e-mail address for an account at {business}.\n\nTo confirm \
             that it is yours, open this link within {hours} hours. Use the browser in which you are signed \
             in:\n{link}\n\nIf it was not you, there is nothing to do.\n"
        )
    }

    pub fn confirm_subject(business: &str) -> String {
        format!("Confirm your e-mail address for {business}")
    }

    pub fn digest_lead(business: &str) -> String {
        format!("{business} wrote to you, and you have not read it yet:")
    }

    pub const DIGEST_OPEN: &str = "Read and answer in the chat:";
    pub const DIGEST_STOP: &str = "No more e-mails about this chat:";

    pub fn digest_subject(business: &str) -> String {
        format!("New messages from {business}")
    }

    pub fn new_chat(business: &str, link: &str) -> String {
        format!(
            "Hello,\n\na customer of {business} waits for an answer in a chat that nobody has opened yet:\n{link}\n"
        )
    }

    pub fn new_chat_subject(business: &str) -> String {
        format!("A new chat waits at {business}")
    }

    pub fn reset(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Hello,\n\nsomebody, probably you, asked for a new password for your account at {business}.\n\nTo choose \
             one, open this link within {hours} hours:\n{link}\n\nIf it was not you, there is nothing to do: your \
             password stays as it is.\n"
        )
    }

    pub fn reset_subject(business: &str) -> String {
        format!("A new password for {business}")
    }
}

/// Notifications.
pub mod push {
    pub fn title(name: &str, unread: i64) -> String {
        if unread == 1 { name.to_owned() } else { format!("{name}: {unread} new messages") }
    }
}

/// Why something was refused.
pub mod problem {
    pub const NOT_SEALED: &str =
        "This chat is sealed: it accepts only text that a browser with the chat’s key has encrypted.";
    pub const SEALED_FILES: &str = "A sealed chat has no files: they would not be encrypted.";
    pub const SEALED_FIRST: &str = "Write the first message in the sealed chat itself, once it is open.";
    pub const SEALED_TRANSCRIPT: &str = "The server cannot read this sealed chat, so there is no transcript to send.";
    pub const NO_MAIL_ADDRESS: &str =
        "The transcript cannot be sent by e-mail: this chat has no confirmed address. Save it instead.";
    pub fn request_full(most: usize) -> String {
        format!("A request can have {most} files. Please send further ones in its chat.")
    }
    pub const REQUEST_ENDED: &str = "This request is done or declined.";
    pub const REQUEST_BEGUN: &str =
        "This request is not new any more, so it cannot be changed. Please write in its chat.";
    pub const NOT_CLOSED: &str = "A chat can be rated once it is closed.";
    pub const RATING_FINAL: &str = "A rating can be changed for one day.";
    pub const SCORE: &str = "Please give 1 to 5 stars.";
    pub const TRANSCRIPT_TOO_LONG: &str = "This transcript is too long for an e-mail. Save it instead.";
    pub const ADMIN_NEEDED: &str = "Only an admin can do this.";
    pub const ADMIN_STAYS: &str = "This account belongs to an admin. Only the data of customers can be erased.";
    pub const AMOUNT: &str = "Please enter an amount like 1200 or 1200.50.";
    pub const ANOTHER_SITE: &str = "This request came from another site. Please use the form on this site.";
    pub const BUDGET: &str = "Please enter a budget from 0 to ten billion.";
    pub const CHAT_FULL: &str =
        "This chat has no room for more files. Delete messages with files that you do not need any more.";
    pub const CLIENT_ID_TAKEN: &str = "Another message has this client id already, so this message was not stored.";
    pub const CLOSED: &str = "This chat is closed. You can read it, but you cannot write in it.";
    pub const CONTENT_EMPTY: &str = "Please write some text.";
    pub const CONTENT_NUL: &str = "Text cannot contain the NUL character.";
    pub const DAY: &str = "Please enter a day like 2026-12-24.";
    pub const DESCRIPTION_EMPTY: &str = "Please describe your request.";
    pub const DESCRIPTION_NUL: &str = "A description cannot contain the NUL character.";
    pub const DISK_FULL: &str = "The server has no room for more files. Please send your message without them.";
    pub const EMAIL: &str = "Please enter an e-mail address, like name@example.com.";
    pub const EMAIL_TAKEN: &str = "There is already an account with this e-mail address.";
    pub const EXISTS: &str = "This exists already.";
    pub const FILES_PER_DAY: &str = "You have added too many large files within a day. Please try again later.";
    pub const FILES_UNSENT: &str =
        "Too many files in this chat are not sent yet. Send those first, or try again tomorrow.";
    pub const FILE_EMPTY: &str = "This file is empty.";
    pub const FILE_MISSING: &str = "Please choose a file to send.";
    pub fn days(least: u32, most: u32) -> String {
        format!("Please enter a number of days from {least} to {most}.")
    }

    pub const CLOSES_BEFORE: &str = "Please enter a closing time after the opening time. Midnight is 00:00.";
    pub const TIME_OF_DAY: &str = "Please enter both times of the day, like 09:00.";
    pub const ZONE: &str = "Please enter the name of a time zone, like Europe/Berlin.";

    pub fn closed_days(most: usize) -> String {
        format!(
            "Please enter days like 2026-12-24, or two on a line for the first and the last day, on up to {most} lines."
        )
    }

    pub fn too_many_suggestions(most: usize) -> String {
        format!("Please enter up to {most} sentences, one on each line.")
    }

    pub fn replies_per_message(most: i64) -> String {
        format!("This message has {most} replies already. Send yours without quoting it.")
    }
    pub const FILE_NOT_HERE: &str = "Upload a file to this chat before you send it. You can send it only once.";
    pub const FORM: &str = "The server does not understand this form. Please open its page again.";
    pub const FORM_SENT_BEFORE: &str = "You have sent this form before, and it worked. The form as it is now has not \
                                        been sent yet: send it to make another.";
    pub const INVITED_BEFORE: &str = "This form made an invitation before, and the page showed its link then. If you \
                                      did not see the link, withdraw that invitation and make another.";
    pub const MESSAGE_NOT_SENT: &str = "Your message was not sent: this browser is not signed in any more as the \
                                        person who opened the form. Sign in as yourself, or open your link once more, \
                                        to send it.";
    pub const MESSAGE_SENT_BEFORE: &str = "Your earlier message was sent and stands in the chat. The text here has not \
                                           been sent yet: send it as a message of its own, or delete it.";
    pub const NAME_BROKEN: &str = "A name cannot contain line breaks or control characters.";
    pub const NAME_EMPTY: &str = "Please enter a name.";
    pub const NOT_FOUND: &str = "There is nothing here, or you may not see it.";
    pub const NOT_UNDERSTOOD: &str = "The server does not understand this request.";
    pub const NO_SUCH_ADMIN: &str = "There is no admin with this e-mail address.";
    pub const OWN_ROLE: &str = "Another admin has to change your role.";
    pub const PASSWORD_TOO_LONG: &str = "This password is too long.";
    pub const PASSWORD_WRONG: &str = "This is not your password.";
    pub const PUSH_INVALID: &str = "This is no subscription at the push service of a browser.";
    pub const PUSH_NEEDS_BROWSER: &str = "Only a browser can be notified, and it needs a session: a token has none.";
    pub const READ_ONLY: &str = "You can see this, but not change it.";
    pub const REGISTER_FIRST: &str = "A custom request needs an account. Please register first.";
    pub const SEARCH_EMPTY: &str = "Please enter at least one word to look for.";
    pub const SIGN_IN: &str = "Please sign in.";
    pub const SIGN_IN_FIRST: &str = "Please sign in to your account first, and open the link again.";
    pub const SIGN_IN_WRONG: &str = "This e-mail address and password do not belong together.";
    pub const SLOW: &str = "The data arrived too slowly. Please check your connection and send it again.";
    pub const TITLE_BROKEN: &str = "A title cannot contain line breaks or control characters.";
    pub const TITLE_EMPTY: &str = "Please enter a short title.";
    pub const TOKEN_MADE_BEFORE: &str = "This form made a token before, and the page showed it then. If you did not \
                                         see it, revoke it and make another.";
    pub const TOO_MUCH: &str = "This is too much to send at once.";
    pub const UNAVAILABLE: &str = "The server cannot do this right now. Please try again in a moment.";

    pub fn another_origin(url: &str) -> String {
        format!("This connection came from another site. Please open {url} instead.")
    }

    pub fn connections(most: u32) -> String {
        match most {
            1 => "You already have one connection open. Please close its window.".to_owned(),
            _ => format!("You already have {most} connections open. Please close a window."),
        }
    }

    pub fn content_too_long(most: usize, chars: usize) -> String {
        format!("Text here can be up to {most} characters long. This one has {chars}.")
    }

    pub fn description_too_long(most: usize) -> String {
        format!("Descriptions can be up to {most} characters long.")
    }

    pub fn file_too_large(bytes: usize) -> String {
        match bytes {
            1_048_576.. => format!("Files can have up to {} MiB.", bytes / 1_048_576),
            _ => format!("Files can have up to {bytes} bytes."),
        }
    }

    pub fn files_per_message(most: usize) -> String {
        format!("A message can have up to {most} files.")
    }

    pub fn name_too_long(most: usize) -> String {
        format!("Names can be up to {most} characters long.")
    }

    pub fn no_cookie(host: &str) -> String {
        format!(
            "Your browser did not keep the cookie that this site needs. Allow cookies for {host}, then sign in again."
        )
    }

    pub fn open_requests(most: u32) -> String {
        match most {
            1 => "You can have one open request at a time. Please write to us in its chat.".to_owned(),
            _ => format!("You can have up to {most} open requests. Please write to us in one of their chats."),
        }
    }

    pub fn password_too_short(least: usize) -> String {
        format!("A password needs at least {least} characters.")
    }

    pub fn search_too_long(most: usize) -> String {
        format!("Searches can be up to {most} characters long.")
    }

    pub fn title_too_long(most: usize) -> String {
        format!("Titles can be up to {most} characters long.")
    }

    pub fn too_many_accounts(seconds: u64) -> String {
        format!("Too many accounts were registered. {}", try_again(seconds))
    }

    pub fn too_many_at_once(seconds: u64) -> String {
        format!("That was a lot at once. {}", try_again(seconds))
    }

    pub fn too_many_chats(seconds: u64) -> String {
        format!("You have opened many chats within an hour. {}", try_again(seconds))
    }

    pub fn too_many_guesses(seconds: u64) -> String {
        format!(
            "Too many wrong passwords were tried. You can choose a new one: see “Forgot your password?”. {}",
            try_again(seconds)
        )
    }

    pub fn too_many_mails_asked(seconds: u64) -> String {
        format!("You have asked for too many e-mails. {}", try_again(seconds))
    }

    pub fn too_many_mails_here(seconds: u64) -> String {
        format!("We have just sent several e-mails to this address. {}", try_again(seconds))
    }

    pub fn too_many_pushes(most: u32) -> String {
        format!("You are notified in {most} browsers already. Switch it off in another one first.")
    }

    pub fn too_many_requests(seconds: u64) -> String {
        format!("You have made many requests within an hour. {}", try_again(seconds))
    }

    pub fn too_many_uploads(seconds: u64) -> String {
        format!("Too many people are sending files right now. {}", try_again(seconds))
    }

    pub fn too_many_uploads_of_network(seconds: u64) -> String {
        format!("Too many files are on their way from your network. {}", try_again(seconds))
    }

    pub fn too_many_uploads_of_yours(seconds: u64) -> String {
        format!("You are sending as many files at once as you can. {}", try_again(seconds))
    }

    /// A wait of more than 90 seconds is told in minutes.
    fn try_again(seconds: u64) -> String {
        match seconds {
            1 => "Please try again in a second.".to_owned(),
            0..=90 => format!("Please try again in {seconds} seconds."),
            _ => format!("Please try again in {} minutes.", seconds.div_ceil(60)),
        }
    }
}

/// The statuses of a custom request.
pub mod sealed {
    pub const SUMMARY: &str = "Sealed: only people with the complete link can read this chat.";
    pub const KEY: &str = "Browsers encrypt each message with a key. The key is the end of the link, after #k=. It stays in the browser and never goes to the server.";
    pub const LOST: &str =
        "Keep the link. If nobody has it any more, nobody can read the messages again, and we cannot help.";
    pub const MISSING: &str = "What the server cannot read, it cannot offer: search, transcripts, and the words of messages in e-mails and notifications. Files cannot be sent here, and the chat needs JavaScript.";
    pub const PLAIN: &str = "Not encrypted: names, the times of messages, who wrote and read them, ratings, and lines of the server. The server also delivers the program that encrypts, so you still have to trust it.";
    pub const NO_SCRIPT: &str = "This chat is sealed: reading and writing needs JavaScript. Without it, this page shows only who wrote, and when.";
    pub const NO_CRYPTO: &str = "This browser cannot decrypt here: that needs an address that begins with https. Please open the chat by https.";
    pub const NO_KEY: &str = "This browser does not have the key of this chat. Paste the complete link here, or open it. It ends in #k= and 43 characters.";
    pub const WRONG_KEY: &str =
        "This key does not open the messages of this chat. Paste the complete link as you received it.";
    pub const PASTE: &str = "Complete link or key";
    pub const UNLOCK: &str = "Unlock";
    pub const UNREADABLE: &str = "This message cannot be read with this key.";
    pub const FAILED: &str =
        "This message could not be encrypted, so it was not sent. Please reload the page and try again.";
    pub const SEAL: &str = "Sealed: encrypt this chat in the browsers";
    pub const SEAL_HELP: &str = "Only people with the complete link can read it. It has no search, files or transcripts, and needs JavaScript. If all lose the link, the messages are lost. This choice is final.";
    pub const SEAL_NOT_HERE: &str = "This browser can seal chats only at an address that begins with https.";
    pub const SEAL_FIRST: &str = "You write the first message in the chat itself.";
    pub const LINK_HELP: &str =
        "The end of this link, after #k=, is the key of the chat. Send it only to people who may read everything here.";
    pub const LINK_NO_KEY: &str = "This browser does not have the key of this sealed chat. So this link opens the chat, but no message. Copy the link in a browser that can read the messages.";
    pub const UNSTORED: &str =
        "This browser could not store the key. Keep this link: without it, nobody can read the chat.";
}

pub mod status {
    pub const WITHDRAWN: &str = "The request was withdrawn";
    pub const CLOSES_SOON: &str = "Without a new message, this chat closes in 24 hours.";
    pub const DECLINED: &str = "Declined";
    pub const DONE: &str = "Done";
    pub const IN_PROGRESS: &str = "In progress";
    pub const NEW: &str = "New";

    pub fn set_to(status: &str) -> String {
        format!("Status set to “{status}”.")
    }
}

/// A chat as a document. A moment is a date and a time with their zone.
pub mod transcript {
    pub const DELETED: &str = "(deleted)";

    pub fn chat_with(name: &str) -> String {
        format!("Chat with {name}")
    }

    pub fn closed(moment: &str) -> String {
        format!("Closed {moment}")
    }

    pub fn file(name: &str) -> String {
        format!("[file: {name}]")
    }

    pub fn opened(moment: &str) -> String {
        format!("Opened {moment}")
    }

    /// Who wrote a message, and when.
    pub fn written(name: &str, moment: &str) -> String {
        format!("{name} ({moment})")
    }

    /// The same for a message that was edited since.
    pub fn written_and_edited(name: &str, moment: &str) -> String {
        format!("{name} ({moment}, edited)")
    }
}
