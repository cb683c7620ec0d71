//! A mail server that takes everything and passes nothing on.

use bespoken::service::Secret;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::in_time;

/// Listens on loopback until the test ends.
pub struct MailServer {
    pub url: String,
    mails: mpsc::UnboundedReceiver<Mail>,
}

#[derive(Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// Headers and body, as people read them.
    pub text: String,
}

impl Mail {
    /// The secret of the link in it.
    pub fn secret(&self) -> Secret {
        let link = self.text.lines().find_map(|line| line.split_once("?token="));
        Secret::presented(link.unwrap_or_else(|| panic!("no link in {}", self.text)).1)
    }
}

/// Undoes `quoted-printable` (RFC 2045, section 6.7).
fn decoded(text: &str) -> String {
    const MARK: &str = "Content-Transfer-Encoding: quoted-printable";
    // The headers before are as they are; those between the parts of a body contain nothing to undo.
    let Some((headers, body)) = text.split_once(MARK) else { return text.to_owned() };
    let joined = body.replace("=\n", "");
    let mut parts = joined.split('=');
    let mut bytes = [headers, MARK, parts.next().unwrap_or_default()].concat().into_bytes();
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => bytes.extend([&[byte], &part.as_bytes()[2..]].concat()),
            None => bytes.extend([b"=", part.as_bytes()].concat()),
        }
    }
    String::from_utf8(bytes).unwrap()
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (sender, mails) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                // A client that disconnects has sent nothing.
                tokio::spawn(async move { talk(stream, &sender).await.ok() });
            }
        });
        Self { url, mails }
    }

    /// The next mail.
    pub async fn next(&mut self) -> Mail {
        in_time("a mail", self.mails.recv()).await.unwrap()
    }

    /// Whether no mail has come that was not looked at.
    pub fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }
}

/// SMTP (RFC 5321) as far as a client needs that asks for no more.
async fn talk(stream: TcpStream, sender: &mpsc::UnboundedSender<Mail>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut from, mut to) = (String::new(), String::new());
    write.write_all(b"220 localhost\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let address =
            || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap_or_default().0.to_owned();
        let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "MAIL" => {
                from = address();
                b"250 OK\r\n"
            }
            "RCPT" => {
                to = address();
                b"250 OK\r\n"
            }
            "DATA" => {
                write.write_all(b"354 Go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                sender.send(Mail { from: from.clone(), to: to.clone(), text: decoded(&text) }).ok();
                b"250 OK\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 localhost\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
