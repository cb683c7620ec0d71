//! Every route of the server, in one place.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, delete, get, patch, post},
};
use tower_http::compression::CompressionLayer;

use super::{
    App, assets, auth,
    body_size::{BODY_BYTES, SHORT_BODY_BYTES},
    forms, health, home, language, metrics, pace, pages, rest, security, trace, ws,
};
use crate::domain::RequestText;

/// Maximum number of bytes of a form-encoded character.
const FORM_BYTES: usize = 12;

pub(super) fn routes(app: App) -> Router {
    let chars = app.service.limits().message_chars.max(RequestText::MAX_DESCRIPTION_CHARS);
    let text = || DefaultBodyLimit::max(chars * FORM_BYTES + SHORT_BODY_BYTES);
    let api = Router::new()
        .route("/conversations", get(rest::conversations::list).post(rest::conversations::open))
        .route(
            "/conversations/{id}",
            get(rest::conversations::show).patch(rest::conversations::change).delete(rest::conversations::close),
        )
        .route(
            "/conversations/{id}/link",
            post(rest::conversations::make_link).delete(rest::conversations::revoke_link),
        )
        .route("/conversations/{id}/messages", get(rest::messages::list).post(rest::messages::post))
        .route("/conversations/{id}/read", post(rest::messages::read))
        .route("/conversations/{id}/transcript", get(rest::conversations::transcript))
        .route("/conversations/{id}/transcript/mail", post(rest::conversations::mail_transcript))
        .route("/conversations/{id}/rating", post(rest::conversations::rate))
        .route("/conversations/{id}/attachments", post(rest::attachments::add))
        .route("/attachments/{id}", get(rest::attachments::show))
        .route("/messages/{id}", patch(rest::messages::edit).delete(rest::messages::delete))
        .route("/search", get(rest::messages::search))
        .route("/requests", get(rest::requests::list).post(rest::requests::create))
        .route("/requests/{id}", get(rest::requests::show).patch(rest::requests::change))
        .route("/requests/{id}/attachments", post(rest::attachments::add_to_request))
        .route("/requests/{id}/conversation", post(rest::requests::open_conversation))
        .route("/push/key", get(rest::push::key))
        .route("/push/subscriptions", post(rest::push::subscribe))
        .route("/push/subscriptions/{id}", delete(rest::push::unsubscribe))
        .route("/openapi.json", get(rest::openapi::show))
        .fallback(rest::not_found)
        .method_not_allowed_fallback(rest::method_not_allowed)
        .layer(middleware::map_response(security::keep_private));

    let pages = Router::new()
        .route("/", get(pages::public))
        .route("/setup", get(pages::setup).post(forms::accounts::set_up))
        .route("/login", get(pages::login).post(forms::accounts::sign_in))
        .route("/logout", get(pages::logout).post(forms::accounts::sign_out))
        .route("/session", get(pages::session))
        .route("/language", post(language::choose))
        .route("/register", get(pages::register).post(forms::accounts::register))
        .route("/forgot", get(pages::public).post(forms::accounts::forgot))
        .route("/reset", get(pages::reset).post(forms::accounts::reset))
        .route("/confirm", get(pages::confirm).post(forms::accounts::confirm))
        .route("/invite", get(pages::invite).post(forms::accounts::accept_invite))
        .route("/account", get(pages::account))
        .route("/account/profile", post(forms::accounts::set_profile))
        .route("/account/confirmation", post(forms::accounts::ask_for_confirmation))
        .route("/account/password", post(forms::accounts::change_password))
        .route("/account/sessions/{id}/end", post(forms::accounts::end_session))
        .route("/unsubscribe", get(pages::unsubscribe).post(forms::mail::unsubscribe))
        .route("/docs/api", get(pages::public))
        .route("/chat", get(pages::open_link))
        .route("/chat/{id}", get(pages::chat).post(forms::messages::post_message).layer(text()))
        .route("/chat/{id}/files", post(forms::messages::post_files))
        .route("/chat/{id}/rating", post(forms::closing::rate).layer(text()))
        .route("/chat/{id}/transcript", post(forms::closing::mail_transcript))
        .fallback(pages::not_found)
        // A reload after a form, and the language switch, send GET to addresses of forms.
        .method_not_allowed_fallback(pages::not_found)
        .layer(CompressionLayer::new());

    let desk = Router::new()
        .route("/admin", get(pages::admin))
        .route("/admin/chats", post(forms::conversations::open_chat).layer(text()))
        .route("/admin/chats/{id}/close", post(forms::conversations::close))
        .route("/admin/chats/{id}/reopen", post(forms::conversations::reopen))
        .route("/admin/chats/{id}/link", post(forms::conversations::make_link))
        .route("/admin/chats/{id}/revoke", post(forms::conversations::revoke_link))
        .route("/requests/new", get(pages::new_request).post(forms::requests::new_request).layer(text()))
        .route("/requests/{id}", get(pages::request))
        .route("/requests/{id}/edit", get(pages::request).post(forms::requests::edit_request).layer(text()))
        .route("/requests/{id}/files", post(forms::requests::add_files))
        .route("/requests/{id}/withdraw", post(forms::requests::withdraw_request))
        .route("/requests/{id}/chat", post(forms::requests::open_request_chat))
        .route("/requests/{id}/status", post(forms::requests::set_request_status))
        .route("/admin/requests", get(pages::for_admins))
        .route("/admin/settings", get(pages::for_admins).post(forms::business::set).layer(text()))
        .route("/admin/people", get(pages::for_admins))
        .route("/admin/people/invites", post(forms::people::invite))
        .route("/admin/people/invites/{id}/withdraw", post(forms::people::withdraw_invite))
        .route("/admin/people/{id}/role", post(forms::people::set_role))
        .route("/admin/tokens", get(pages::for_admins).post(forms::tokens::create_token))
        .route("/admin/tokens/{id}/revoke", post(forms::tokens::revoke_token))
        .method_not_allowed_fallback(pages::not_found)
        .layer(CompressionLayer::new())
        .layer(middleware::map_request(security::compress_unless_varied));

    Router::new()
        .merge(pages)
        .merge(desk)
        .layer(DefaultBodyLimit::max(SHORT_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), home::lead))
        .nest("/api/v1", api)
        .route("/api/{*function}", post(pages::server_function).fallback(rest::not_found))
        .route("/ws", any(ws::upgrade))
        // The routes above are authenticated; the ones below need no identity.
        .layer(middleware::from_fn_with_state(app.clone(), auth::identify))
        .layer(security::same_origin(app.service.public_url()))
        .layer(middleware::map_request(security::trust_tokens))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .merge(assets::routes(&app.assets))
        .layer(middleware::from_fn_with_state(app.clone(), pace::keep))
        .layer(middleware::map_request(home::require_host))
        // Around all layers whose responses contain text for people.
        .layer(middleware::from_fn_with_state(app.clone(), language::speak))
        .layer(middleware::map_response_with_state(app.clone(), security::headers))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .layer(middleware::from_fn(trace::name))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app)
}
