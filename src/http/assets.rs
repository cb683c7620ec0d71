//! The client, its styles and the public files: inside the binary in a release build, from
//! `target/site` while developing.
//!
//! Files under `pkg/` get one hash over all of them into their names, so that browsers keep them
//! forever and a page never mixes two builds. Of two builds behind one balancer each knows its own only; a page
//! that gets 404 asks again (`ui/boot.js`). Where the build left a `.br` beside a file, browsers that take brotli
//! get that.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::App;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

/// The base name of the client's files before hashing.
const CLIENT: &str = "bespoken";

/// What people see while they are offline: the one page that is a file, kept by the service worker.
const OFFLINE: &str = "offline.html";
const SERVICE_WORKER: &str = "sw.js";

struct Asset {
    plain: Cow<'static, [u8]>,
    brotli: Option<Cow<'static, [u8]>>,
    content_type: HeaderValue,
    /// Its address changes whenever its content does.
    hashed: bool,
    /// What it may load, if it may load anything.
    policy: Option<HeaderValue>,
}

/// Every file by its address.
pub(super) struct Assets {
    files: HashMap<String, Asset>,
    output_name: String,
}

impl Assets {
    /// Whether there is a file at this address.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub fn load() -> Self {
        let mut hasher = Sha256::new();
        for name in Site::iter().filter(|name| name.starts_with("pkg/")) {
            if let Some(file) = Site::get(&name) {
                hasher.update(file.metadata.sha256_hash());
            }
        }
        let output_name = format!("{CLIENT}.{}", short_hex(&hasher.finalize()));
        let offline =
            Site::get(OFFLINE).map(|file| format!("/offline.{}.html", short_hex(&file.metadata.sha256_hash())));
        let mut files = HashMap::new();
        for name in Site::iter().filter(|name| !name.ends_with(".br")) {
            let Some(file) = Site::get(&name) else { continue };
            let mut asset = Asset {
                plain: file.data,
                brotli: Site::get(&format!("{name}.br")).map(|file| file.data),
                content_type: HeaderValue::from_static(content_type(&name)),
                hashed: name.starts_with("pkg/"),
                policy: None,
            };
            let mut address = match name.strip_prefix("pkg/").and_then(|file| file.strip_prefix(CLIENT)) {
                Some(rest) => format!("/pkg/{output_name}{rest}"),
                None => format!("/{name}"),
            };
            match (&*name, &offline) {
                (OFFLINE, Some(offline)) => {
                    asset.policy = HeaderValue::try_from(offline_policy(&asset.plain)).ok();
                    asset.hashed = true;
                    address = offline.clone();
                }
                (SERVICE_WORKER, Some(offline)) => {
                    let text = String::from_utf8_lossy(&asset.plain).replace(&format!("/{OFFLINE}"), offline);
                    (asset.plain, asset.brotli) = (text.into_bytes().into(), None);
                    // It may load what it is made for: pages, and the one above.
                    asset.policy = Some(HeaderValue::from_static("default-src 'none'; connect-src 'self'"));
                }
                _ => {}
            }
            files.insert(address, asset);
        }
        Self { files, output_name }
    }

    /// `bespoken.<hash>`, from which the addresses of the script, the WASM and the styles follow.
    pub fn output_name(&self) -> Arc<str> {
        self.output_name.as_str().into()
    }
}

/// The first 16 digits of a hash: enough to tell builds apart.
fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The page brings its script along, since a file beside it could be another build's: that one script may run.
fn offline_policy(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let script = page.split_once("<script type=\"module\">").and_then(|(_, rest)| rest.split_once("</script>"));
    let hash = BASE64.encode(Sha256::digest(script.map_or("", |(script, _)| script)));
    format!("default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; frame-ancestors 'none'")
}

/// A route for each file.
pub(super) fn routes(assets: &Assets) -> Router<App> {
    let files = assets.files.keys().fold(Router::new(), |router, address| router.route(address, get(file)));
    files.route("/pkg/{*file}", get(not_here))
}

/// A file of another build. Nobody may remember that it was not here: the next answer may be that build's.
async fn not_here() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "This build has no such file.\n").into_response()
}

async fn file(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(asset) = app.assets.files.get(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let takes_brotli = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|coding| coding.trim().split(';').next() == Some("br")));
    let (body, encoding) = match &asset.brotli {
        Some(brotli) if takes_brotli => (brotli, Some("br")),
        _ => (&asset.plain, None),
    };
    let body = match body {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, asset.content_type.clone());
    let keep = match uri.path() {
        _ if asset.hashed => "public, max-age=31536000, immutable",
        // Names the build's files.
        path if path.ends_with(SERVICE_WORKER) => "no-cache",
        _ => "public, max-age=3600",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if asset.brotli.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Some(policy) = &asset.policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}
