//! A WebSocket with typed frames.

use bespoken::{
    domain::{
        ClientId, Code, Conversation, ConversationId, Epoch, Message, MessageId, Participant, ParticipantId,
        ParticipantKind,
    },
    protocol::{ClientFrame, Joined, ServerFrame, SocketUser},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, client::IntoClientRequest, http::HeaderValue, protocol::Message as Raw},
};
use uuid::Uuid;

use super::{Answer, PATIENCE, in_time};

/// A client id that was never used.
pub fn fresh() -> ClientId {
    ClientId::new()
}

/// How a socket ended: with this code, or without any.
pub type Closed = Option<u16>;

/// An `error` frame without its text.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: Code,
    pub room: Option<ConversationId>,
    pub client_id: Option<ClientId>,
}

pub struct Ws {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub connection_id: Uuid,
    pub user: SocketUser,
    pub epoch: Epoch,
    /// The frames that came during other waits, since the last call of [`Ws::passed`].
    passed: Vec<ServerFrame>,
}

impl Ws {
    /// Connects with these headers; the answer instead, if the server does not let it in.
    pub async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, Answer> {
        let mut ws = Self::raw(Self::handshake(url, headers).await?);
        match ws.next().await {
            ServerFrame::Welcome { connection_id, user, epoch } => {
                (ws.connection_id, ws.user, ws.epoch) = (connection_id, user, epoch);
                Ok(ws)
            }
            other => panic!("the first frame is the welcome, not {other:?}"),
        }
    }

    /// Reads even the welcome as it comes.
    pub fn raw(stream: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        let user =
            SocketUser { kind: ParticipantKind::Guest, id: ParticipantId::told(Uuid::nil()), name: String::new() };
        Self { stream, connection_id: Uuid::nil(), user, epoch: Epoch(Uuid::nil()), passed: Vec::new() }
    }

