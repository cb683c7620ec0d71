//! Custom requests.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{FromRequest, Request, State},
    http::header,
    response::Response,
};
use serde::Deserialize;

use super::{
    Fields, again, key_after, lead_on,
    messages::{most_bytes, read_file},
    refused, too_much,
};
use crate::{
    domain::{Actor, ClientId, Code, CustomRequest, Problem, RequestId, RequestStatus, RequestText, parse_money},
    http::{
        App, Asker,
        body_size::BODY_BYTES,
        multipart,
        pages::{PageId, own_path, problem, see_other},
    },
    locales::{self, t},
    service::{Network, Service},
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RequestForm {
    form_key: Option<ClientId>,
    title: String,
    description: String,
    budget: String,
    wanted_on: String,
}

impl RequestForm {
    /// Reads a field of a form with files.
    fn set(&mut self, name: &str, value: String) {
        match name {
            "form_key" => self.form_key = value.parse().ok(),
            "title" => self.title = value,
            "description" => self.description = value,
            "budget" => self.budget = value,
            "wanted_on" => self.wanted_on = value,
            _ => {}
        }
    }

    fn text(&self) -> Result<RequestText, Problem> {
        let cents = parse_money("budget", &self.budget)?;
        RequestText::parse(&self.title, &self.description, cents, Some(&self.wanted_on))
    }

    async fn create(&self, service: &Service, actor: &Actor) -> Result<CustomRequest, Problem> {
        service.create_request(actor, self.form_key, None, self.text()?).await
    }

    /// Shows the form at `path` again.
    async fn again(self, app: &App, asker: Asker, path: &str, reason: Problem) -> Response {
        let values = [
            key_after(&reason, self.form_key),
            ("title", self.title),
            ("description", self.description),
            ("budget", self.budget),
            ("wanted_on", self.wanted_on),
        ];
        refused(app, asker, path, reason, values).await
    }
}

const NEW: &str = "/requests/new";

/// Creates a request from its form, which has files if it is `multipart/form-data`.
pub async fn new_request(State(app): State<App>, Extension(asker): Extension<Asker>, request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|kind| kind.starts_with(mime::MULTIPART_FORM_DATA.essence_str())) {
        let Ok(form) = multipart::Form::from_request(request, &app).await;
        return new_request_with_files(&app, asker, form).await;
    }
    let form: RequestForm = match Fields::from_request(request, &app).await {
        Ok(Fields(form)) => form,
        Err(response) => return response,
    };
    let made = match asker.clone().require() {
        Ok((service, actor)) => form.create(&service, &actor).await,
        Err(reason) => Err(reason),
    };
    match made {
        Ok(request) => see_other(&address(request.id)),
        Err(reason) => form.again(&app, asker, NEW, reason).await,
    }
}

/// Creates the request before it reads the files, which follow the other fields. A rejected file leaves the request as
/// it is, and the request's page shows the reason.
async fn new_request_with_files(app: &App, asker: Asker, form: multipart::Form) -> Response {
    let mut fields = RequestForm::default();
    let (service, actor) = match asker.clone().require() {
        Ok(found) => found,
        Err(reason) => return fields.again(app, asker, NEW, reason).await,
    };
    let mut made = None;
    let read = async {
        let mut parts = form.read(most_bytes(app))?;
        let mut uploads = Uploads::new(&service, &actor, &asker);
        while let Some(part) = parts.next().await? {
            if part.name() != "file" {
                let name = part.name().to_owned();
                let text = part.bytes(BODY_BYTES).await?.ok_or_else(too_much)?;
                fields.set(&name, String::from_utf8_lossy(&text).into_owned());
                continue;
            }
            if made.is_none() {
                made = Some(fields.create(&service, &actor).await.map(|request| request.id));
            }
            match made {
                Some(Ok(id)) => uploads.add(id, part).await?,
                _ => part.skip().await?,
            }
        }
        uploads.end()
    };
    let read = read.await;
    let made = match (made, &read) {
        (Some(made), _) => made,
        (None, Ok(_)) => fields.create(&service, &actor).await.map(|request| request.id),
        (None, Err(reason)) => Err(reason.clone()),
    };
    match (made, read) {
        (Ok(id), Ok(_)) => see_other(&address(id)),
        (Ok(id), Err(reason)) => again(app, asker, &address(id), reason, []).await,
        (Err(reason), _) => fields.again(app, asker, NEW, reason).await,
    }
}

