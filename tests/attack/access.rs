//! Reading and changing what belongs to somebody else.

use std::{collections::BTreeSet, thread};

use serde_json::json;

use crate::{
    Attack, Group,
    http::{Person, Reply, send, send_raw},
    target::Target,
};

pub const GROUP: Group = Group { name: "access", variables: &[], only: None, attacks: ATTACKS };

/// Every call of the API on Alice's data.
fn calls(target: &Target) -> Vec<(&'static str, String, Option<serde_json::Value>)> {
    let alice = &target.alice;
    let (room, request) = (&alice.conversation, &alice.request);
    vec![
        ("GET", format!("/conversations/{room}"), None),
        ("PATCH", format!("/conversations/{room}"), Some(json!({ "status": "closed" }))),
        ("DELETE", format!("/conversations/{room}"), None),
        ("POST", format!("/conversations/{room}/link"), None),
        ("DELETE", format!("/conversations/{room}/link"), None),
        ("GET", format!("/conversations/{room}/messages"), None),
        ("GET", format!("/conversations/{room}/messages?after_rev=0"), None),
        ("POST", format!("/conversations/{room}/messages"), Some(json!({ "content": "hello" }))),
        ("POST", format!("/conversations/{room}/read"), Some(json!({ "seq": 1 }))),
        ("GET", format!("/conversations/{room}/transcript"), None),
        ("GET", format!("/attachments/{}", alice.attachment), None),
        ("PATCH", format!("/messages/{}", alice.message), Some(json!({ "content": "edited" }))),
        ("DELETE", format!("/messages/{}", alice.message), None),
        ("GET", format!("/requests/{request}"), None),
        ("PATCH", format!("/requests/{request}"), Some(json!({ "status": "done" }))),
        ("POST", format!("/requests/{request}/conversation"), None),
    ]
}

/// The common result of all these calls.
fn every_call(target: &Target, person: &Person) -> String {
    let mut met: Vec<String> = calls(target)
        .into_iter()
        .map(|(method, path, body)| {
            let reply = target.api(person, method, &path, body);
            assert!(!reply.body.contains("Alice"), "{path}: {}", reply.body);
            reply.status.to_string()
        })
        .collect();
    met.dedup();
    met.join(", ")
}

