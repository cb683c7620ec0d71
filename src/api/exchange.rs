//! Frames without a socket, for browsers between which and the server something lets no sockets through.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::{
    domain::{Problem, Timestamp, objects},
    protocol::{ClientFrame, ServerFrame},
};

/// What the server has to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Exchanged {
    /// As on a socket: the answers in the order of what was asked, then what happened by itself.
    pub frames: Vec<ServerFrame>,
    /// The server's time. What happens from now on is told to whoever asks `since` then.
    pub now: Timestamp,
    /// This person has as many sockets open as one may have, so another does not get through.
    pub crowded: bool,
}

objects!(Exchanged);

/// Does what the frames ask, and tells what happened `since`; without it, who the browser is.
#[server(input = Json, output = Json, endpoint = "exchange", client = PageClient)]
pub async fn exchange(frames: Vec<ClientFrame>, since: Option<Timestamp>) -> Result<Exchanged, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.exchange(&actor, frames, since).await
}
