//! E-mail to absent people: one for all unread messages of a chat, once it has been quiet for a while.
//!
//! The customer gets the words of the business, and only at an address that was confirmed or that an admin gave. Admins
//! learn only that a new chat waits: what a customer writes is in no mail. The claim in the database lets one node send
//! it, once.

use std::{sync::Weak, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    LinkKey, Secret, Service,
    mail::{Letter, Why},
    problem,
    sessions::DAY_MS,
};
use crate::{
    domain::{Actor, ConversationId, Email, Message, ParticipantKind, Problem, Role, SenderType, Timestamp},
    locales::t,
    storage::{Quiet, Snapshot, now},
};

/// How often the server looks for quiet conversations.
const EVERY: Duration = Duration::from_secs(60);
/// Conversations considered at once.
const AT_ONCE: i64 = 100;
/// Messages in a mail at most, the latest.
const MOST_MESSAGES: i64 = 20;
/// Admins who are told of a new chat at most.
const MOST_ADMINS: i64 = 50;

/// Sends mail about conversations that have been quiet for `after`. Ends with the service.
pub(super) async fn keep(service: Weak<Service>, after: Duration) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(service) = service.upgrade() else { return };
        // The callee logs a failure; the next round tries again.
        service.mail_absent(after).await.ok();
    }
}

impl Service {
    /// Considers the conversations that have been quiet for `after`, of the last day.
    ///
    /// # Errors
    /// `unavailable`: later calls consider the rest.
    pub async fn mail_absent(&self, after: Duration) -> Result<(), Problem> {
        let after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp(now().0.saturating_sub(after_ms));
        let since = Timestamp(until.0 - DAY_MS);
        for quiet in self.store.list_quiet(since, until, AT_ONCE).await.map_err(problem)? {
            self.consider(quiet).await?;
        }
        Ok(())
    }

    async fn consider(&self, quiet: Quiet) -> Result<(), Problem> {
        let id = quiet.id;
        let (unread, request, is_sealed) = match customer_of(&quiet) {
            Some(actor) => {
                let seen = self.store.load_room(&actor, id, None, MOST_MESSAGES).await.map_err(problem)?;
                let (request, is_sealed) = (seen.seat.conversation.request_id, seen.seat.conversation.sealed);
                (unread_words(seen, quiet.considered_seq), request, is_sealed)
            }
            None => (Vec::new(), None, false),
        };
        // Considered again when the customer has left.
        if !unread.is_empty() && self.hub.customer_online(id) {
            return Ok(());
        }
        if !self.store.claim_digest(id, quiet.last_seq).await.map_err(problem)? {
            return Ok(());
        }
        if let Some(to) = address_of(&quiet).filter(|_| !unread.is_empty()) {
            let link = match (&quiet.customer, request, quiet.link) {
                (Some(_), Some(request), _) => format!("{}/account?chat={request}", self.public_url),
                (_, _, Some(link)) => self.link_address(link),
                _ => format!("{}/chat/{id}", self.public_url),
            };
            let words = if is_sealed { None } else { Some(&*unread) };
            if let Err(failed) = self.mail_digest(id, to, &link, words).await {
                self.store.release_digest(id, quiet.considered_seq).await.map_err(problem)?;
                return Err(failed);
            }
        }
        if quiet.considered_seq == 0 {
            self.mail_new_chat(id).await?;
        }
        Ok(())
    }

    /// Sends the customer side its `unread` messages, with a `link` to the chat. `None` in a sealed chat, whose messages
    /// the server cannot read.
    async fn mail_digest(
        &self,
        id: ConversationId,
        to: &Email,
        link: &str,
        unread: Option<&[Message]>,
    ) -> Result<(), Problem> {
        if self.mails.send(to, Why::Digest).is_err() {
            return Ok(());
        }
        let (locale, business) = (self.locale(), &*self.business_name());
        let unsubscribe = format!("{}/unsubscribe?{}", self.public_url, self.unsubscribe_query(id));
        let subject = t!(locale, mail::digest_subject(business));
        let (lead, open, stop) =
            (t!(locale, mail::digest_lead(business)), t!(locale, mail::DIGEST_OPEN), t!(locale, mail::DIGEST_STOP));
        let texts = unread.unwrap_or_default().iter();
        let texts: Vec<_> = texts.map(|message| (&message.sender_name, inert(&message.words(locale)))).collect();
        let sealed = unread.is_none().then_some(t!(locale, mail::DIGEST_SEALED));
        let quoted = texts.iter().map(|(name, words)| format!("{name}:\n{words}\n\n"));
        let quoted: String = quoted.chain(sealed.map(|words| format!("{words}\n\n"))).collect();
        let text = format!("{lead}\n\n{quoted}{open}\n{link}\n\n-- \n{stop}\n{unsubscribe}\n");
        let escaped = |text: &str| html_escape::encode_double_quoted_attribute(text).replace('\n', "<br>");
        let quoted: String = texts
            .iter()
            .map(|(name, words)| format!("<p dir=\"auto\"><b>{}</b><br>{}</p>", escaped(name), escaped(words)))
            .chain(sealed.map(|words| format!("<p>{}</p>", escaped(words))))
            .collect();
        let html = format!(
            "<!DOCTYPE html><html lang=\"{}\"><body><p>{}</p>{quoted}<p><a href=\"{}\">{}</a></p>\
             <p><small><a href=\"{}\">{}</a></small></p></body></html>",
            locale.tag(),
            escaped(&lead),
            escaped(link),
            escaped(open.trim_end_matches(':')),
            escaped(&unsubscribe),
            escaped(stop.trim_end_matches(':')),
        );
        let letter = Letter {
            subject,
            text,
            html: Some(html),
            thread: Some(id),
            list: Some((business.to_owned(), unsubscribe)),
        };
        self.mail.send(&self.public_url, to, letter).await
    }

