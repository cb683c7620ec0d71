//! Asks the server functions of `api`. Their generated callers would read answers with the generated
//! readers that [`json`](super::json) does without.

use leptos::leptos_dom::helpers::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{RequestInit, Response};

use super::{
    json::{Json, Object},
    page,
    wire::FromJson,
};
use crate::{
    domain::Problem,
    protocol::{GUEST, VIEWER},
};

/// Calls the server function at `path` with `arguments`, and then `done` with its answer.
pub fn ask<T: FromJson>(path: &'static str, arguments: Object, done: impl FnOnce(Result<T, Problem>) + 'static) {
    call(
        path,
        arguments.end(),
        Box::new(|answer| done(answer.and_then(|json| T::from_json(&json).ok_or_else(Problem::unavailable)))),
    );
}

fn call(path: &'static str, arguments: String, done: Box<dyn FnOnce(Result<Json, Problem>)>) {
    spawn_local(async move {
        done(match post(path, &arguments).await {
            Some((true, json)) => Ok(json),
            Some((false, json)) => Err(Problem::from_json(&json).unwrap_or_else(Problem::unavailable)),
            None => Err(Problem::unavailable()),
        });
    });
}

/// Whether it went well, and what was answered; `None` if nothing was.
async fn post(path: &str, body: &str) -> Option<(bool, Json)> {
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&JsValue::from_str(body));
    let headers = js_sys::Object::new();
    let viewer = page::viewer().map_or_else(|| GUEST.to_owned(), |viewer| viewer.to_string());
    for (name, value) in [("content-type", "application/json"), (VIEWER, &viewer)] {
        let _ = js_sys::Reflect::set(&headers, &name.into(), &value.into());
    }
    request.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(path, &request)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    Some((response.ok(), Json::parse(&text)?))
}
