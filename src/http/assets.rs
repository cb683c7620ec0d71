//! The client, its styles and the public files: inside the binary in a release build, from
//! `target/site` while developing.
//!
//! One hash over all files of `pkg/` names their folder, so browsers cache them forever and a page never mixes two
//! builds. The hash is in the folder, not in each name, because the client's files load each other by name. Of two
//! builds behind one balancer, each serves only its own files. After a 404, a page requests the file again
//! (`ui/boot.js`). Browsers that accept brotli get the `.br` that the build wrote beside a file.

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

/// The base name of the client's files.
pub(super) const CLIENT: &str = "bespoken";

/// Which files each lazy function needs, as the build writes it. cargo-leptos uses the same name.
const MANIFEST: &str = "pkg/__wasm_split_manifest.json";
/// Loads the parts of a client that was split. cargo-leptos uses the same name.
const SPLIT: &str = "__wasm_split.______________________.js";

/// The page that the service worker caches and shows while the browser is offline: the only page that is a file.
const OFFLINE: &str = "offline.html";
const SERVICE_WORKER: &str = "sw.js";

struct Asset {
    plain: Cow<'static, [u8]>,
    brotli: Option<Cow<'static, [u8]>>,
    content_type: HeaderValue,
    /// Its address changes with its content.
    hashed: bool,
    /// The Content-Security-Policy of a file that loads something.
    policy: Option<HeaderValue>,
}

/// Every file by its address.
pub(super) struct Assets {
    files: HashMap<String, Asset>,
    folder: String,
    /// The addresses of the parts that a lazy island needs, by the island's name.
    parts: HashMap<String, Vec<String>>,
}

impl Assets {
    /// Whether there is a file at this address.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    pub fn load() -> Self {
        let mut hasher = Sha256::new();
        for name in Site::iter().filter(|name| name.starts_with("pkg/")) {
            if let Some(file) = Site::get(&name) {
                hasher.update(file.metadata.sha256_hash());
            }
        }
        let folder = format!("pkg/{}", short_hex(&hasher.finalize()));
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
            let mut address = match name.strip_prefix("pkg/") {
                // cargo-leptos leaves out the `_bg` of wasm-bindgen.
                Some("bespoken.wasm") => format!("/{folder}/{CLIENT}_bg.wasm"),
                Some(file) => format!("/{folder}/{file}"),
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
                    // The service worker fetches only pages, and the offline page above.
                    asset.policy = Some(HeaderValue::from_static("default-src 'none'; connect-src 'self'"));
                }
                _ => {}
            }
            files.insert(address, asset);
        }
        let manifest = Site::get(MANIFEST).and_then(|file| serde_json::from_slice(&file.data).ok());
        let parts = parts_of_islands(manifest.unwrap_or_default(), &folder);
        Self { files, folder, parts }
    }

    /// `pkg/<hash>`, the folder of the client and the styles.
    pub fn folder(&self) -> Arc<str> {
        self.folder.as_str().into()
    }

    /// The address of the styles for the page at `path`, if it needs only a part of them. A build by another tool has no
    /// such part.
    pub fn styles(&self, path: &str) -> Option<String> {
        let part = format!("/{}/chat.css", self.folder);
        Some(part).filter(|part| path.starts_with("/chat/") && self.files.contains_key(part))
    }

    /// The file at an address. A page that repeats a request does so in a subfolder, such as `/pkg/<hash>/2/`.
    /// Browsers remember that a script failed to load, and all scripts that it loads must come from one folder.
    fn find(&self, address: &str) -> Option<&Asset> {
        self.files.get(address).or_else(|| {
            let (folder, name) = address.strip_prefix("/pkg/")?.rsplit_once('/')?;
            let (folder, attempt) = folder.rsplit_once('/')?;
            attempt.parse::<u8>().ok()?;
            self.files.get(&format!("/pkg/{folder}/{name}"))
        })
    }

    /// Adds links that preload the files of a page's islands while the browser parses the page, after those that
    /// render it. Returns a page without islands unchanged. `nonce` permits the scripts.
    pub fn preloading(&self, html: String, nonce: Option<&str>) -> String {
        let mut islands: Vec<&str> = html.split("<leptos-island data-component=\"").skip(1).map(island_name).collect();
        let Some(end) = html.find("</head>").filter(|_| !islands.is_empty()) else { return html };
        islands.sort_unstable();
        islands.dedup();
        let scripts = [format!("/{}/{CLIENT}.js", self.folder), format!("/{}/{SPLIT}", self.folder)];
        let mut parts: Vec<&str> =
            islands.iter().filter_map(|island| self.parts.get(*island)).flatten().map(String::as_str).collect();
        parts.sort_unstable();
        parts.dedup();
        let wasm = format!("/{}/{CLIENT}_bg.wasm", self.folder);
        let nonce = nonce.map(|nonce| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
        let scripts = scripts.iter().filter(|address| self.files.contains_key(*address));
        let link = |rel: &str, address: &str, more: &str| {
            format!("<link rel=\"{rel}\" href=\"{address}\" fetchpriority=\"low\"{more}>")
        };
        let scripts = scripts.map(|address| link("modulepreload", address, &nonce));
        let wasm = [wasm.as_str()].into_iter().chain(parts);
        // `ui/boot.js` makes these preload once the page is painted.
        let wasm = wasm.map(|part| link("later", part, " as=\"fetch\" type=\"application/wasm\" crossorigin"));
        let links: String = scripts.chain(wasm).collect();
        [&html[..end], &links, &html[end..]].concat()
    }
}

