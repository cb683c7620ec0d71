//! Server functions: what pages ask while they are rendered, and islands later from the browser.
//!
//! A file per noun. Each function is thin: it finds out who asks and calls `service`. Plain forms do
//! not come here but to the address of their own page (`http::forms`), so that a mistake can be
//! answered with the page itself and everything that was typed.

mod conversations;
mod messages;
mod viewer;

pub use conversations::*;
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post},
};
pub use messages::*;
use serde::{
    Serialize,
    de::{DeserializeOwned, Error as _},
};
pub use viewer::*;

use crate::domain::{Code, Problem};

/// How functions are called and answer: JSON in the body of a POST request.
pub(crate) type Json = Post<JsonText>;

/// JSON that is read as text. What `server_fn` brings reads bytes, and browsers would load the code
/// that reads our types twice: props and frames are text.
pub struct JsonText;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_str(std::str::from_utf8(&bytes).map_err(serde_json::Error::custom)?)
    }
}

impl FromServerFnError for Problem {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::new(Code::Invalid, "The request could not be understood.")
            }
            _ => Self::unavailable(),
        }
    }
}