/// The page without what differs in every answer.
fn without_nonce(reply: &Reply) -> String {
    let policy = reply.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("no nonce");
    format!("{} {}", reply.status, reply.body.replace(nonce, "nonce"))
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "another customer tries every call on a request, its chat, message and file",
        expected: "404",
        run: |target| every_call(target, &target.mallory.person),
    },
    Attack {
        name: "a guest of another chat tries them",
        expected: "404",
        run: |target| every_call(target, &Person::with_token(&target.open("Stranger").1)),
    },
    Attack { name: "nobody tries them", expected: "401", run: |target| every_call(target, &Person::default()) },
    Attack {
        name: "a search, a list and the dashboard show nothing of others",
        expected: "nothing",
        run: |target| {
            let calls = [
                "/api/v1/search?q=secret",
                "/api/v1/conversations",
                "/api/v1/requests",
                "/api/v1/requests?q=table",
                "/account",
                "/admin",
            ];
            let seen = calls.iter().find(|path| target.get(&target.mallory.person, path).body.contains("Alice"));
            seen.map_or("nothing".to_owned(), |path| format!("Alice on {path}"))
        },
    },
    Attack {
        name: "ids in a body against those in the path",
        expected: "stored as the sender's own, in the path's chat",
        run: |target| {
            let (mallory, alice) = (&target.mallory, &target.alice);
            let body = json!({
                "content": "whose?", "conversation_id": alice.conversation, "room": alice.conversation, "id": alice.message,
                "sender_id": alice.message, "sender_type": "admin", "sender_name": "Alice", "seq": 1, "rev": 1,
            });
            let reply = target.api(
                &mallory.person,
                "POST",
                &format!("/conversations/{}/messages", mallory.conversation),
                Some(body),
            );
            let message = reply.json();
            let own = message["conversation_id"] == mallory.conversation.as_str()
                && message["sender_name"] == "Mallory"
                && message["sender_type"] == "customer"
                && message["id"] != alice.message.as_str();
            if own { "stored as the sender's own, in the path's chat".to_owned() } else { reply.body }
        },
    },
    Attack {
        name: "a file of another chat is attached to a message",
        expected: "422",
        run: |target| {
            let path = format!("/conversations/{}/messages", target.mallory.conversation);
            let body = json!({ "content": "mine now", "attachment_ids": [target.alice.attachment] });
            target.api(&target.mallory.person, "POST", &path, Some(body)).status.to_string()
        },
    },
    Attack {
        name: "a message of another chat is quoted, by REST and by the form",
        expected: "404 and 404, and nothing of it is shown",
        run: |target| {
            let (mallory, alice) = (&target.mallory, &target.alice);
            let path = format!("/conversations/{}/messages", mallory.conversation);
            let quote = json!({ "content": "what?", "reply_to": alice.message });
            let by_rest = target.api(&mallory.person, "POST", &path, Some(quote));
            let page = format!("/chat/{}", mallory.conversation);
            let by_form = target.submit(&mallory.person, &page, &[("content", "what?"), ("reply_to", &alice.message)]);
            let shown = [&by_rest, &by_form].iter().any(|reply| reply.body.contains("Alice"));
            let what = if shown { "it is shown" } else { "nothing of it is shown" };
            format!("{} and {}, and {what}", by_rest.status, by_form.status)
        },
    },
    Attack {
        name: "a customer makes a request in another's name, or an admin's changes",
        expected: "own, 403, 403, 403",
        run: |target| {
            let mallory = &target.mallory;
            let body = json!({ "title": "Chair", "description": "Oak", "customer_id": target.alice.request });
            let made = target.api(&mallory.person, "POST", "/requests", Some(body));
            let own = if made.status == 422 || made.json()["customer_name"] == "Mallory" { "own" } else { "another's" };
            let status = |method, path: &str, body| target.api(&mallory.person, method, path, Some(body)).status;
            let room = &mallory.conversation;
            format!(
                "{own}, {}, {}, {}",
                status("POST", "/conversations", json!({ "customer_name": "Chair" })),
                status("PATCH", &format!("/conversations/{room}"), json!({ "status": "closed" })),
                status("POST", &format!("/conversations/{room}/link"), json!({})),
            )
        },
    },
    Attack {
        name: "50 people open the chat of one request at once",
        expected: "1 chat",
        run: |target| {
            let request = json!({ "title": "Fifty", "description": "At once" });
            let request = target.api(&target.mallory.person, "POST", "/requests", Some(request)).json();
            let path = format!("/requests/{}/conversation", request["id"].as_str().unwrap());
            let ids: BTreeSet<String> = thread::scope(|scope| {
                let open =
                    || scope.spawn(|| target.api(&target.mallory.person, "POST", &path, None).json()["id"].to_string());
                let openings: Vec<_> = (0..50).map(|_| open()).collect();
                openings.into_iter().map(|opening| opening.join().unwrap()).collect()
            });
            format!("{} chat", ids.len())
        },
    },
    Attack {
        name: "a wrong link, a revoked link, another's chat and no chat at all look the same",
        expected: "the same 404",
        run: |target| {
            let (revoked, secret) = target.open("Revoked");
            target.api(&target.admin, "DELETE", &format!("/conversations/{revoked}/link"), None);
            let none = "0193a6c0-0000-7000-8000-0000000000ff";
            let nobody = Person::default();
            let paths = [
                format!("/chat?chatId={none}"),
                format!("/chat?chatId={secret}"),
                "/chat?chatId=".to_owned(),
                "/chat".to_owned(),
                format!("/chat/{none}"),
                format!("/chat/{}", target.alice.conversation),
                format!("/chat/{revoked}"),
                "/chat/nothing".to_owned(),
            ];
            let pages: BTreeSet<String> = paths.iter().map(|path| without_nonce(&target.get(&nobody, path))).collect();
            match pages.first() {
                Some(page) if pages.len() == 1 && page.starts_with("404") => "the same 404".to_owned(),
                _ => format!("{} different pages", pages.len()),
            }
        },
    },
    Attack {
        name: "tricks in paths lead round no guard",
        expected: "no dashboard, and nothing of others",
        run: |target| {
            let room = &target.alice.conversation;
            let paths = [
                "/admin",
                "/admin/",
                "//admin",
                "/./admin",
                "/%61dmin",
                "/ADMIN",
                "/admin%2f",
                "/admin;x=1",
                "/admin%00",
                "/account/../admin",
                "/api/v1/../../admin",
                "/login/%2e%2e/admin",
                "/\\admin",
                "/admin/requests",
                "/admin//requests",
                "/admin/people?x=/login",
                "/pkg/../admin",
                "/..%2f..%2fetc/passwd",
                "/pkg/..%2f..%2fCargo.toml",
                "//etc/passwd",
            ];
            let own = [
                format!("/api/v1/conversations/{room}"),
                format!("/api/v1//conversations/{room}"),
                format!("/api/v1/conversations/{room}/"),
                format!("/api/v1/conversations/{}", room.to_uppercase()),
                format!("/api/v1/conversations/{room}%00"),
                format!("/api/v1/conversations/{}/../{room}/messages", target.mallory.conversation),
                format!("/api/v1/conversations/{}%2f..%2f{room}/messages", target.mallory.conversation),
                format!("/chat/{room}"),
                format!("http://{}/admin", target.address),
            ];
            let paths = paths.iter().map(|path| (*path).to_owned()).chain(own);
            for path in paths {
                for person in [&Person::default(), &target.mallory.person] {
                    let reply = target.get(person, &path);
                    let shows =
                        ["Alice", "New Chat", "root:x", "[package]"].iter().find(|words| reply.body.contains(**words));
                    if reply.status >= 500 || (reply.status == 200 && shows.is_some()) {
                        return format!("{} with {shows:?} on {path}", reply.status);
                    }
                }
            }
            "no dashboard, and nothing of others".to_owned()
        },
    },
    Attack {
        name: "numbers and cursors without measure",
        expected: "only 200, 204, 404 and 422",
        run: |target| {
            let room = &target.mallory.conversation;
            let big = [
                "1000000000",
                "-1",
                "9223372036854775807",
                "9223372036854775808",
                "1e9",
                "NaN",
                "%00",
                "",
                "'%20or%201=1--",
            ];
            for value in big {
                let paths = [
                    format!("/conversations?limit={value}"),
                    format!("/conversations?cursor={value}"),
                    format!("/conversations/{room}/messages?limit={value}"),
                    format!("/conversations/{room}/messages?before_seq={value}"),
                    format!("/conversations/{room}/messages?after_rev={value}"),
                    format!("/requests?limit={value}"),
                    format!("/requests?cursor={value}"),
                    format!("/search?q={value}"),
                    format!("/search?q=a&limit={value}"),
                ];
                for path in paths {
                    let status = target.api(&target.mallory.person, "GET", &path, None).status;
                    if !matches!(status, 200 | 404 | 422) {
                        return format!("{status} on {path}");
                    }
                }
            }
            for seq in [i64::MAX, i64::MIN, -1, 0] {
                let path = format!("/conversations/{room}/read");
                let status = target.api(&target.mallory.person, "POST", &path, Some(json!({ "seq": seq }))).status;
                if !matches!(status, 204 | 422) {
                    return format!("{status} for a receipt of {seq}");
                }
            }
            "only 200, 204, 404 and 422".to_owned()
        },
    },
    Attack {
        name: "a page of another site sends a form, text/plain or a beacon",
        expected: "403",
        run: |target| {
            let cookie = target.mallory.person.cookie.as_deref().unwrap();
            let room = &target.mallory.conversation;
            let bodies = [
                ("application/x-www-form-urlencoded", format!("/chat/{room}"), "content=forged"),
                ("text/plain", format!("/api/v1/conversations/{room}/messages"), r#"{"content":"forged"}"#),
                ("application/json", format!("/api/v1/conversations/{room}/messages"), r#"{"content":"forged"}"#),
                ("application/json", "/api/load_viewer".to_owned(), "{}"),
                ("application/x-www-form-urlencoded", "/logout".to_owned(), ""),
                (
                    "application/x-www-form-urlencoded",
                    "/account/profile".to_owned(),
                    "name=Forged&email=mallory%40example.com",
                ),
            ];
            let from = [
                "Origin: http://evil.example\r\n",
                "Origin: null\r\n",
                "Sec-Fetch-Site: cross-site\r\n",
                "Sec-Fetch-Site: same-site\r\n",
            ];
            let mut met = BTreeSet::new();
            for (media_type, path, body) in &bodies {
                for origin in from {
                    let headers = format!("Cookie: {cookie}\r\nContent-Type: {media_type}\r\n{origin}");
                    met.insert(send(target.address, "POST", path, &headers, body.as_bytes()).status.to_string());
                }
            }
            met.into_iter().collect::<Vec<_>>().join(", ")
        },
    },
    Attack {
        name: "a link or a picture calls what changes something",
        expected: "nothing is changed",
        run: |target| {
            let room = &target.alice.conversation;
            let before = target.api(&target.admin, "GET", &format!("/conversations/{room}"), None).body;
            let paths = [
                "/api/set_status",
                "/api/make_link",
                "/api/open_chat",
                "/admin/chats",
                "/account/profile",
                "/account/password",
            ];
            for path in paths {
                let path = format!("{path}?id={room}&status=closed&customer_name=a");
                let status = target.get(&target.mallory.person, &path).status;
                if !matches!(status, 303 | 307 | 308 | 404 | 405) {
                    return format!("{status} on GET {path}");
                }
            }
            let after = target.api(&target.admin, "GET", &format!("/conversations/{room}"), None).body;
            if before == after { "nothing is changed".to_owned() } else { after }
        },
    },
    Attack {
        name: "a cookie beside a token of somebody else",
        expected: "the token's person",
        run: |target| {
            let alice = target.alice.person.headers(target.address);
            let headers = format!("{alice}{}", Person::with_token(&target.open("Both").1).headers(target.address));
            let reply = send(target.address, "GET", "/api/v1/conversations", &headers, b"");
            if reply.body.contains("Both") && !reply.body.contains("Alice") {
                "the token's person".to_owned()
            } else {
                reply.body
            }
        },
    },
    Attack {
        name: "a database connection is used again after an error",
        expected: "nothing of others, and everybody is served",
        run: |target| {
            let path = format!("/conversations/{}/messages", target.mallory.conversation);
            for _ in 0..20 {
                for content in ["a\u{0}b", "\u{0}", ""] {
                    target.api(&target.mallory.person, "POST", &path, Some(json!({ "content": content })));
                }
                target.api(
                    &target.admin,
                    "POST",
                    "/conversations",
                    Some(json!({ "customer_name": "a", "metadata": { "a": "\u{0}" } })),
                );
                target.api(&target.mallory.person, "GET", "/search?q=%00", None);
            }
            for path in ["/api/v1/conversations", "/api/v1/requests", "/api/v1/search?q=secret"] {
                if target.get(&target.mallory.person, path).body.contains("Alice") {
                    return format!("Alice on {path}");
                }
            }
            if target.works() {
                "nothing of others, and everybody is served".to_owned()
            } else {
                "nobody is served".to_owned()
            }
        },
    },
    Attack {
        name: "two requests in one, and a body with two lengths",
        expected: "400",
        run: |target| {
            let host = target.address;
            let requests = [
                format!(
                    "POST /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"
                ),
                format!("POST /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 1, 2\r\n\r\nab"),
                format!("POST /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: -1\r\n\r\n"),
                format!("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost : {host}\r\n\r\n"),
                "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
                format!("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\nHost: evil.example\r\n\r\n"),
            ];
            let mut met: Vec<_> =
                requests.iter().map(|request| send_raw(host, request.as_bytes()).status.to_string()).collect();
            met.dedup();
            met.join(", ")
        },
    },
];
