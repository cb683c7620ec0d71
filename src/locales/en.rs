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

pub mod account {
    pub const CHANGE_PASSWORD: &str = "Change the password";
    pub const CHANGE_PASSWORD_TITLE: &str = "Change your password";
    pub const CONFIRMED: &str = "Your e-mail address is confirmed.";
    pub const CURRENT_PASSWORD: &str = "Current password";
    pub const CUSTOM_REQUESTS: &str = "Custom requests";
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
    pub const LIVE: &str = "Live";
    pub const OFFLINE: &str = "Offline";
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
    pub const CUSTOMER_NAME: &str = "Customer’s name";
    pub const FIRST_MESSAGE: &str = "First message";
    pub const NEW_CHAT: &str = "New chat";
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
    pub const MAKE_A_REQUEST: &str = "Make a request";
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
    pub const FORGOT: &str = "Forgot your password?";

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
    pub const BUDGET: &str = "Budget";
    pub const CUSTOM_REQUESTS: &str = "Custom requests";
    pub const DESCRIPTION: &str = "Describe it";
    pub const DESCRIPTION_HELP: &str = "Size, material, purpose, and everything else that matters to you.";
    pub const MY_REQUESTS: &str = "My requests";
    pub const NEW: &str = "New request";
    pub const NEW_TITLE: &str = "What would you like to have made?";
    pub const SEARCH: &str = "Search requests";
    pub const SEND: &str = "Send the request";
    pub const SHOW: &str = "Show";
    pub const SORT_BY: &str = "Sort by";
    pub const TITLE: &str = "What is it?";
    pub const TITLE_HELP: &str = "A few words, such as “Oak table for a bay window”.";
    pub const WANTED_BY: &str = "Wanted by";

    pub fn budget_help(currency: &str) -> String {
        format!("In {currency}. A rough figure is fine.")
    }

    pub fn lead(business: &str) -> String {
        format!("{business} will answer you in a chat about the request.")
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

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Please sign in.";
}
