//! What the customer side does with a closed chat: rates it, and receives its transcript by e-mail.

use std::net::IpAddr;

use super::{
    Service,
    mail::{Letter, Why},
    problem, transcript,
};
use crate::{
    domain::{Actor, Code, Content, ConversationId, Problem, Rating},
    locales::{self, t},
};

/// Size limit in bytes of a transcript in an e-mail. Mail servers reject far larger ones.
const MAX_MAILED_BYTES: usize = 2_000_000;

impl Service {
    /// Rates a closed conversation, for the customer side. It can change its rating for a day.
    ///
    /// # Errors
    /// `invalid` for the score or the comment; `conflict` if the conversation is open or the rating is final;
    /// `forbidden` for admins; `not_found`, `rate_limited`.
    pub async fn rate(
        &self,
        actor: &Actor,
        id: ConversationId,
        score: i64,
        comment: Option<&str>,
    ) -> Result<Rating, Problem> {
        self.count_send(actor)?;
        if !Rating::SCORES.contains(&score) {
            return Err(Problem::invalid("score", t!(locales::current(), problem::SCORE)));
        }
        let comment = comment
            .filter(|text| !text.trim().is_empty())
            .map(|text| Content::parse_as("comment", text, Rating::MAX_COMMENT_CHARS))
            .transpose()?;
        self.store.rate(actor, id, score, comment.map(Content::into_string)).await.map_err(problem)
    }

    /// Sends the transcript to the customer's address.
    ///
    /// # Errors
    /// `conflict` if there is no confirmed address, or the conversation is sealed; `too_large`, `not_found`, `rate_limited`, `unavailable`.
    pub async fn mail_transcript(&self, actor: &Actor, id: ConversationId, from: IpAddr) -> Result<(), Problem> {
        if self.conversation(actor, id).await?.sealed {
            return Err(Problem::new(Code::Conflict, t!(locales::current(), problem::SEALED_TRANSCRIPT)));
        }
        let no_address = || Problem::new(Code::Conflict, t!(locales::current(), problem::NO_MAIL_ADDRESS));
        let to = self.store.find_mail_address(actor, id).await.map_err(problem)?.ok_or_else(no_address)?;
        // Without a mail server, mail goes to the log, which contains no messages.
        if !self.mail.has_server() {
            return Err(no_address());
        }
        if !actor.is_admin() {
            self.mails.ask(from.into(), actor.user_id())?;
        }
        self.mails.send(&to, Why::Transcript)?;
        let (conversation, messages) = self.transcript(actor, id).await?;
        let locale = locales::current();
        let business = &*self.business_name();
        let text = transcript::text(&conversation, &messages);
        if text.len() > MAX_MAILED_BYTES {
            return Err(Problem::new(Code::TooLarge, t!(locale, problem::TRANSCRIPT_TOO_LONG)));
        }
        let letter = Letter {
            subject: t!(locale, mail::transcript_subject(business)),
            text,
            html: Some(transcript::html(&conversation, &messages)),
            thread: Some(id),
            list: None,
        };
        self.mail.send(&self.public_url, &to, letter).await
    }
}