    /// Connects and leaves even the welcome to the caller.
    pub async fn handshake(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Answer> {
        let mut request = format!("{}/ws", url.replacen("http", "ws", 1)).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::try_from(*value).unwrap());
        }
        match in_time("a handshake", connect_async(request)).await {
            Ok((stream, _)) => Ok(stream),
            Err(tungstenite::Error::Http(response)) => {
                let headers = response.headers().iter().map(|(name, value)| (name.clone(), value.clone()));
                let text = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                Err(Answer { status: response.status().as_u16(), headers: HeaderMap::from_iter(headers), text })
            }
            Err(error) => panic!("no handshake: {error}"),
        }
    }

    pub async fn with_token(url: &str, token: &str) -> Result<Self, Answer> {
        Self::connect(url, &[("authorization", &format!("Bearer {token}"))]).await
    }

    pub async fn with_cookie(url: &str, cookie: &str) -> Result<Self, Answer> {
        Self::connect(url, &[("cookie", cookie), ("origin", url)]).await
    }

    pub async fn send(&mut self, frame: ClientFrame) {
        self.send_text(&serde_json::to_string(&frame).unwrap()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_raw(Raw::text(text)).await;
    }

    pub async fn send_raw(&mut self, raw: Raw) {
        in_time("a frame is sent", self.stream.send(raw)).await.unwrap();
    }

    /// The text of the next frame.
    ///
    /// # Errors
    /// How the socket ended, if it did.
    pub async fn next_text(&mut self) -> Result<String, Closed> {
        loop {
            match self.stream.next().await {
                Some(Ok(Raw::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Raw::Close(close))) => return Err(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame.
    ///
    /// # Panics
    /// If the socket ends instead, or nothing comes.
    pub async fn next(&mut self) -> ServerFrame {
        self.wait("a frame", Some).await
    }

    /// Reads on until `pick` takes a frame.
    ///
    /// # Panics
    /// If it never does, with the frames that came instead.
    pub async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let text = match self.next_text().await {
                    Ok(text) => text,
                    Err(code) => return Err(format!("the socket ended with {code:?}")),
                };
                let frame: ServerFrame = match serde_json::from_str(&text) {
                    Ok(frame) => frame,
                    Err(error) => return Err(format!("no frame of the contract ({error}): {text}")),
                };
                if let Some(picked) = pick(frame.clone()) {
                    return Ok(picked);
                }
                self.passed.push(frame);
            }
        };
        let failure = match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(picked)) => return picked,
            Ok(Err(failure)) => failure,
            Err(_) => "waited for too long".to_owned(),
        };
        panic!("{what}: {failure}; what came: {:#?}", self.passed);
    }

    /// The frames that came during other waits.
    pub fn passed(&mut self) -> Vec<ServerFrame> {
        std::mem::take(&mut self.passed)
    }

    /// Joins, and reads on until it is in.
    pub async fn join(&mut self, room: ConversationId) -> Joined {
        self.join_after(room, None).await
    }

    /// One `joinRequest` and its `joined`.
    pub async fn join_after(&mut self, room: ConversationId, after: Option<i64>) -> Joined {
        self.send(ClientFrame::JoinRequest { room, after, epoch: None, sender: None }).await;
        self.joined(room).await
    }

    pub async fn joined(&mut self, room: ConversationId) -> Joined {
        self.wait("joined", |frame| match frame {
            ServerFrame::Joined(joined) if joined.room == room => Some(*joined),
            _ => None,
        })
        .await
    }

    pub async fn resync(&mut self) -> ConversationId {
        self.wait("resync", |frame| match frame {
            ServerFrame::Resync { room } => Some(room),
            _ => None,
        })
        .await
    }

    /// Sends a message without waiting for anything.
    pub async fn say(&mut self, room: ConversationId, content: &str) -> ClientId {
        let client_id = fresh();
        self.say_as(client_id, room, content).await;
        client_id
    }

    pub async fn say_as(&mut self, client_id: ClientId, room: ConversationId, content: &str) {
        self.send(ClientFrame::text(room, client_id, content)).await;
    }

    /// Sends a message and waits for its `ack`.
    pub async fn post(&mut self, room: ConversationId, content: &str) -> Message {
        let client_id = self.say(room, content).await;
        self.ack(client_id).await
    }

    /// Sends a reply and waits for its `ack`.
    pub async fn reply(&mut self, room: ConversationId, content: &str, to: MessageId) -> Message {
        let (client_id, content) = (fresh(), content.to_owned());
        let reply_to = Some(to);
        self.send(ClientFrame::SendMessage {
            room,
            client_id,
            content,
            attachment_ids: vec![],
            reply_to,
            sender: None,
        })
        .await;
        self.ack(client_id).await
    }

    pub async fn edit(&mut self, room: ConversationId, id: MessageId, content: &str) -> ClientId {
        let client_id = fresh();
        self.send(ClientFrame::UpdateMessage { room, client_id, id, content: content.to_owned(), sender: None }).await;
        client_id
    }

    pub async fn delete(&mut self, room: ConversationId, id: MessageId) -> ClientId {
        let client_id = fresh();
        self.send(ClientFrame::DeleteMessage { room, client_id, id, sender: None }).await;
        client_id
    }

    pub async fn types(&mut self, room: ConversationId, on: bool) {
        self.send(ClientFrame::Typing { room, on }).await;
    }

    pub async fn read(&mut self, room: ConversationId, seq: i64) {
        self.send(ClientFrame::Read { room, seq }).await;
    }

    pub async fn ack(&mut self, of: ClientId) -> Message {
        self.wait("ack", |frame| match frame {
            ServerFrame::Ack { client_id, message, .. } if client_id == of => Some(message),
            _ => None,
        })
        .await
    }

    pub async fn refused(&mut self) -> Refused {
        self.wait("error", |frame| match frame {
            ServerFrame::Error { code, message, room, client_id } => {
                assert!(!message.is_empty());
                Some(Refused { code, room, client_id })
            }
            _ => None,
        })
        .await
    }

    /// Reads until `rev` of this room arrives; returns the frame.
    pub async fn rev(&mut self, room: ConversationId, rev: i64) -> ServerFrame {
        self.wait("a rev", |frame| (rev_of(&frame) == Some((room, rev))).then_some(frame)).await
    }

    pub async fn presence(&mut self, of: ConversationId) -> Vec<Participant> {
        self.wait("presence", |frame| match frame {
            ServerFrame::Presence { room, participants } if room == of => Some(participants),
            _ => None,
        })
        .await
    }

    pub async fn typing(&mut self) -> (ParticipantId, bool) {
        self.wait("typing", |frame| match frame {
            ServerFrame::Typing { participant, on, .. } => Some((participant, on)),
            _ => None,
        })
        .await
    }

    pub async fn receipt(&mut self) -> (ParticipantId, i64) {
        self.wait("read", |frame| match frame {
            ServerFrame::Read { participant, seq, .. } => Some((participant, seq)),
            _ => None,
        })
        .await
    }

    /// Reads on until an `inbox` of this conversation shows `is_so`.
    pub async fn inbox(&mut self, of: ConversationId, is_so: impl Fn(&Conversation) -> bool) -> Conversation {
        self.wait("inbox", |frame| match frame {
            ServerFrame::Inbox { conversation } if conversation.id == of && is_so(&conversation) => Some(*conversation),
            _ => None,
        })
        .await
    }

    /// Waits until the server has done everything that was sent so far.
    pub async fn settled(&mut self) {
        let client_id = self.say(ConversationId::new(), "to nobody").await;
        let what = "the answer to a message to nobody";
        self.wait(what, |frame| {
            matches!(frame, ServerFrame::Error { client_id: Some(id), .. } if id == client_id).then_some(())
        })
        .await;
    }

    /// Reads on until the socket ends, and says goodbye.
    pub async fn closed(&mut self) -> Closed {
        in_time("the socket ends", async {
            loop {
                if let Err(code) = self.next_text().await {
                    while let Some(Ok(_)) = self.stream.next().await {}
                    return code;
                }
            }
        })
        .await
    }
}

/// The connection of a WebSocket, read up to the end of the handshake: from here on each byte is the test's.
pub async fn raw_socket(url: &str, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: bespoken\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(in_time("the handshake", stream.read_u8()).await.unwrap());
    }
    stream
}

/// The room and rev of a frame that is part of a room's order.
pub fn rev_of(frame: &ServerFrame) -> Option<(ConversationId, i64)> {
    match frame {
        ServerFrame::NewMessage { room, rev, .. }
        | ServerFrame::MessageUpdated { room, rev, .. }
        | ServerFrame::MessageDeleted { room, rev, .. }
        | ServerFrame::ConversationUpdated { room, rev, .. } => Some((*room, *rev)),
        _ => None,
    }
}
