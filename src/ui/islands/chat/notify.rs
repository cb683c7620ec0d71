//! The switch for notifications of this browser (Web Push). It appears where the browser can be notified. The browser
//! asks its person only when that person switches it on.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Notification, NotificationPermission, PushManager, PushSubscription, PushSubscriptionOptionsInit, RequestInit,
    Response,
};

use super::{panel::Panel, part::Need};
use crate::{
    client::page,
    locales::{self, t},
    ui::components::{Icon, icon},
};

#[component]
pub(super) fn Notify(panel: Panel) -> impl IntoView {
    let state = RwSignal::new("");
    Effect::new(move || show(state));
    let on_click = move |_| panel.need(Need::Notify(state.get_untracked() == "off", state));
    view! {
        <button
            class="icon-button chat__notify"
            type="button"
            aria-label=t!(locales::current(), chat::NOTIFY)
            aria-pressed=move || if state.get() == "on" { "true" } else { "false" }
            data-state=move || state.get()
            on:click=on_click
        >
            <Icon d=icon::BELL />
        </button>
    }
}

fn show(state: RwSignal<&'static str>) {
    state.set(match (page::can_be_notified(), page::push_id()) {
        (false, _) => "none",
        (true, None) => "off",
        (true, Some(_)) => "on",
    });
}

/// The browser loads this when somebody uses the switch.
pub(super) async fn switch(panel: Panel, on: bool, state: RwSignal<&'static str>) {
    let done = try_to_switch(on).await;
    panel.if_alive(|| {
        show(state);
        panel.room.write().notice = done.err().map(str::to_owned);
    });
}

/// The error is the reason for the person.
async fn try_to_switch(on: bool) -> Result<(), &'static str> {
    let locale = locales::current();
    if on && !is_allowed().await {
        return Err(t!(locale, chat::NOTIFY_BLOCKED));
    }
    let done = if on { subscribe().await.map(drop) } else { unsubscribe().await.map(drop) };
    done.ok_or(t!(locale, chat::NOTIFY_FAILED))
}

async fn is_allowed() -> bool {
    if let Ok(asked) = Notification::request_permission() {
        let _ = JsFuture::from(asked).await;
    }
    Notification::permission() == NotificationPermission::Granted
}

/// Subscribes at the browser's push service, and then at the server.
async fn subscribe() -> Option<()> {
    let manager = page::service_worker().await?.push_manager().ok()?;
    let key = call("GET", "key", None).await?.get("public_key")?;
    let options = PushSubscriptionOptionsInit::new();
    options.set_user_visible_only(true);
    options.set_application_server_key_opt_str(Some(&key));
    let subscribe = async || JsFuture::from(manager.subscribe_with_options(&options).ok()?).await.ok();
    let subscription = match subscribe().await {
        Some(subscription) => subscription,
        // A subscription with an earlier key of the server prevents another.
        None => {
            end(&manager).await;
            subscribe().await?
        }
    };
    let text = js_sys::JSON::stringify(&subscription).ok()?;
    let id = call("POST", "subscriptions", Some(text.into())).await?.get("id")?;
    page::set_push_id(Some(&id));
    Some(())
}

async fn unsubscribe() -> Option<()> {
    call("DELETE", &format!("subscriptions/{}", page::push_id()?), None).await?;
    page::set_push_id(None);
    end(&page::service_worker().await?.push_manager().ok()?).await;
    Some(())
}

/// Ends the subscription at the browser's push service.
async fn end(manager: &PushManager) -> Option<()> {
    let subscription: PushSubscription = JsFuture::from(manager.get_subscription().ok()?).await.ok()?.into();
    JsFuture::from(subscription.unsubscribe().ok()?).await.ok()?;
    Some(())
}

/// The answer of the API: a JSON object, or nothing.
struct Answer(JsValue);

impl Answer {
    fn get(&self, name: &str) -> Option<String> {
        js_sys::Reflect::get(&self.0, &name.into()).ok()?.as_string()
    }
}

async fn call(method: &str, path: &str, body: Option<JsValue>) -> Option<Answer> {
    let request = RequestInit::new();
    request.set_method(method);
    if let Some(body) = body {
        request.set_body(&body);
        let headers = js_sys::Array::of2(&"content-type".into(), &"application/json".into());
        request.set_headers(&js_sys::Array::of1(&headers));
    }
    let sent = window().fetch_with_str_and_init(&format!("/api/v1/push/{path}"), &request);
    let response: Response = JsFuture::from(sent).await.ok()?.into();
    match response.status() {
        204 | 404 => Some(Answer(JsValue::UNDEFINED)),
        200 | 201 => JsFuture::from(response.json().ok()?).await.ok().map(Answer),
        _ => None,
    }
}
