//! The client, its styles and the public files: inside the binary in a release build, from
//! `target/site` while developing.
//!
//! Files under `pkg/` get one hash over all of them into their names, so that browsers keep them
//! forever and a page never mixes two builds. Where the build left a `.br` beside a file, browsers
//! that take brotli get that.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::App;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

/// The base name of the client's files before hashing.
const CLIENT: &str = "bespoken";

struct Asset {
    plain: Cow<'static, [u8]>,
    brotli: Option<Cow<'static, [u8]>>,
    content_type: HeaderValue,
    /// Its address changes whenever its content does.
    hashed: bool,
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
        let hash: String = hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let output_name = format!("{CLIENT}.{hash}");
        let files = Site::iter()
            .filter(|name| !name.ends_with(".br"))
            .filter_map(|name| {
                let plain = Site::get(&name)?.data;
                let brotli = Site::get(&format!("{name}.br")).map(|file| file.data);
                let content_type = HeaderValue::from_static(content_type(&name));
                let hashed = name.starts_with("pkg/");
                let address = match name.strip_prefix("pkg/").and_then(|file| file.strip_prefix(CLIENT)) {
                    Some(rest) => format!("/pkg/{output_name}{rest}"),
                    None => format!("/{name}"),
                };
                Some((address, Asset { plain, brotli, content_type, hashed }))
            })
            .collect();
        Self { files, output_name }
    }

    /// `bespoken.<hash>`, from which the addresses of the script, the WASM and the styles follow.
    pub fn output_name(&self) -> Arc<str> {
        self.output_name.as_str().into()
    }
}

/// A route for each file.
pub(super) fn routes(assets: &Assets) -> Router<App> {
    assets.files.keys().fold(Router::new(), |router, address| router.route(address, get(file)))
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
    let keep = if asset.hashed { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if asset.brotli.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let policy = match uri.path() {
        // The one page that is a file: what people see while they are offline.
        path if path.ends_with(".html") => {
            Some("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'")
        }
        // The service worker may load what it is made for: pages, and the one above.
        "/sw.js" => Some("default-src 'none'; connect-src 'self'"),
        _ => None,
    };
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
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
