//! Faults that earlier versions had, tried again from outside.

use std::{collections::BTreeSet, thread};

use serde_json::json;

use crate::{
    Attack, Group,
    http::{Person, Reply, encoded, form, send},
    target::{PASSWORD, Target, upload},
};

pub const GROUP: Group = Group {
    name: "known",
    variables: &[
        // This machine is a proxy in front of the server, so that everybody has an address of their own.
        ("BESPOKEN_TRUSTED_PROXIES", "127.0.0.1/32"),
        ("BESPOKEN_LIMIT_PERSON_BYTES", "5000000"),
    ],
    only: None,
    attacks: ATTACKS,
};

/// Sends a form with this address in the proxy's header.
fn submit_from(target: &Target, address: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let headers = format!(
        "X-Forwarded-For: {address}\r\nOrigin: http://{}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        target.address
    );
    send(target.address, "POST", path, &headers, form(fields).as_bytes())
}

fn wrong_sign_in(target: &Target, address: &str, number: usize) -> u16 {
    let email = format!("nobody-{number}@example.com");
    submit_from(target, address, "/login", &[("email", &email), ("password", "wrong")]).status
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a stranger has the server write to a victim, with words of their own",
        expected: "at most 5 mails, without a word of the stranger",
        run: |target| {
            let name = "Your parcel waits: pay at https://evil.example";
            let fields = [("name", name), ("email", "victim@example.com"), ("password", PASSWORD)];
            submit_from(target, "203.0.113.9", "/register", &fields);
            for number in 0..40 {
                submit_from(target, &format!("203.0.113.{number}"), "/forgot", &[("email", "victim@example.com")]);
            }
            let log = std::fs::read_to_string(target.folder().join("log")).unwrap();
            let mails = log.lines().filter(|line| line.contains("victim@example.com")).count();
            match (mails, log.contains("evil.example")) {
                (..=5, false) => "at most 5 mails, without a word of the stranger".to_owned(),
                (mails, told) => format!("{mails} mails, with the stranger's words: {told}"),
            }
        },
    },
    Attack {
        name: "30 accounts are registered from one network",
        expected: "10 accounts",
        run: |target| {
            let registered = (0..30).filter(|number| {
                let email = format!("many-{number}@example.com");
                let fields = [("name", "Many"), ("email", email.as_str()), ("password", PASSWORD)];
                submit_from(target, &format!("2001:db8:1:2::{number}"), "/register", &fields).status == 303
            });
            format!("{} accounts", registered.count())
        },
    },
    Attack {
        name: "a profile tells which addresses have accounts",
        expected: "the same for both",
        run: |target| {
            let answers = [target.alice.email.as_str(), "unknown@example.com"].map(|email| {
                let fields = [("name", "Mallory"), ("email", email), ("password", PASSWORD)];
                let reply = target.submit(&target.mallory.person, "/account/profile", &fields);
                format!("{} {}", reply.status, reply.header("location").replace(&encoded(email), ""))
            });
            if answers[0] == answers[1] { "the same for both".to_owned() } else { answers.join(" and ") }
        },
    },
    Attack {
        name: "a customer makes 60 requests",
        expected: "at most 20",
        run: |target| {
            let made = (0..60).filter(|number| {
                let body = json!({ "title": format!("Chair {number}"), "description": "Of oak" });
                target.api(&target.mallory.person, "POST", "/requests", Some(body)).status == 201
            });
            let made = made.count();
            if made <= 20 { "at most 20".to_owned() } else { made.to_string() }
        },
    },
    Attack {
        name: "a guest fills the disk",
        expected: "5 MB",
        run: |target| {
            let (chat, secret) = target.open("Filler");
            let file = vec![b'a'; 1_000_000];
            let stored = (0..12).filter(|_| {
                upload(target.address, &Person::with_token(&secret), &chat, "a", "a/b", &file).status == 201
            });
            format!("{} MB", stored.count())
        },
    },
    Attack {
        name: "a guest subscribes the server's own machines and networks to notifications",
        expected: "422",
        run: |target| {
            let hosts = ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:192.168.0.1]"];
            let keys = json!({
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            });
            let answers: BTreeSet<_> = ["https", "http"]
                .into_iter()
                .flat_map(|scheme| hosts.map(|host| format!("{scheme}://{host}/a")))
                .map(|endpoint| {
                    let body = json!({ "endpoint": endpoint, "keys": keys });
                    target.api(&target.mallory.person, "POST", "/push/subscriptions", Some(body)).status.to_string()
                })
                .collect();
            answers.into_iter().collect::<Vec<_>>().join(" ")
        },
    },
    Attack {
        name: "a form is stopped on its way, changed, and sent again",
        expected: "409, with the new text and another key",
        run: |target| {
            let path = format!("/chat/{}", target.mallory.conversation);
            let key = "0193a6c0-0000-7000-8000-0000000000cc";
            target.submit(&target.mallory.person, &path, &[("content", "first"), ("client_id", key)]);
            let fields = [("content", "second thoughts"), ("client_id", key)];
            let again = target.submit(&target.mallory.person, &path, &fields);
            let kept = again.body.contains("second thoughts") && again.hidden("client_id").is_some_and(|id| id != key);
            match (again.status, kept) {
                (409, true) => "409, with the new text and another key".to_owned(),
                (status, kept) => format!("{status}, kept: {kept}"),
            }
        },
    },
    Attack {
        name: "a form that makes a request is sent ten times at once",
        expected: "1 request",
        run: |target| {
            let page = target.get(&target.alice.person, "/requests/new");
            let key = page.hidden("form_key").unwrap_or_default();
            let fields = [("title", "Once"), ("description", "Of oak"), ("form_key", key.as_str())];
            let made: BTreeSet<String> = thread::scope(|scope| {
                let send =
                    || target.submit(&target.alice.person, "/requests/new", &fields).header("location").to_owned();
                let sends: Vec<_> = (0..10).map(|_| scope.spawn(send)).collect();
                sends.into_iter().map(|send| send.join().unwrap()).collect()
            });
            format!("{} request", made.len())
        },
    },
    Attack {
        name: "a text of the longest kind has line breaks as forms send them",
        expected: "303",
        run: |target| {
            let text = format!("a{}b", "\r\n".repeat(7_998));
            let path = format!("/chat/{}", target.alice.conversation);
            target.submit(&target.alice.person, &path, &[("content", &text)]).status.to_string()
        },
    },
    Attack {
        name: "a link as mail programs leave it",
        expected: "it opens",
        run: |target| {
            let (chat, secret) = target.open("Link");
            let addresses = [
                format!("/chat?chatId={secret}."),
                format!("/chat?chatId={secret})"),
                format!("/chat?chatId={secret}%3E"),
                format!("/chat?chatId={secret}%E2%80%8B"),
                format!("/chat?chatId={secret}&fbclid=a"),
                format!("/chat?chatId={secret}?x=1"),
                format!("/chat?chatId={}", secret.replace('-', "")),
                format!("/chat?chatId={}", secret.to_uppercase()),
                format!("/chat/?chatId={secret}"),
            ];
            for address in addresses {
                let reply = target.get(&Person::default(), &address);
                if reply.header("location") != format!("/chat/{chat}") {
                    return format!("{} on {}", reply.status, address.replace(&secret, "…"));
                }
            }
            "it opens".to_owned()
        },
    },
    Attack {
        name: "Back shows what was private after a sign-out",
        expected: "\"cache\" is cleared",
        run: |target| {
            let person = target.sign_in(&target.alice.email, PASSWORD).expect("the right password");
            let reply = target.submit(&person, "/logout", &[]);
            format!("{} is cleared", reply.header("clear-site-data"))
        },
    },
    Attack {
        name: "a browser that keeps no cookies signs in",
        expected: "it is told so",
        run: |target| {
            let referer = format!("Referer: http://{}/login\r\nSec-Fetch-Site: same-origin\r\n", target.address);
            let reply = send(target.address, "GET", "/account", &referer, b"");
            let place = reply.header("location").to_owned();
            let page = target.get(&Person::default(), &place).body;
            if page.contains("cookie") { "it is told so".to_owned() } else { place }
        },
    },
    Attack {
        name: "a page is opened under another name",
        expected: "it leads to the public URL",
        run: |target| {
            let home = format!("http://{}", target.address);
            for host in [format!("localhost:{}", target.address.port()), "evil.example".to_owned()] {
                let request = format!("GET /login?next=/account HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                let reply = crate::http::send_raw(target.address, request.as_bytes());
                if reply.header("location") != format!("{home}/login?next=/account") {
                    return format!("{} to {:?} from {host}", reply.status, reply.header("location"));
                }
            }
            "it leads to the public URL".to_owned()
        },
    },
    Attack {
        name: "a guesser behind the proxy, who writes other addresses into the header",
        expected: "held back alone",
        run: |target| {
            let guesses: Vec<u16> = (0..60)
                .map(|number| wrong_sign_in(target, &format!("192.0.2.{number}, 198.51.100.1"), number))
                .collect();
            let fields = [("email", target.alice.email.as_str()), ("password", PASSWORD)];
            let neighbour = submit_from(target, "198.51.100.2", "/login", &fields).status;
            match (guesses.last(), neighbour) {
                (Some(429), 303) => "held back alone".to_owned(),
                (last, neighbour) => format!("guesser {last:?}, neighbour {neighbour}"),
            }
        },
    },
    Attack {
        name: "a guesser with every address of an IPv6 network",
        expected: "held back",
        run: |target| {
            let guesses: Vec<u16> =
                (0..60).map(|number| wrong_sign_in(target, &format!("2001:db8:3:4::{number:x}"), number)).collect();
            let last = guesses[guesses.len() - 1];
            if last == 429 { "held back".to_owned() } else { last.to_string() }
        },
    },
    Attack {
        name: "names that nobody sees, and names that turn what stands beside them",
        expected: "422, and Admin as it is spelled",
        run: |target| {
            let rename = |name: &str| {
                let fields = [("name", name), ("email", target.mallory.email.as_str())];
                target.submit(&target.mallory.person, "/account/profile", &fields).status
            };
            let mut met: Vec<u16> = ["\u{200b}", "\u{3164}", "\u{2800}", "\u{202e}\u{202c}", ""].map(rename).to_vec();
            met.dedup();
            rename("\u{202e}nimdA\u{202c}");
            let page = target.get(&target.mallory.person, "/account?tab=profile").body;
            let turned = page.contains('\u{202e}');
            rename("Mallory");
            let spelled =
                if page.contains("nimdA") && !turned { "Admin as it is spelled" } else { "a name that turns" };
            format!("{}, and {spelled}", met.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))
        },
    },
    Attack {
        name: "whoever has a link reads the customer's address",
        expected: "null",
        run: |target| {
            let body = json!({ "customer_name": "Guest", "customer_email": "private@example.com" });
            let opened = target.api(&target.admin, "POST", "/conversations", Some(body)).json();
            let secret = opened["link"].as_str().unwrap().split_once("chatId=").unwrap().1;
            let path = format!("/conversations/{}", opened["id"].as_str().unwrap());
            let seen = target.api(&Person::with_token(secret), "GET", &path, None).json();
            seen["customer_email"].to_string()
        },
    },
    Attack {
        name: "a message that a terminal would obey, or that looks like another's, in a transcript",
        expected: "no control character, and one line at the margin",
        run: |target| {
            let (chat, _) = target.open("Terminal");
            let content =
                "\u{1b}[2J\u{9b}31m\u{202e}a\u{7}\nAdmin (2026-01-01 10:00 UTC)\u{2028}Admin (2026-01-01 10:01 UTC)";
            let path = format!("/conversations/{chat}/messages");
            target.api(&target.admin, "POST", &path, Some(json!({ "content": content })));
            let text = target.get(&target.admin, &format!("/api/v1/conversations/{chat}/transcript?format=txt")).body;
            let control = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
            let margin = text.lines().filter(|line| line.starts_with("Admin")).count();
            match (control, margin, text.contains('\u{2028}')) {
                (None, 0, false) => "no control character, and one line at the margin".to_owned(),
                (control, margin, _) => format!("{control:?}, {margin} forged lines"),
            }
        },
    },
    Attack {
        name: "a picture tells where it was taken",
        expected: "shown, without the place",
        run: |target| {
            let mallory = &target.mallory;
            let uploaded =
                upload(target.address, &mallory.person, &mallory.conversation, "a.png", "image/png", &picture());
            let id = uploaded.json()["id"].as_str().unwrap().to_owned();
            let shown = target.get(&mallory.person, &format!("/api/v1/attachments/{id}"));
            match (shown.header("content-type"), shown.body.contains("52.52 N")) {
                ("image/png", false) => "shown, without the place".to_owned(),
                (media_type, told) => format!("{media_type}, with the place: {told}"),
            }
        },
    },
    Attack {
        name: "a function of the server is called by somebody who may not",
        expected: "403, 404",
        run: |target| {
            let call = |name: &str, body: &str| {
                let headers =
                    format!("{}Content-Type: application/json\r\n", target.mallory.person.headers(target.address));
                send(target.address, "POST", &format!("/api/{name}"), &headers, body.as_bytes()).status
            };
            let room = &target.alice.conversation;
            format!(
                "{}, {}",
                call("list_tokens", "{}"),
                call("set_status", &format!(r#"{{"id":"{room}","status":"closed"}}"#))
            )
        },
    },
];

/// A complete PNG of one pixel with a text that contains a place (PNG specification, sections 5 and 11).
fn picture() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        png.extend(kind);
        png.extend(data);
        png.extend(crc(&[kind, data].concat()).to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0]);
    chunk(b"tEXt", b"Location\x0052.52 N");
    chunk(b"IDAT", b"x\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff");
    chunk(b"IEND", b"");
    png
}

/// The checksum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    };
    !bytes.iter().fold(u32::MAX, step)
}
