//! Server functions: what pages ask while they are rendered, and islands later from the browser.
//!
//! A file per noun. Each function is thin: it finds out who asks and calls `service`. Plain forms do
//! not come here but to the address of their own page (`http::forms`), so that a mistake can be
//! answered with the page itself and everything that was typed.

mod accounts;
mod client;
mod conversations;
mod exchange;
mod messages;
mod reference;
mod requests;
mod viewer;

pub use accounts::*;
pub use client::PageClient;
pub use conversations::*;
pub use exchange::*;
use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
pub use messages::*;
pub use reference::*;
pub use requests::*;
pub use viewer::*;

use crate::{
    domain::{Code, Problem},
    locales::{self, t},
};

impl FromServerFnError for Problem {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::new(Code::Invalid, t!(locales::current(), problem::NOT_UNDERSTOOD))
            }
            _ => Self::unavailable(),
        }
    }
}
