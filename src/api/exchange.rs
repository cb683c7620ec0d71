//! Frames over HTTP, for browsers whose network blocks sockets.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::{
    domain::{Problem, Timestamp, objects},
    protocol::{ClientFrame, ServerFrame},
};

/// The server's response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Exchanged {
    /// As on a socket: the answers in the order of the requests, then other changes.
    pub frames: Vec<ServerFrame>,
    /// The server's time, for `since` in the next request, which receives later changes.
    pub now: Timestamp,
    /// This person has the maximum number of open sockets, so another one would be rejected.
    pub crowded: bool,
}

objects!(Exchanged);

/// Performs the frames, and returns changes after `since`; without `since`, the browser's identity.
#[server(input = Json, output = Json, endpoint = "exchange", client = PageClient)]
pub async fn exchange(frames: Vec<ClientFrame>, since: Option<Timestamp>) -> Result<Exchanged, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.exchange(&actor, frames, since).await
}
