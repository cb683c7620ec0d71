//! The REST API as programs use it, and a browser without JavaScript.

use reqwest::{Client, Method, RequestBuilder, header, header::HeaderMap, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::in_time;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Self {
        in_time("an answer", async {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Self { status, headers, text: response.text().await.unwrap() }
        })
        .await
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    /// Checks that this is a problem as RFC 9457 and the contract describe it; returns its body.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!((&body["code"], &body["status"]), (&code.into(), &status.into()), "{body}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].is_string(), "{member} in {body}");
        }
        if status == 429 {
            assert!(self.header("retry-after").parse::<u64>().unwrap() > 0);
        }
        body
    }
}

fn client(cookies: bool) -> Client {
    Client::builder().redirect(Policy::none()).cookie_store(cookies).no_proxy().build().unwrap()
}

/// The credentials of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    Nothing,
    /// An API token, or the secret of a link.
    Token(String),
    /// `name=value`, with the headers that a page of this server sends.
    Cookie(String),
}

/// `/api/v1` with a token, a cookie, or nothing.
#[derive(Clone)]
pub struct Api {
    http: Client,
    url: String,
    sign: Sign,
}

impl Api {
    pub fn new(url: &str, sign: Sign) -> Self {
        Self { http: client(false), url: url.to_owned(), sign }
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(method, &format!("/api/v1{path}"))
    }

    /// A request to any path.
    pub fn request_to(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.sign {
            Sign::Nothing => request,
            Sign::Token(token) => request.bearer_auth(token),
            Sign::Cookie(cookie) => request.header(header::COOKIE, cookie).header(header::ORIGIN, &self.url),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Sends a file as a form does, in the part `file`.
    pub async fn upload(&self, path: &str, name: &str, media_type: &str, bytes: &[u8]) -> Answer {
        Answer::to(multipart(self.request(Method::POST, path), "file", name, media_type, bytes)).await
    }
}

/// Gives a request a body with one file.
pub fn multipart(request: RequestBuilder, part: &str, name: &str, media_type: &str, bytes: &[u8]) -> RequestBuilder {
    with_files(request, &[], part, &[(name, media_type, bytes)])
}

/// Gives a request a body with fields, and with files in parts of the same name.
fn with_files(
    request: RequestBuilder,
    fields: &[(&str, &str)],
    part: &str,
    files: &[(&str, &str, &[u8])],
) -> RequestBuilder {
    const BOUNDARY: &str = "the-boundary-of-the-parts";
    let mut body = Vec::new();
    let mut add = |head: String, bytes: &[u8]| {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    };
    for (name, value) in fields {
        add(format!("name=\"{name}\""), value.as_bytes());
    }
    for (name, media_type, bytes) in files {
        add(format!("name=\"{part}\"; filename=\"{name}\"\r\nContent-Type: {media_type}"), bytes);
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    request.header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
}

/// Keeps cookies, follows no redirects, and sends forms as browsers do.
#[derive(Clone)]
pub struct Browser {
    pub http: Client,
    pub url: String,
}

impl Browser {
    pub fn new(url: &str) -> Self {
        // Tests that read cookies store them by hand.
        Self { http: client(true), url: url.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Sends a form from a page of this server.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::to(self.form(path, fields).header(header::ORIGIN, &self.url)).await
    }

    /// Sends a form with files from a page of this server.
    pub async fn submit_files(&self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url)).header(header::ORIGIN, &self.url);
        Answer::to(with_files(request, fields, "file", files)).await
    }

    /// A form without the headers of its origin.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).form(fields)
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.submit("/login", &[("email", email), ("password", password)]).await
    }
}

/// The `name=value` of the cookie that an answer sets.
impl Answer {
    #[track_caller]
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}
