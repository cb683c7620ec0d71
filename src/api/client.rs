//! Calls of server functions from pages, which send the page's owner.

use leptos::server_fn::{
    Bytes,
    client::{Client, browser::BrowserClient},
    request::browser::BrowserRequest,
    response::browser::BrowserResponse,
};

use crate::{
    client::page,
    domain::Problem,
    protocol::{GUEST, VIEWER},
};

/// Sends the page's owner. The server rejects the call if the browser is signed in as another person.
pub struct PageClient;

type Inner = BrowserClient;

impl Client<Problem> for PageClient {
    type Request = BrowserRequest;
    type Response = BrowserResponse;

    fn send(request: BrowserRequest) -> impl Future<Output = Result<BrowserResponse, Problem>> + Send {
        let viewer = page::viewer().unwrap_or_else(|| GUEST.to_owned());
        request.headers().set(VIEWER, &viewer);
        <Inner as Client<Problem>>::send(request)
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (
                impl futures_util::Stream<Item = Result<Bytes, Bytes>> + Send + 'static,
                impl futures_util::Sink<Bytes> + Send + 'static,
            ),
            Problem,
        >,
    > + Send {
        <Inner as Client<Problem>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <Inner as Client<Problem>>::spawn(future);
    }
}
