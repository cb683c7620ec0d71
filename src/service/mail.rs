//! E-mail to people. Without a mail server the text is logged, so that the operator can forward it.
//!
//! A mail contains fixed text, a link of this server, and the business's name from the settings. User input in a mail
//! would let spammers send advertisements. So only transcripts and digests contain it, and they go only to a confirmed
//! address or to one that an admin gave.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use tokio::time::timeout;

use super::{
    HOUR, Network, Rate,
    rate::{self, held_back},
};
use crate::{
    domain::{ConversationId, Email, Problem, UserId},
    locales::{self, t},
    settings::Limits,
};

/// The purpose of a mail. Each has its own budget per address, so that strangers' requests cannot block an owner's
/// access to their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// The mail lets the owner of this address into the account.
    Owner,
    /// A person requests this address for their account.
    Wanted,
    /// The mail reports messages that this person has not read.
    Digest,
    /// A transcript, for the customer of a conversation.
    Transcript,
}

/// Limits for sent mails.
pub(super) struct MailBudgets {
    mailboxes: Rate<(Why, String)>,
    accounts: Rate<UserId>,
    networks: Rate<Network>,
    all: Rate<()>,
}

impl MailBudgets {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            mailboxes: Rate::new(limits.mails, HOUR),
            accounts: Rate::new(limits.mails, HOUR),
            networks: Rate::new(limits.mails_asked, HOUR),
            all: Rate::new(limits.mails_total, HOUR),
        }
    }

    /// Counts a request for a mail, whether one is sent or not.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn ask(&self, from: Network, account: Option<UserId>) -> Result<(), Problem> {
        let counted = self.networks.take(from).and_then(|()| {
            account.map_or(Ok(()), |account| self.accounts.take(account)).inspect_err(|_| self.networks.give_back(from))
        });
        counted
            .map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_mails_asked(seconds))))
    }

    /// Counts a mail to this address.
    ///
    /// # Errors
    /// `rate_limited`: the mail must not be sent. This reveals the existence of an account, so only its owner may see
    /// it.
    pub(super) fn send(&self, to: &Email, why: Why) -> Result<(), Problem> {
        let mailbox = (why, mailbox(to));
        let counted = self.mailboxes.take(mailbox.clone()).and_then(|()| {
            self.all.take(()).inspect_err(|wait| {
                tracing::warn!(seconds = rate::seconds(*wait), "sending mail is paused: see --limit-mails-total");
                self.mailboxes.give_back(mailbox);
            })
        });
        counted.map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_mails_here(seconds))))
    }
}

/// The mailbox of an address: most mail servers treat the part after a plus sign as a label.
fn mailbox(email: &Email) -> String {
    let (local, domain) = email.as_str().rsplit_once('@').unwrap_or((email.as_str(), ""));
    format!("{}@{domain}", local.split('+').next().filter(|name| !name.is_empty()).unwrap_or(local))
}

/// A mail to a person.
pub(super) struct Letter {
    pub subject: String,
    pub text: String,
    /// The same in HTML.
    pub html: Option<String>,
    /// The conversation that it is about: mail programs group such mails.
    pub thread: Option<ConversationId>,
    /// The name of the mailing list, and the address that ends it with one click (RFC 8058).
    pub list: Option<(String, String)>,
}

impl Letter {
    pub fn new(subject: String, text: String) -> Self {
        Self { subject, text, html: None, thread: None, list: None }
    }
}

/// Time limit for a mail server to accept a mail.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// The transport of outgoing mail.
#[derive(Clone)]
pub struct Mail {
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
}

impl Mail {
    /// Sends by `smtp_url` (`smtps://user:password@host:465`, or `smtp://host:587?tls=required`), as `from`. With
    /// `None`, every mail is logged.
    ///
    /// # Errors
    /// A sentence for the operator if one of the two is invalid.
    pub fn new(smtp_url: Option<&str>, from: &str) -> Result<Self, String> {
        let from = from.parse().map_err(|error| format!("{from} is not a valid mail sender: {error}"))?;
        let transport = smtp_url
            .map(AsyncSmtpTransport::<Tokio1Executor>::from_url)
            .transpose()
            // The URL may contain a password, so the message omits it.
            .map_err(|error| format!("SMTP_URL does not name a mail server: {error}"))?
            .map(|builder| builder.build());
        Ok(Self { transport, from })
    }

    /// Whether mail leaves this machine, instead of going to the log.
    pub(super) fn has_server(&self) -> bool {
        self.transport.is_some()
    }

