//! Plain forms: everything that works without JavaScript.
//!
//! A form posts to the address of its own page. Done: 303 to where the result is to be seen. Not
//! done: the same page again, with the reason next to the field and everything that was typed,
//! passwords aside.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Form,
    extract::{FromRequest, Request, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    App, Asker, auth, error, multipart,
    pages::{PageId, confirmation, own_path, problem, render, see_other, signed_in},
    router::BODY_BYTES,
    security,
};
use crate::{
    app::FormState,
    domain::{
        Actor, AttachmentId, ClientId, Code, Conversation, ConversationId, ConversationStatus, InviteId, ParticipantId,
        Problem, RequestId, RequestStatus, RequestText, Role, SessionId, TokenId, User, UserId, parse_money,
    },
    locales::{self, t},
    service::{MAX_ATTACHMENTS, Secret, Service, Upload, too_many_attachments},
};

fn too_much() -> Problem {
    Problem::new(Code::TooLarge, t!(locales::current(), problem::TOO_MUCH))
}

/// The fields of a form. What is no such form is answered with a page that says so.
pub(super) struct Fields<T>(T);

impl<T: DeserializeOwned> FromRequest<App> for Fields<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let asker = request.extensions().get::<Asker>().cloned();
        let rejection = match Form::from_request(request, app).await {
            Ok(Form(fields)) => return Ok(Self(fields)),
            Err(rejection) => rejection,
        };
        let reason = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_much(),
            _ => Problem::new(Code::Invalid, t!(locales::current(), problem::FORM)),
        };
        Err(match asker {
            Some(asker) => problem(app, asker, reason).await,
            None => reason.into_response(),
        })
    }
}

