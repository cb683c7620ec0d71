//! The OpenAPI description, `/api/v1/openapi.json`, generated from the handlers.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{attachments, conversations, messages, push, requests};
use crate::domain::{Attachment, Code, Conversation, CustomRequest, Message};

/// The groups of calls, in their order on the reference page.
pub(super) const GROUPS: [&str; 5] = ["Conversations", "Messages", "Attachments", "Custom requests", "Notifications"];

/// The errors of all calls: RFC 9457 with an added `code`.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `http::error` writes")]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    code: Code,
    /// A sentence for people.
    detail: String,
    /// The invalid input.
    field: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bespoken",
        description = "Chats between a business and its customers, and the custom requests that they discuss. \
            A program signs in with `Authorization: Bearer` and an API token, and acts as the admin who created it; or \
            with the secret of a shared link (its `chatId`), and acts as the guest of that conversation. Pages use the \
            cookie of their session."
    ),
    servers((url = "/api/v1")),
    paths(
        conversations::list, conversations::open, conversations::show, conversations::change, conversations::close,
        conversations::make_link, conversations::revoke_link, conversations::transcript, conversations::mail_transcript, conversations::rate,
        messages::list, messages::post, messages::edit, messages::delete, messages::read, messages::search,
        attachments::add, attachments::add_to_request, attachments::show,
        requests::list, requests::create, requests::show, requests::change, requests::open_conversation,
        push::key, push::subscribe, push::unsubscribe,
    ),
    components(schemas(Attachment, Conversation, CustomRequest, Message, Problem)),
    modifiers(&Common),
    security(("token" = []), ("cookie" = []))
)]
struct Api;

/// Adds the parts that all calls share.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
            "bespoken",
            "Over https: `__Host-bespoken`. Of a link: `bespoken-` and eight hexadecimal digits.",
        ));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
        for item in api.paths.paths.values_mut() {
            let all = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in all.into_iter().filter_map(Option::as_mut) {
                for (status, description) in
                    [("4XX", "The request failed, and why"), ("503", "Temporarily unavailable")]
                {
                    let mut response = Response::new(description);
                    let body = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
                    response.content.insert("application/problem+json".to_owned(), body);
                    operation.responses.responses.insert(status.to_owned(), response.into());
                }
            }
        }
    }
}

pub(in crate::http) fn describe() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(in crate::http) async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(describe())
}
