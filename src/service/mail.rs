//! E-mail to people. Without a mail server the text goes to the log, for the operator to pass on.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use tokio::time::timeout;

use crate::domain::{Email, Name, Problem};

/// How long a mail server may take to accept a mail.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// How mail leaves the server.
#[derive(Clone)]
pub struct Mail {
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
}

impl Mail {
    /// Sends by `smtp_url` (`smtps://user:password@host:465`, or `smtp://host:587?tls=required`), as
    /// `from`. `None`: every mail is written to the log.
    ///
    /// # Errors
    /// A sentence for the operator, if one of the two makes no sense.
    pub fn new(smtp_url: Option<&str>, from: &str) -> Result<Self, String> {
        let from = from.parse().map_err(|error| format!("{from} is no sender of mail: {error}"))?;
        let transport = smtp_url
            .map(AsyncSmtpTransport::<Tokio1Executor>::from_url)
            .transpose()
            // The URL may hold a password, so it is not repeated.
            .map_err(|error| format!("SMTP_URL does not name a mail server: {error}"))?
            .map(|builder| builder.build());
        Ok(Self { transport, from })
    }

    /// Hands a mail to the mail server.
    ///
    /// # Errors
    /// `unavailable` if it does not take it.
    pub(super) async fn send(&self, name: &Name, to: &Email, subject: &str, text: String) -> Result<(), Problem> {
        let Some(transport) = &self.transport else {
            tracing::warn!(
                to = to.as_str(),
                subject,
                "no mail server is configured, so this mail is written here:\n{text}"
            );
            return Ok(());
        };
        let address = to.as_str().parse().map_err(|_| Problem::unavailable())?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.to_string()), address))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| Problem::unavailable())?;
        // The transport gives up on a connection that does not come about, and on nothing after that.
        let sent = timeout(SEND_WITHIN, transport.send(message)).await;
        let reason = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        tracing::error!(error = reason, "the mail server did not take a mail");
        Err(Problem::unavailable())
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}
