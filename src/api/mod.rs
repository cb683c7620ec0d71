//! Server functions: data for pages during rendering, and later for islands in the browser.
//!
//! A file per noun. Each function is thin: it authenticates the request and calls `service`. Plain forms go to the
//! address of their own page instead (`http::forms`), so that an error response is the page itself with all typed
//! values.

mod accounts;
mod business;
mod client;
mod conversations;
mod exchange;
mod messages;
mod reference;
mod requests;
mod viewer;

pub use accounts::*;
pub use business::*;
pub use client::PageClient;
pub use conversations::*;
pub use exchange::*;
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::{
        Bytes, ContentType, Decodes, Encodes, Format, FormatType,
        codec::{JsonEncoding, Post},
    },
};
pub use messages::*;
pub use reference::*;
pub use requests::*;
use serde::{Serialize, de::DeserializeOwned};
pub use viewer::*;

use crate::{
    domain::{Code, Problem},
    locales::{self, t},
};

/// JSON that is parsed as text, like props and frames. Leptos' own codec parses bytes, for which serde compiles a
/// second deserialiser per type, and the browser would load both.
pub struct Text;

/// The codec of every server function.
pub type Json = Post<Text>;

impl ContentType for Text {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl FormatType for Text {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Text {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Text {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_str(str::from_utf8(&bytes).map_err(serde::de::Error::custom)?)
    }
}

impl FromServerFnError for Problem {
    type Encoder = Text;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::new(Code::Invalid, t!(locales::current(), problem::NOT_UNDERSTOOD))
            }
            _ => Self::unavailable(),
        }
    }
}
