//! From storage's errors to the one that people see. A failure of the database is logged here, once.

use crate::{
    domain::{Code, Problem},
    storage::{StoreError, Used},
};

/// What to tell the person who asked.
#[must_use]
pub fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound => Problem::not_found(),
        StoreError::Forbidden => Problem::forbidden("You can see this, but not change it."),
        StoreError::Closed => Problem::closed(),
        StoreError::NoAttachment => Problem::invalid(
            "attachment_ids",
            "A file has to be put into this chat first, and can be sent with one message only.",
        ),
        StoreError::TooManyFiles => {
            Problem::invalid("file", "Too many files wait here to be sent. Send those first, or try again tomorrow.")
        }
        StoreError::Conflict => {
            Problem::new(Code::Conflict, "Another message was sent under this client id, so this one was not stored.")
        }
        StoreError::QuotaUsed(Used::ByPerson) => Problem {
            retry_after_s: Some(3_600),
            ..Problem::new(
                Code::RateLimited,
                "You have added as many large files as you can within a day. Please try again later.",
            )
        },
        StoreError::QuotaUsed(Used::InConversation) => Problem::new(
            Code::TooLarge,
            "The files of this chat have no more room. Delete messages with files that are not needed any more.",
        ),
        StoreError::IdTaken => Problem::new(Code::Conflict, "This was made before."),
        StoreError::EmailTaken => Problem {
            field: Some("email".into()),
            ..Problem::new(Code::Invalid, "There is an account with this e-mail address.")
        },
        error @ (StoreError::Database(_) | StoreError::Migration(_) | StoreError::Unfit(_)) => {
            tracing::error!(%error, "storage failed");
            Problem::unavailable()
        }
    }
}