    /// Tells the admins of a chat in which a customer waits and that none of them has opened.
    async fn mail_new_chat(&self, id: ConversationId) -> Result<(), Problem> {
        let users = self.store.list_users(None, MOST_ADMINS).await.map_err(problem)?;
        let admins: Vec<_> = users.into_iter().filter(|user| user.role == Role::Admin).collect();
        let Some(first) = admins.first().cloned() else { return Ok(()) };
        let seen = self.store.load_room(&Actor::Admin(first), id, None, MOST_MESSAGES).await.map_err(problem)?;
        let is_admin = |participant| {
            seen.participants.iter().any(|person| person.id == participant && person.kind == ParticipantKind::Admin)
        };
        let is_opened = seen.receipts.iter().any(|receipt| is_admin(receipt.participant));
        let waits = seen.page.messages.iter().any(|sent| sent.is_text() && sent.sender_type == SenderType::Customer);
        if is_opened || !waits {
            return Ok(());
        }
        let (locale, business) = (self.locale(), &*self.business_name());
        let link = format!("{}/admin?chat={id}", self.public_url);
        for admin in admins.iter().filter(|admin| admin.is_confirmed) {
            if self.mails.send(&admin.email, Why::Digest).is_err() {
                continue;
            }
            let letter = Letter {
                subject: t!(locale, mail::new_chat_subject(business)),
                text: t!(locale, mail::new_chat(business, &link)),
                html: None,
                thread: Some(id),
                list: None,
            };
            self.mail.send(&self.public_url, &admin.email, letter).await?;
        }
        Ok(())
    }

    /// The query of the address by which the customer side refuses further mail about a conversation.
    #[must_use]
    pub fn unsubscribe_query(&self, id: ConversationId) -> String {
        format!("chat={id}&token={}", self.link_key.unsubscribe_token(id))
    }

    /// Checks the token of such an address.
    ///
    /// # Errors
    /// `not_found`.
    pub fn check_unsubscribe(&self, id: ConversationId, token: &str) -> Result<(), Problem> {
        // Hashes take equally long to compare wherever the tokens differ.
        let [known, given] =
            [&*self.link_key.unsubscribe_token(id), token].map(|token| Secret::presented(token).hash());
        let is_right = known == given;
        is_right.then_some(()).ok_or_else(Problem::not_found)
    }

    /// Sends the customer side of this conversation no further mail about it.
    ///
    /// # Errors
    /// `not_found` if the token is wrong or the conversation is gone.
    pub async fn unsubscribe_mail(&self, id: ConversationId, token: &str) -> Result<(), Problem> {
        self.check_unsubscribe(id, token)?;
        let was_there = self.store.unsubscribe_digest(id).await.map_err(problem)?;
        was_there.then_some(()).ok_or_else(Problem::not_found)
    }
}

impl LinkKey {
    /// Derived from the key, so that the database need not store it. It permits nothing but to unsubscribe.
    fn unsubscribe_token(&self, id: ConversationId) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes()).expect("HMAC takes keys of any length");
        mac.update(b"unsubscribe");
        mac.update(id.0.as_bytes());
        mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The customer side, if it can still read the conversation.
fn customer_of(quiet: &Quiet) -> Option<Actor> {
    match (&quiet.customer, quiet.link) {
        (Some(user), _) if user.role == Role::Customer => Some(Actor::Customer(user.clone(), Vec::new())),
        (Some(_), _) | (None, None) => None,
        (None, Some(link)) => Some(Actor::Guest(vec![link])),
    }
}

/// The address of the customer side, if mail may go there.
fn address_of(quiet: &Quiet) -> Option<&Email> {
    let address = match &quiet.customer {
        Some(user) => Some(&user.email).filter(|_| user.is_confirmed),
        None => quiet.customer_email.as_ref(),
    };
    address.filter(|_| !quiet.is_unsubscribed)
}

/// The messages of admins after `considered_seq` that this person has not read.
fn unread_words(seen: Snapshot, considered_seq: i64) -> Vec<Message> {
    let me = seen.seat.me.id;
    let read = seen.receipts.iter().find(|receipt| receipt.participant == me).map_or(0, |receipt| receipt.seq);
    let is_unread = |sent: &Message| {
        sent.seq > read.max(considered_seq) && sent.sender_type == SenderType::Admin && sent.deleted_at.is_none()
    };
    seen.page.messages.into_iter().filter(is_unread).collect()
}

/// Text whose addresses mail programs do not turn into links: a link in a mail should be the server's own.
fn inert(text: &str) -> String {
    text.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}