/// Shows the page at `path` again.
async fn again<const N: usize>(
    app: &App,
    asker: Asker,
    path: &str,
    reason: Problem,
    values: [(&str, String); N],
) -> Response {
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>();
    let uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let (status, retry_after) = (error::status(&reason), reason.retry_after_s);
    let mut response = render(app, asker, uri, status, FormState { problem: Some(reason), values }).await;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[derive(Deserialize)]
pub(super) struct SetUp {
    token: String,
    name: String,
    email: String,
    password: String,
}

pub(super) async fn set_up(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SetUp>,
) -> Response {
    let SetUp { token, name, email, password } = form;
    let secret = Secret::presented(&token).as_link();
    let done = async {
        let user = app.service.set_up(&secret, asker.address, &email, &name, &password).await?;
        let cookie = app.service.start_session(&user, asker.visitor()).await?;
        Ok::<_, Problem>((user, cookie))
    };
    match done.await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) if reason.code == Code::Invalid => {
            let path = format!("/setup?token={}", url_part(&token));
            again(&app, asker, &path, reason, [("token", token), ("name", name), ("email", email)]).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}

/// Keeps what may stand in a query as it is and drops the rest: tokens have nothing else.
fn url_part(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

pub(super) async fn sign_in(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SignIn>,
) -> Response {
    let SignIn { email, password, next } = form;
    match app.service.sign_in(&email, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, next.as_deref()),
        Err(reason) => {
            again(&app, asker, "/login", reason, [("email", email), ("next", next.unwrap_or_default())]).await
        }
    }
}

pub(super) async fn sign_out(State(app): State<App>, Extension(asker): Extension<Asker>, jar: CookieJar) -> Response {
    if let Some(session) = asker.session_id()
        && let Err(reason) = app.service.sign_out(session).await
    {
        return problem(&app, asker, reason).await;
    }
    (auth::no_session_cookies(&jar, app.service.public_url()), security::FORGET_PAGES, see_other("/")).into_response()
}

/// The key that a form which makes something shows again: the same, as what it asked for may have been made all the same;
/// another if that is certain.
fn key_after(reason: &Problem, key: Option<ClientId>) -> (&'static str, String) {
    let key = key.filter(|_| reason.code != Code::Conflict);
    ("form_key", key.map(|key| key.to_string()).unwrap_or_default())
}

#[derive(Deserialize)]
pub(super) struct OpenChat {
    #[serde(default)]
    form_key: Option<ClientId>,
    customer_name: String,
    #[serde(default)]
    customer_email: String,
    #[serde(default)]
    first_message: String,
}

pub(super) async fn open_chat(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<OpenChat>,
) -> Response {
    let OpenChat { form_key, customer_name, customer_email, first_message } = form;
    let opened = match asker.clone().require() {
        Ok((service, actor)) => {
            service.open_chat(&actor, form_key, &customer_name, Some(&customer_email), Some(&first_message)).await
        }
        Err(reason) => Err(reason),
    };
    match opened {
        Ok(conversation) => see_other(&format!("/admin?chat={}", conversation.id)),
        Err(reason) => {
            let values = [
                key_after(&reason, form_key),
                ("customer_name", customer_name),
                ("customer_email", customer_email),
                ("first_message", first_message),
            ];
            refused(&app, asker, "/admin?new=1", reason, values).await
        }
    }
}

/// Leads on when something was done, and tells on a page of its own what went wrong.
async fn lead_on<T>(
    app: &App,
    asker: Asker,
    done: impl AsyncFnOnce(Arc<Service>, Actor) -> Result<T, Problem>,
    to: impl FnOnce(T) -> String,
) -> Response {
    let done = match asker.clone().require() {
        Ok((service, actor)) => done(service, actor).await,
        Err(reason) => Err(reason),
    };
    match done {
        Ok(done) => see_other(&to(done)),
        Err(reason) => problem(app, asker, reason).await,
    }
}

/// The page of a conversation on the dashboard.
fn desk(conversation: Conversation) -> String {
    format!("/admin?chat={}", conversation.id)
}

pub(super) async fn close(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    let close = async |service: Arc<Service>, actor| service.set_status(&actor, id, ConversationStatus::Closed).await;
    lead_on(&app, asker, close, desk).await
}

pub(super) async fn reopen(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    let reopen = async |service: Arc<Service>, actor| service.set_status(&actor, id, ConversationStatus::Open).await;
    lead_on(&app, asker, reopen, desk).await
}

pub(super) async fn make_link(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    lead_on(&app, asker, async |service: Arc<Service>, actor| service.make_link(&actor, id).await, desk).await
}

pub(super) async fn revoke_link(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    lead_on(&app, asker, async |service: Arc<Service>, actor| service.revoke_link(&actor, id).await, desk).await
}

#[derive(Default, Deserialize)]
pub(super) struct NewMessage {
    content: String,
    /// Made by the server with the page: sending the form twice makes one message.
    #[serde(default)]
    client_id: Option<ClientId>,
    /// The page that has the chat beside it, if it is not the chat's own.
    #[serde(default)]
    from: Option<String>,
    /// Whose page the form was on.
    #[serde(default, rename = "as")]
    sender: Option<ParticipantId>,
}

/// Whether the page at this address is one that can have a chat beside it.
fn has_chat_beside(path: &str) -> bool {
    ["/account?", "/requests/", "/admin/requests?"].iter().any(|page| path.starts_with(page))
}

pub(super) async fn post_message(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    Fields(form): Fields<NewMessage>,
) -> Response {
    let Some(actor) = asker.actor.clone() else {
        return match form.sender {
            Some(_) => not_sent(&app, asker, Problem::not_found(), form.content).await,
            None => problem(&app, asker, Problem::not_found()).await,
        };
    };
    post(&app, asker, &actor, id, form, Ok(Vec::new())).await
}

/// A form was sent, stopped, changed and sent again.
fn sent_before() -> Problem {
    Problem::new(Code::Conflict, t!(locales::current(), problem::MESSAGE_SENT_BEFORE))
}

/// Sends a message with files, or says why these could not be taken.
async fn post(
    app: &App,
    asker: Asker,
    actor: &Actor,
    id: ConversationId,
    form: NewMessage,
    files: Result<Vec<AttachmentId>, Problem>,
) -> Response {
    if let Err(reason) = app.service.require_sender(actor, id, form.sender).await {
        return not_sent(app, asker, reason, form.content).await;
    }
    let page = match form.from.as_deref().and_then(own_path).filter(|path| has_chat_beside(path)) {
        Some(page) => page.to_owned(),
        None if actor.is_admin() => format!("/admin?chat={id}"),
        None => format!("/chat/{id}"),
    };
    let posted = match files {
        Ok(files) if files.is_empty() => {
            app.service.post_message(actor, id, form.client_id, &form.content, files).await.map(drop)
        }
        Ok(files) => app.service.post_files(actor, id, form.client_id, &form.content, files).await,
        Err(reason) => Err(reason),
    };
    match posted {
        Ok(()) => see_other(&page),
        Err(reason) if matches!(reason.code, Code::NotFound | Code::Unauthorized) => problem(app, asker, reason).await,
        // What was typed stays, whatever the reason.
        Err(reason) => {
            // The key stays too, as what was sent may have been stored all the same; unless it is taken.
            let key = form.client_id.filter(|_| reason.code != Code::Conflict);
            let reason = if reason.code == Code::Conflict { sent_before() } else { reason };
            let client_id = key.map(|id| id.to_string()).unwrap_or_default();
            again(app, asker, &page, reason, [("content", form.content), ("client_id", client_id)]).await
        }
    }
}

/// Says that a message was not sent because its form was on somebody else's page. Its text is there to be copied, but
/// not in the chat's form, where the next press of a key would send it in the wrong name. Whether the chat exists is
/// not said.
async fn not_sent(app: &App, asker: Asker, mut reason: Problem, content: String) -> Response {
    if matches!(reason.code, Code::Forbidden | Code::NotFound) {
        reason = Problem::forbidden(t!(locales::current(), problem::MESSAGE_NOT_SENT));
    }
    let status = error::status(&reason);
    let values = BTreeMap::from([("content".to_owned(), content)]);
    render(app, asker, Uri::from_static("/problem"), status, FormState { problem: Some(reason), values }).await
}

/// A message with files. What is refused is read to its end, so that what was typed is not lost.
pub(super) async fn post_files(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    form: multipart::Form,
) -> Response {
    let Some(actor) = asker.actor.clone() else { return problem(&app, asker, Problem::not_found()).await };
    // Before any of it is read: nobody's who may not put it here, and not too many at once.
    let upload = match app.service.begin_upload(&actor, asker.address.into(), id).await {
        Ok(upload) => upload,
        Err(reason) => return problem(&app, asker, reason).await,
    };
    let mut fields = NewMessage::default();
    let most = MAX_ATTACHMENTS.saturating_mul(app.service.limits().attachment_bytes);
    let most = most.saturating_add(multipart::MOST_DROPPED);
    let files = match form.read(most) {
        Ok(parts) => read_files(&upload, parts, &mut fields).await,
        Err(reason) => Err(reason),
    };
    drop(upload);
    post(&app, asker, &actor, id, fields, files).await
}

/// Puts the files of a form into the conversation, and what else it has into `fields`.
async fn read_files(
    upload: &Upload<'_>,
    mut parts: multipart::Parts,
    fields: &mut NewMessage,
) -> Result<Vec<AttachmentId>, Problem> {
    let mut files = Vec::new();
    let mut refused = None;
    while let Some(part) = parts.next().await? {
        if part.name() != "file" {
            let part_name = part.name().to_owned();
            let Some(bytes) = part.bytes(BODY_BYTES).await? else {
                // The files are not sent without the words that belong to them.
                refused = Some(too_much());
                continue;
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match &*part_name {
                "content" => fields.content = text,
                "client_id" => fields.client_id = text.parse().ok(),
                "from" => fields.from = Some(text),
                "as" => {
                    // What is no id is nobody's.
                    fields.sender = Some(text.parse().unwrap_or(ParticipantId::told(Uuid::nil())));
                    // Here, because it stands before the files: those of a wrong sender are not kept.
                    refused = refused.or(upload.require_sender(fields.sender).await.err());
                }
                _ => {}
            }
        } else if refused.is_some() {
            part.skip().await?;
        } else {
            match read_file(upload, part, files.len()).await? {
                Ok(file) => files.extend(file),
                Err(reason) => refused = Some(reason),
            }
        }
    }
    match refused {
        Some(reason) => Err(reason),
        None if files.is_empty() => Err(Problem::invalid("file", t!(locales::current(), problem::FILE_MISSING))),
        None => Ok(files),
    }
}

/// Puts one file more than `count` into the conversation, or says why not. `None` if none was chosen.
///
/// # Errors
/// If the form cannot be read on.
async fn read_file(
    upload: &Upload<'_>,
    mut part: multipart::Part,
    count: usize,
) -> Result<Result<Option<AttachmentId>, Problem>, Problem> {
    let name = part.file_name().to_owned();
    let mut chunk = part.chunk().await?;
    // So browsers send a field in which nothing was chosen.
    if name.is_empty() && chunk.is_none() {
        return Ok(Ok(None));
    }
    let begun = match count {
        MAX_ATTACHMENTS => Err(too_many_attachments("file")),
        _ => upload.file(&name).await,
    };
    let mut file = match begun {
        Ok(file) => file,
        Err(reason) => return part.skip().await.map(|()| Err(reason)),
    };
    while let Some(bytes) = chunk {
        if let Err(reason) = file.write(&bytes).await {
            drop(file);
            return part.skip().await.map(|()| Err(reason));
        }
        chunk = part.chunk().await?;
    }
    Ok(file.finish().await.map(|file| Some(file.id)))
}

/// Answers a form that was refused: with its page again if it can be sent again, now or later,
/// else with a page that says so.
async fn refused<const N: usize>(
    app: &App,
    asker: Asker,
    path: &str,
    reason: Problem,
    values: [(&str, String); N],
) -> Response {
    match reason.code {
        Code::Invalid | Code::Conflict | Code::RateLimited | Code::Unavailable => {
            again(app, asker, path, reason, values).await
        }
        _ => problem(app, asker, reason).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Register {
    name: String,
    email: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

pub(super) async fn register(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Register>,
) -> Response {
    let Register { name, email, password, next } = form;
    match app.service.register(&email, &name, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, next.as_deref()),
        Err(reason) => {
            let values = [("name", name), ("email", email), ("next", next.unwrap_or_default())];
            refused(&app, asker, "/register", reason, values).await
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Forgot {
    email: String,
}

pub(super) async fn forgot(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<Forgot>,
) -> Response {
    match app.service.ask_for_password_reset(&form.email, asker.address).await {
        Ok(()) => {
            let values = BTreeMap::from([("email".to_owned(), form.email)]);
            let form = FormState { problem: None, values };
            render(&app, asker, Uri::from_static("/forgot"), StatusCode::OK, form).await
        }
        Err(reason) => refused(&app, asker, "/forgot", reason, [("email", form.email)]).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Reset {
    token: String,
    password: String,
}

pub(super) async fn reset(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Reset>,
) -> Response {
    let secret = Secret::presented(&form.token).as_link();
    match app.service.reset_password(&secret, &form.password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) => {
            let path = format!("/reset?token={}", url_part(&form.token));
            refused(&app, asker, &path, reason, [("token", form.token)]).await
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Confirm {
    token: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn confirm(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Confirm>,
) -> Response {
    let secret = Secret::presented(&form.token);
    match app.service.confirm_email(&secret, &form.password, asker.visitor()).await {
        Ok((user, Some(cookie))) => signed_in(&app, &jar, &user, &cookie, None),
        Ok((_, None)) => see_other("/account?tab=profile&confirmed=1"),
        Err(reason) if matches!(reason.code, Code::Invalid | Code::Unauthorized) => {
            confirmation(&app, asker, &form.token, Some(reason)).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}

pub(super) async fn ask_for_confirmation(State(app): State<App>, Extension(asker): Extension<Asker>) -> Response {
    let asked = async {
        let user = account(&asker)?;
        app.service.ask_for_confirmation(&user, asker.visitor()).await
    };
    match asked.await {
        Ok(()) => see_other("/account?tab=profile&sent=1"),
        Err(reason) => refused(&app, asker, "/account?tab=profile", reason, []).await,
    }
}

pub(super) async fn accept_invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SetUp>,
) -> Response {
    let SetUp { token, name, email, password } = form;
    let secret = Secret::presented(&token).as_link();
    match app.service.accept_invite(&secret, &email, &name, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) => {
            let path = format!("/invite?token={}", url_part(&token));
            refused(&app, asker, &path, reason, [("token", token), ("name", name), ("email", email)]).await
        }
    }
}

/// The account that is signed in.
///
/// # Errors
/// `unauthorized`.
fn account(asker: &Asker) -> Result<User, Problem> {
    asker.actor.as_ref().and_then(Actor::user).cloned().ok_or_else(Problem::unauthorized)
}

#[derive(Deserialize)]
pub(super) struct Profile {
    name: String,
    email: String,
    #[serde(default)]
    current_password: String,
}

pub(super) async fn set_profile(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<Profile>,
) -> Response {
    let Profile { name, email, current_password } = form;
    let done = async {
        let user = account(&asker)?;
        app.service.set_profile(&user, &name, &email, &current_password, asker.visitor()).await
    };
    match done.await {
        Ok(false) => see_other("/account?tab=profile&done=1"),
        Ok(true) => see_other("/account?tab=profile&sent=1"),
        Err(reason) => refused(&app, asker, "/account?tab=profile", reason, [("name", name), ("email", email)]).await,
    }
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    current_password: String,
    password: String,
}

pub(super) async fn change_password(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewPassword>,
) -> Response {
    let done = async {
        let user = account(&asker)?;
        app.service.change_password(&user, &form.current_password, &form.password, asker.visitor()).await
    };
    match done.await {
        Ok(()) => see_other("/account?tab=security&done=1"),
        Err(reason) => refused(&app, asker, "/account?tab=security", reason, []).await,
    }
}

pub(super) async fn end_session(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<SessionId>,
) -> Response {
    let end = async |service: Arc<Service>, actor: Actor| {
        service.end_session(actor.user().ok_or_else(Problem::unauthorized)?, id).await
    };
    // Ending one's own is signing out.
    let forget = (asker.session_id() == Some(id)).then_some(security::FORGET_PAGES);
    (forget, lead_on(&app, asker, end, |()| "/account?tab=security".to_owned()).await).into_response()
}

#[derive(Deserialize)]
pub(super) struct NewRequest {
    #[serde(default)]
    form_key: Option<ClientId>,
    title: String,
    description: String,
    #[serde(default)]
    budget: String,
    #[serde(default)]
    wanted_on: String,
}

pub(super) async fn new_request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewRequest>,
) -> Response {
    let NewRequest { form_key, title, description, budget, wanted_on } = form;
    let made = async {
        let (service, actor) = asker.clone().require()?;
        let cents = parse_money("budget", &budget)?;
        let text = RequestText::parse(&title, &description, cents, Some(&wanted_on))?;
        service.create_request(&actor, form_key, None, text).await
    };
    match made.await {
        Ok(request) => see_other(&format!("/requests/{}", request.id)),
        Err(reason) => {
            let values = [
                key_after(&reason, form_key),
                ("title", title),
                ("description", description),
                ("budget", budget),
                ("wanted_on", wanted_on),
            ];
            refused(&app, asker, "/requests/new", reason, values).await
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OpenRequestChat {
    /// The page with the chat beside it.
    #[serde(default)]
    from: String,
}

pub(super) async fn open_request_chat(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<OpenRequestChat>,
) -> Response {
    let open = async |service: Arc<Service>, actor| service.open_request_conversation(&actor, id).await;
    lead_on(&app, asker, open, |_| own_path(&form.from).map_or_else(|| format!("/requests/{id}?chat=1"), str::to_owned))
        .await
}

#[derive(Deserialize)]
pub(super) struct SetStatus {
    status: RequestStatus,
    #[serde(default)]
    from: String,
}

pub(super) async fn set_request_status(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<SetStatus>,
) -> Response {
    let set = async |service: Arc<Service>, actor| service.set_request_status(&actor, id, form.status).await;
    lead_on(&app, asker, set, |_| own_path(&form.from).map_or_else(|| format!("/requests/{id}"), str::to_owned)).await
}

/// Shows the page at `path` with something that was just made and is shown once.
async fn made(app: &App, asker: Asker, path: &'static str, what: String) -> Response {
    let form = FormState { problem: None, values: BTreeMap::from([("made".to_owned(), what)]) };
    render(app, asker, Uri::from_static(path), StatusCode::OK, form).await
}

#[derive(Deserialize)]
pub(super) struct NewInvite {
    #[serde(default)]
    form_key: Option<ClientId>,
}

pub(super) async fn invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewInvite>,
) -> Response {
    let invited = match asker.clone().require() {
        Ok((service, actor)) => service.invite(&actor, form.form_key).await,
        Err(reason) => Err(reason),
    };
    match invited {
        Ok(link) => made(&app, asker, "/admin/people", link).await,
        Err(reason) => {
            let key = key_after(&reason, form.form_key);
            refused(&app, asker, "/admin/people", reason, [key]).await
        }
    }
}

pub(super) async fn withdraw_invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<InviteId>,
) -> Response {
    let withdraw = async |service: Arc<Service>, actor| service.withdraw_invite(&actor, id).await;
    lead_on(&app, asker, withdraw, |()| "/admin/people".to_owned()).await
}

#[derive(Deserialize)]
pub(super) struct NewRole {
    role: Role,
}

pub(super) async fn set_role(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<UserId>,
    Fields(form): Fields<NewRole>,
) -> Response {
    let set = async |service: Arc<Service>, actor| service.set_role(&actor, id, form.role).await;
    lead_on(&app, asker, set, |_| "/admin/people".to_owned()).await
}

#[derive(Deserialize)]
pub(super) struct NewToken {
    #[serde(default)]
    form_key: Option<ClientId>,
    name: String,
}

pub(super) async fn create_token(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewToken>,
) -> Response {
    let created = match asker.clone().require() {
        Ok((service, actor)) => service.create_own_token(&actor, form.form_key, Some(&form.name)).await,
        Err(reason) => Err(reason),
    };
    match created {
        Ok((_, secret)) => made(&app, asker, "/admin/tokens", secret.expose().to_owned()).await,
        Err(reason) => {
            let values = [key_after(&reason, form.form_key), ("name", form.name)];
            refused(&app, asker, "/admin/tokens", reason, values).await
        }
    }
}

pub(super) async fn revoke_token(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<TokenId>,
) -> Response {
    let revoke = async |service: Arc<Service>, actor: Actor| match actor {
        Actor::Admin(_) => service.revoke_token(id).await,
        _ => Err(Problem::forbidden(t!(locales::current(), problem::ADMIN_NEEDED))),
    };
    lead_on(&app, asker, revoke, |()| "/admin/tokens".to_owned()).await
}
