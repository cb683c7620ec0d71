//! Headers, redirects, caches and pages.

use scraper::Html;
use serde_json::json;

use crate::{
    Attack, Group,
    http::{Person, Reply, encoded},
    target::{PASSWORD, Target, upload},
};

pub const GROUP: Group = Group { name: "pages", variables: &[], only: None, attacks: ATTACKS };

/// Ends every kind of element and attribute in which text can be.
const MARKUP: &str = r#""'></title></textarea></script></style><zzq onload=alert(1)>"#;
/// Starts a header of its own, in each place where somebody might look for the end of a line.
const LINES: &str = "a\r\nX-Injected: yes\r\n\r\nb\u{2028}X-Injected: yes\nX-Injected: yes";

/// The first header that an attacker wrote.
fn injected(reply: &Reply) -> Option<String> {
    let (name, value) = reply.headers.iter().find(|(name, _)| name == "x-injected")?;
    Some(format!("{name}: {value}"))
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a sign-in leads to another site",
        expected: "to a path of this server",
        run: |target| {
            let places = [
                "//evil.example",
                "/\\evil.example",
                "\\\\evil.example",
                "/\t/evil.example",
                "/\r\n/evil.example",
                "https://evil.example",
                "https:evil.example",
                "//evil.example/%2f..",
                "javascript:alert(1)",
                "/%0d%0aLocation:%20https://evil.example",
                " //evil.example",
                "/..//evil.example",
                "data:text/html,a",
                "\u{0}//evil.example",
                "/\u{feff}/evil.example",
            ];
            for place in places {
                let fields = [("email", target.mallory.email.as_str()), ("password", PASSWORD), ("next", place)];
                let reply = target.submit(&Person::default(), "/login", &fields);
                let location = reply.header("location");
                let leads_here = location.starts_with('/') && !location.starts_with("//") && !location.contains('\\');
                if reply.status != 303 || !leads_here {
                    return format!("{} to {location:?} for {place:?}", reply.status);
                }
            }
            "to a path of this server".to_owned()
        },
    },
    Attack {
        name: "line breaks in every field that a header could repeat",
        expected: "no header",
        run: |target| {
            let (mallory, room) = (&target.mallory.person, &target.mallory.conversation);
            let file = upload(
                target.address,
                mallory,
                room,
                "a%0d%0aX-Injected: yes.txt",
                "text/plain\r\nX-Injected: yes",
                b"a",
            );
            let id = file.json()["id"].as_str().unwrap_or_default().to_owned();
            let metadata = json!({ "customer_name": LINES, "metadata": { LINES: LINES } });
            let replies = [
                target.get(mallory, &format!("/api/v1/attachments/{id}")),
                target.get(mallory, &format!("/login?next={}", encoded(LINES))),
                target.get(mallory, &format!("/account?tab={}", encoded(LINES))),
                target.get(&Person::default(), &format!("/requests/{}", encoded(LINES))),
                target.get(&Person::default(), &format!("/admin?chat={}", encoded(LINES))),
                target.submit(&Person::default(), "/login", &[("email", LINES), ("password", LINES), ("next", LINES)]),
                target.submit(
                    &Person::default(),
                    "/register",
                    &[("email", LINES), ("password", PASSWORD), ("name", LINES)],
                ),
                target.submit(
                    &Person::default(),
                    "/forgot",
                    &[("email", "victim@example.com\r\nBcc: evil@example.com")],
                ),
                target.submit(mallory, &format!("/chat/{room}"), &[("content", LINES), ("from", LINES)]),
                target.api(&target.admin, "POST", "/conversations", Some(metadata)),
                target.api(
                    mallory,
                    "GET",
                    &format!("/conversations/{room}/transcript?format={}", encoded(LINES)),
                    None,
                ),
            ];
            replies.iter().find_map(injected).unwrap_or_else(|| "no header".to_owned())
        },
    },
    Attack {
        name: "markup in a name, a request and a message, read by an admin",
        expected: "text",
        run: |target| {
            let mallory = &target.mallory.person;
            let request = json!({ "title": MARKUP, "description": MARKUP });
            let request =
                target.api(mallory, "POST", "/requests", Some(request)).json()["id"].as_str().unwrap().to_owned();
            let path = format!("/requests/{request}/conversation");
            let chat = target.api(mallory, "POST", &path, None).json()["id"].as_str().unwrap().to_owned();
            target.api(mallory, "POST", &format!("/conversations/{chat}/messages"), Some(json!({ "content": MARKUP })));
            let (session, secret) = target.open(MARKUP);
            let link = target.get(&Person::default(), &format!("/chat?chatId={secret}"));
            let guest = Person::with_cookie(link.cookies().join("; "));
            let admin = admin_in_browser(target);
            for (person, page) in [
                (&admin, format!("/admin?chat={session}")),
                (&admin, format!("/admin?chat={chat}")),
                (&admin, format!("/requests/{request}?chat=1")),
                (&admin, format!("/admin/requests?chat={request}&q={}", encoded(MARKUP))),
                (mallory, format!("/account?chat={request}")),
                (mallory, format!("/requests/{request}")),
                (&guest, format!("/chat/{session}")),
            ] {
                let reply = target.get(person, &page);
                if reply.status != 200 || reply.body.contains("<zzq") {
                    return format!("{} with markup {} on {page}", reply.status, reply.body.contains("<zzq"));
                }
            }
            "text".to_owned()
        },
    },
    Attack {
        name: "an address with a scheme that runs",
        expected: "no link",
        run: |target| {
            let room = &target.mallory.conversation;
            for content in [
                "javascript:alert(1)",
                "JaVaScRiPt://a.example/%0aalert(1)",
                "data:text/html,<script>alert(1)</script>",
                "vbscript:x",
                "https://a.example\" onclick=\"alert(1)",
            ] {
                target.api(
                    &target.mallory.person,
                    "POST",
                    &format!("/conversations/{room}/messages"),
                    Some(json!({ "content": content })),
                );
            }
            let page = target.get(&target.mallory.person, &format!("/account?chat={}", target.mallory.request));
            let page = Html::parse_document(&page.body);
            for element in page.root_element().descendent_elements() {
                for (name, value) in element.value().attrs() {
                    let value = value.trim().to_lowercase();
                    let runs = ["javascript:", "data:", "vbscript:"].iter().any(|scheme| value.starts_with(scheme));
                    if name.starts_with("on") || runs {
                        return format!("{name}={value}");
                    }
                }
            }
            "no link".to_owned()
        },
    },
    Attack {
        name: "a shared cache or the browser keeps a private page",
        expected: "no-store everywhere",
        run: |target| {
            let mallory = &target.mallory;
            let paths = [
                "/account".to_owned(),
                format!("/account?chat={}", mallory.request),
                format!("/requests/{}", mallory.request),
                "/login".to_owned(),
                "/logout".to_owned(),
                "/".to_owned(),
                "/admin".to_owned(),
                "/nothing".to_owned(),
                "/pkg/nothing.js".to_owned(),
                format!("/chat/{}", mallory.conversation),
                "/api/v1/conversations".to_owned(),
                "/api/v1/nothing".to_owned(),
                format!("/api/v1/conversations/{}/transcript", mallory.conversation),
            ];
            for path in paths {
                let reply = target.get(&mallory.person, &path);
                if !reply.header("cache-control").contains("no-store") {
                    return format!("{:?} on {path}", reply.header("cache-control"));
                }
            }
            let file = target.get(&mallory.person, &format!("/api/v1/attachments/{}", mallory.attachment));
            let kept = file.header("cache-control");
            if kept.contains("private") || kept.contains("no-store") {
                "no-store everywhere".to_owned()
            } else {
                kept.to_owned()
            }
        },
    },
    Attack {
        name: "every answer tells browsers to be careful",
        expected: "all of it",
        run: |target| {
            for path in
                ["/", "/account", "/api/v1/conversations", "/nothing", "/healthz", "/favicon.svg", "/api/v1/nothing"]
            {
                let reply = target.get(&target.mallory.person, path);
                for (name, value) in [
                    ("x-content-type-options", "nosniff"),
                    ("referrer-policy", "same-origin"),
                    ("content-security-policy", "default-src 'none'"),
                    ("content-security-policy", "frame-ancestors 'none'"),
                    ("cross-origin-opener-policy", "same-origin"),
                    ("cross-origin-resource-policy", "same-origin"),
                    ("permissions-policy", "camera=()"),
                ] {
                    if !reply.header(name).contains(value) {
                        return format!("{name}: {:?} on {path}", reply.header(name));
                    }
                }
            }
            let policy = target.get(&Person::default(), "/").header("content-security-policy").to_owned();
            let scripts = policy.split(';').find(|part| part.contains("script-src")).unwrap_or_default();
            if scripts.contains("'self'") || scripts.contains("unsafe-inline") || !scripts.contains("'strict-dynamic'")
            {
                return scripts.to_owned();
            }
            "all of it".to_owned()
        },
    },
    Attack {
        name: "two pages have the same nonce",
        expected: "different",
        run: |target| {
            let nonces =
                [(); 2].map(|()| target.get(&Person::default(), "/").header("content-security-policy").to_owned());
            if nonces[0] == nonces[1] { nonces[0].clone() } else { "different".to_owned() }
        },
    },
];

/// The demo's admin in a browser, with a password made by the command line.
fn admin_in_browser(target: &Target) -> Person {
    let created = target.create_admin("second@example.com");
    created.expect("an admin signs in")
}