    /// Sends a mail of the server at `public_url` to the mail server.
    ///
    /// # Errors
    /// `unavailable` if the mail server rejects it.
    pub(super) async fn send(&self, public_url: &str, to: &Email, letter: Letter) -> Result<(), Problem> {
        let Some(transport) = &self.transport else {
            let Letter { subject, text, .. } = letter;
            tracing::warn!(to = to.as_str(), subject, "no mail server is configured, so this mail is logged:\n{text}");
            return Ok(());
        };
        let message = self.message(public_url, to, letter)?;
        // The transport has a timeout for connecting only.
        let sent = timeout(SEND_WITHIN, transport.send(message)).await;
        let reason = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        tracing::error!(error = reason, "the mail server did not accept a mail");
        Err(Problem::unavailable())
    }

    fn message(&self, public_url: &str, to: &Email, letter: Letter) -> Result<Message, Problem> {
        let address = to.as_str().parse().map_err(|_| Problem::unavailable())?;
        let (host, Letter { subject, text, html, thread, list }) = (host(public_url), letter);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(subject)
            .date_now()
            .message_id(Some(format!("<{}@{host}>", Uuid::new_v4())))
            // Prevents automatic answers (RFC 3834, section 5).
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(conversation) = thread {
            // Nobody has the mail with this id. But all mails about the conversation name it, which makes them a thread.
            let first = format!("<{conversation}@{host}>");
            message = message.in_reply_to(first.clone()).references(first);
        }
        if let Some((name, unsubscribe)) = list {
            let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').collect();
            message = message
                .raw_header(header("List-Id", format!("{} <chats.{host}>", name.trim())))
                .raw_header(header("List-Unsubscribe", format!("<{unsubscribe}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let message = match html {
            Some(html) => message.multipart(MultiPart::alternative_plain_html(text, html)),
            None => message.header(ContentType::TEXT_PLAIN).body(text),
        };
        message.map_err(|_| Problem::unavailable())
    }
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// The host of a URL in the form for a Message-ID (RFC 5322, section 3.6.4): a name or an address, with brackets for
/// IPv6.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = match rest.find(']') {
        Some(bracket) => bracket + 1,
        None => rest.find([':', '/']).unwrap_or(rest.len()),
    };
    if end == 0 { "localhost" } else { &rest[..end] }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_identifies_its_generator() {
        let to = Email::parse("email", "ada@example.com").unwrap();
        let mail = Mail::new(None, "no-reply@chat.example").unwrap();
        let letter = Letter::new("A subject".into(), "Words".into());
        let text = mail.message("https://chat.example", &to, letter).unwrap().formatted();
        let text = String::from_utf8(text).unwrap();
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")).expect("an id");
        assert!(id.ends_with("@chat.example>"), "{text}");
        for header in ["Date: ", "Auto-Submitted: auto-generated\r\n", "To: ada@example.com\r\n"] {
            assert!(text.contains(header), "{header} in {text}");
        }
    }

    #[test]
    fn the_host_of_a_public_url_makes_an_id() {
        for (url, name) in [
            ("https://chat.example", "chat.example"),
            ("http://127.0.0.1:3000", "127.0.0.1"),
            ("http://[::1]:3000", "[::1]"),
            ("", "localhost"),
        ] {
            assert_eq!(host(url), name);
        }
    }

    #[test]
    fn labels_of_a_mailbox_count_as_one() {
        let limits = Limits { mails: 2, ..Limits::default() };
        let budgets = MailBudgets::new(&limits);
        let mut sent = ["ada@a.example", "ada+1@a.example", "ada+2@a.example", "ben@a.example"]
            .into_iter()
            .map(|to| budgets.send(&Email::parse("email", to).unwrap(), Why::Owner).is_ok());
        assert_eq!(sent.by_ref().collect::<Vec<_>>(), [true, true, false, true]);
    }

    #[test]
    fn who_wants_an_address_does_not_use_up_what_its_owner_gets() {
        let budgets = MailBudgets::new(&Limits { mails: 1, ..Limits::default() });
        let ada = Email::parse("email", "ada@a.example").unwrap();
        budgets.send(&ada, Why::Wanted).unwrap();
        assert!(budgets.send(&ada, Why::Wanted).is_err());
        budgets.send(&ada, Why::Owner).unwrap();
        assert!(budgets.send(&ada, Why::Owner).is_err());
    }

    #[test]
    fn unsent_mails_are_not_counted() {
        let limits = Limits { mails: 1, mails_total: 1, ..Limits::default() };
        let budgets = MailBudgets::new(&limits);
        let [ada, ben] = ["ada@a.example", "ben@a.example"].map(|to| Email::parse("email", to).unwrap());
        budgets.send(&ada, Why::Owner).unwrap();
        assert!(budgets.send(&ben, Why::Owner).is_err(), "in all");
        budgets.all.give_back(());
        budgets.send(&ben, Why::Owner).unwrap();
    }
}