/// Adds files to a request.
pub async fn add_files(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    form: multipart::Form,
) -> Response {
    let add = async {
        let (service, actor) = asker.clone().require()?;
        let mut parts = form.read(most_bytes(&app))?;
        let mut uploads = Uploads::new(&service, &actor, &asker);
        while let Some(part) = parts.next().await? {
            match part.name() {
                "file" => uploads.add(id, part).await?,
                _ => part.skip().await?,
            }
        }
        match uploads.end()? {
            0 => Err(Problem::invalid("file", t!(locales::current(), problem::FILE_MISSING))),
            _ => Ok(()),
        }
    };
    match add.await {
        Ok(()) => see_other(&address(id)),
        Err(reason) if matches!(reason.code, Code::NotFound | Code::Unauthorized) => problem(&app, asker, reason).await,
        Err(reason) => again(&app, asker, &address(id), reason, []).await,
    }
}

/// The files of one form, for a request.
struct Uploads<'a> {
    service: &'a Service,
    actor: &'a Actor,
    from: Network,
    count: usize,
    refused: Option<Problem>,
}

impl<'a> Uploads<'a> {
    fn new(service: &'a Service, actor: &'a Actor, asker: &Asker) -> Self {
        Self { service, actor, from: asker.address.into(), count: 0, refused: None }
    }

    /// Adds one file. After the first error it only reads.
    ///
    /// # Errors
    /// If the rest of the form cannot be read.
    async fn add(&mut self, id: RequestId, part: multipart::Part) -> Result<(), Problem> {
        if self.refused.is_some() {
            return part.skip().await;
        }
        let upload = match self.service.begin_request_upload(self.actor, self.from, id).await {
            Ok(upload) => upload,
            Err(reason) => {
                self.refused = Some(reason);
                return part.skip().await;
            }
        };
        match read_file(&upload, part, self.count).await? {
            Ok(file) => self.count += usize::from(file.is_some()),
            Err(reason) => self.refused = Some(reason),
        }
        Ok(())
    }

    /// The number of files.
    fn end(self) -> Result<usize, Problem> {
        self.refused.map_or(Ok(self.count), Err)
    }
}

fn address(id: RequestId) -> String {
    format!("/requests/{id}")
}

pub async fn edit_request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<RequestForm>,
) -> Response {
    let edit = async {
        let (service, actor) = asker.clone().require()?;
        service.edit_request(&actor, id, form.text()?).await
    };
    match edit.await {
        Ok(_) => see_other(&address(id)),
        Err(reason) if matches!(reason.code, Code::NotFound | Code::Forbidden) => problem(&app, asker, reason).await,
        Err(reason) => form.again(&app, asker, &format!("/requests/{id}/edit"), reason).await,
    }
}

pub async fn withdraw_request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
) -> Response {
    let set =
        async |service: Arc<Service>, actor| service.set_request_status(&actor, id, RequestStatus::Declined).await;
    lead_on(&app, asker, set, |_| address(id)).await
}

#[derive(Deserialize)]
pub struct OpenRequestChat {
    /// The page with the chat beside it.
    #[serde(default)]
    from: String,
}

pub async fn open_request_chat(
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
pub struct SetStatus {
    status: RequestStatus,
    #[serde(default)]
    from: String,
}

pub async fn set_request_status(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<SetStatus>,
) -> Response {
    let set = async |service: Arc<Service>, actor| service.set_request_status(&actor, id, form.status).await;
    lead_on(&app, asker, set, |_| own_path(&form.from).map_or_else(|| format!("/requests/{id}"), str::to_owned)).await
}
