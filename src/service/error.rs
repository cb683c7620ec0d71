//! Converts storage errors to problems for people. Logs database failures here, once.

use crate::{
    domain::{Code, MAX_REPLIES, Problem},
    locales::{self, t},
    storage::{MOST_REQUEST_FILES, StoreError, Used},
};

/// The problem that the requesting person sees.
#[must_use]
pub fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound => Problem::not_found(),
        StoreError::Forbidden => Problem::forbidden(t!(locales::current(), problem::READ_ONLY)),
        StoreError::Closed => Problem::closed(),
        StoreError::Refused(problem) => *problem,
        StoreError::SealedFiles => Problem::invalid("attachment_ids", t!(locales::current(), problem::SEALED_FILES)),
        StoreError::NoAttachment => Problem::invalid("attachment_ids", t!(locales::current(), problem::FILE_NOT_HERE)),
        StoreError::TooManyReplies => {
            Problem::invalid("reply_to", t!(locales::current(), problem::replies_per_message(MAX_REPLIES)))
        }
        StoreError::TooManyFiles => Problem::invalid("file", t!(locales::current(), problem::FILES_UNSENT)),
        StoreError::RequestFull => {
            Problem::invalid("file", t!(locales::current(), problem::request_full(MOST_REQUEST_FILES)))
        }
        StoreError::RequestEnded => Problem::new(Code::Conflict, t!(locales::current(), problem::REQUEST_ENDED)),
        StoreError::RequestBegun => Problem::new(Code::Conflict, t!(locales::current(), problem::REQUEST_BEGUN)),
        StoreError::NotClosed => Problem::new(Code::Conflict, t!(locales::current(), problem::NOT_CLOSED)),
        StoreError::RatingFinal => Problem::new(Code::Conflict, t!(locales::current(), problem::RATING_FINAL)),
        StoreError::Conflict => Problem::new(Code::Conflict, t!(locales::current(), problem::CLIENT_ID_TAKEN)),
        StoreError::QuotaUsed(Used::ByPerson) => {
            Problem::held_back(3_600, t!(locales::current(), problem::FILES_PER_DAY))
        }
        StoreError::QuotaUsed(Used::InConversation) => {
            Problem::new(Code::TooLarge, t!(locales::current(), problem::CHAT_FULL))
        }
        StoreError::IdTaken => Problem::new(Code::Conflict, t!(locales::current(), problem::EXISTS)),
        StoreError::EmailTaken => Problem::invalid("email", t!(locales::current(), problem::EMAIL_TAKEN)),
        error @ (StoreError::Database(_) | StoreError::Migration(_) | StoreError::Unfit(_)) => {
            tracing::error!(%error, "storage failed");
            Problem::unavailable()
        }
    }
}