/// The name of the island in `Name_123456">…`, as Leptos writes it.
fn island_name(html: &str) -> &str {
    let id = html.split('"').next().unwrap_or_default();
    id.rsplit_once('_').map_or(id, |(name, _)| name)
}

/// The parts of each island from those of each lazy function. Leptos names the function of the lazy island
/// `CopyLink` `copy_link_loader_123456`.
fn parts_of_islands(manifest: HashMap<String, Vec<String>>, folder: &str) -> HashMap<String, Vec<String>> {
    let island = |function: &str| -> Option<String> {
        let (name, _) = function.rsplit_once("_loader_")?;
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
        };
        Some(name.split('_').map(capital).collect())
    };
    let addresses = |files: Vec<String>| files.iter().map(|file| format!("/{folder}/{file}.wasm")).collect();
    manifest.into_iter().filter_map(|(function, files)| Some((island(&function)?, addresses(files)))).collect()
}

/// The first 16 digits of a hash, enough to distinguish builds.
fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The offline page contains its script, as a separate file could be another build's. The policy permits only that
/// script.
fn offline_policy(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let script = page.split_once("<script type=\"module\">").and_then(|(_, rest)| rest.split_once("</script>"));
    let hash = BASE64.encode(Sha256::digest(script.map_or("", |(script, _)| script)));
    format!("default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; frame-ancestors 'none'")
}

/// A route for each file.
pub(super) fn routes(assets: &Assets) -> Router<App> {
    let files = assets.files.keys().fold(Router::new(), |router, address| router.route(address, get(file)));
    files.route("/pkg/{*file}", get(file))
}

async fn file(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(asset) = app.assets.find(uri.path()) else {
        // A file of another build. Caches must not store this 404: that build may answer the next request.
        let headers = [(header::CACHE_CONTROL, "no-store")];
        return (StatusCode::NOT_FOUND, headers, "This build has no such file.\n").into_response();
    };
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
        // Contains addresses of the build's files.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lazy_functions_belong_to_islands() {
        let manifest = [
            ("copy_link_loader_12345".to_owned(), vec!["chunk_0".to_owned(), "copy_link".to_owned()]),
            ("inbox_loader_678".to_owned(), vec!["inbox".to_owned()]),
            ("something_else_9".to_owned(), vec!["other".to_owned()]),
        ];
        let parts = parts_of_islands(manifest.into(), "pkg/abc");
        assert_eq!(parts.len(), 2);
        assert_eq!(parts["CopyLink"], ["/pkg/abc/chunk_0.wasm", "/pkg/abc/copy_link.wasm"]);
        assert_eq!(parts["Inbox"], ["/pkg/abc/inbox.wasm"]);
    }

    #[test]
    fn islands_are_known_by_name() {
        assert_eq!(island_name("CopyLink_1234567890\" data-props=\"{}\">"), "CopyLink");
        assert_eq!(island_name("Odd"), "Odd");
    }

    #[test]
    fn a_page_loads_what_its_islands_need() {
        let parts = [("Inbox".to_owned(), vec!["/pkg/abc/inbox.wasm".to_owned()])];
        let assets = Assets { files: HashMap::new(), folder: "pkg/abc".to_owned(), parts: parts.into() };
        let page = |island| format!("<head><title>A</title></head><{island} data-component=\"Inbox_123\">");
        let bare = page("p");
        assert_eq!(assets.preloading(bare.clone(), None), bare);
        let preloading = assets.preloading(page("leptos-island"), None);
        let (head, body) = preloading.split_once("</head>").unwrap();
        assert!(head.contains("href=\"/pkg/abc/bespoken_bg.wasm\"") && head.contains("href=\"/pkg/abc/inbox.wasm\""));
        assert_eq!(body, "<leptos-island data-component=\"Inbox_123\">");
    }
}
