//! HTTP/1.1 as an attacker writes it: byte by byte, one connection for each request.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// The response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// 0 if the connection ended without an answer.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if is_chunked { joined(body) } else { body.to_owned() };
        Self { status, headers, body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `name=value` of the cookies that it sets.
    pub fn cookies(&self) -> Vec<String> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()).map(str::to_owned).collect()
    }

    /// The value of the hidden field with this name.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let marker = format!("name=\"{name}\"");
        let tag = self.body.split('<').find(|tag| tag.starts_with("input") && tag.contains(&marker))?;
        Some(tag.split_once("value=\"")?.1.split_once('"')?.0.to_owned())
    }
}

/// The body of an answer that came in chunks.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else { break };
        body.push_str(chunk);
        chunks = rest.get(size + 2..).unwrap_or_default();
    }
    body
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the server accepts connections");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends these very bytes and reads to the end.
pub fn send_raw(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = connect(address);
    // A server that refuses need not read everything.
    stream.write_all(bytes).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    Reply::parse(&answer)
}

/// A request as one person sends it.
#[derive(Clone, Default)]
pub struct Person {
    /// `name=value; …` of a browser.
    pub cookie: Option<String>,
    /// An API token, or the secret of a link.
    pub token: Option<String>,
}

impl Person {
    pub fn with_token(token: &str) -> Self {
        Self { token: Some(token.to_owned()), cookie: None }
    }

    pub fn with_cookie(cookie: String) -> Self {
        Self { cookie: Some(cookie), token: None }
    }

    /// This person's headers: a browser also sends the page's origin.
    pub fn headers(&self, address: SocketAddr) -> String {
        let mut headers = String::new();
        if let Some(cookie) = &self.cookie {
            headers.push_str(&format!("Cookie: {cookie}\r\nOrigin: http://{address}\r\n"));
        }
        if let Some(token) = &self.token {
            headers.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        headers
    }
}

/// Sends one request with these headers (each with its line break) and this body.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
    let length =
        if body.is_empty() && method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{length}{headers}\r\n");
    send_raw(address, &[head.as_bytes(), body].concat())
}

/// `text` as forms and addresses carry it.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The fields of a form as its body.
pub fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    fields.join("&")
}
