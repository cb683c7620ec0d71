//! Revoked and guessed sessions, links and tokens.

use std::{thread, time::Instant};

use serde_json::json;

use crate::{
    Attack, Group,
    http::{Person, send},
    socket::Socket,
    target::{PASSWORD, Target},
};

pub const GROUP: Group = Group {
    name: "sessions",
    // One machine plays everybody.
    variables: &[("BESPOKEN_LIMIT_LINK_GUESSES", "100000")],
    only: None,
    attacks: ATTACKS,
};

/// With the limits that ordinary servers have.
pub const GUESSES: Group = Group { name: "guesses", variables: &[], only: None, attacks: GUESSING };

/// Opens a socket, revokes its access, and returns how the socket ends.
fn ends(target: &Target, person: &Person, end: impl FnOnce()) -> String {
    let mut socket = Socket::open(target.address, person);
    end();
    let began = Instant::now();
    let closed = socket.end();
    // The guarantee is one second; a busy machine may need a little longer.
    if began.elapsed().as_secs() < 3 {
        closed
    } else {
        format!("{closed} after {:.1} s", began.elapsed().as_secs_f64())
    }
}

/// A customer in one browser more.
fn mallory(target: &Target) -> Person {
    target.sign_in(&target.mallory.email, PASSWORD).expect("the right password")
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a socket is used after its person signed out",
        expected: "closed 1008",
        run: |target| {
            let person = mallory(target);
            ends(target, &person, || {
                target.submit(&person, "/logout", &[]);
            })
        },
    },
    Attack {
        name: "a socket is used after its link was replaced",
        expected: "closed 1008",
        run: |target| {
            let (chat, secret) = target.open("Replaced");
            ends(target, &Person::with_token(&secret), || {
                target.api(&target.admin, "POST", &format!("/conversations/{chat}/link"), None);
            })
        },
    },
    Attack {
        name: "a socket is used after its link was revoked",
        expected: "closed 1008",
        run: |target| {
            let (chat, secret) = target.open("Revoked");
            ends(target, &Person::with_token(&secret), || {
                target.api(&target.admin, "DELETE", &format!("/conversations/{chat}/link"), None);
            })
        },
    },
    Attack {
        name: "a socket is used after its token was revoked",
        expected: "closed 1008",
        run: |target| {
            let (token, id) = target.create_token();
            ends(target, &Person::with_token(&token), || target.revoke_token(&id))
        },
    },
    Attack {
        name: "a socket of another browser is used after the password was changed",
        expected: "closed 1008",
        run: |target| {
            let (thief, owner) = (mallory(target), mallory(target));
            ends(target, &thief, || {
                let fields = [("current_password", PASSWORD), ("password", PASSWORD)];
                let changed = target.submit(&owner, "/account/password", &fields);
                assert_eq!(changed.status, 303, "{changed:?}");
            })
        },
    },
    Attack {
        name: "a cookie is used after its person signed out",
        expected: "200, then 401",
        run: |target| {
            let person = mallory(target);
            let before = target.api(&person, "GET", "/conversations", None).status;
            target.submit(&person, "/logout", &[]);
            format!("{before}, then {}", target.api(&person, "GET", "/conversations", None).status)
        },
    },
    Attack {
        name: "a cookie that the attacker planted is signed in",
        expected: "worth nothing",
        run: |target| {
            let (_, secret) = target.open("Planted");
            let link = target.get(&Person::default(), &format!("/chat?chatId={secret}"));
            let planted = Person::with_cookie(link.cookies().join("; "));
            let fields = [("email", target.alice.email.as_str()), ("password", PASSWORD)];
            let signed_in = target.submit(&planted, "/login", &fields);
            assert_eq!(signed_in.status, 303);
            let seen = target.api(&planted, "GET", "/requests", None).body;
            if seen.contains("Alice") { seen } else { "worth nothing".to_owned() }
        },
    },
    Attack {
        name: "cookies of every length and kind",
        expected: "401",
        run: |target| {
            let mut met: Vec<String> =
                ["", "x", "../../etc", "%00", "'; drop table sessions; --", &"a".repeat(4_000), "\u{e9}", "\"quoted\""]
                    .iter()
                    .map(|value| {
                        let headers = format!("Cookie: bespoken={value}; bespoken={value}\r\n");
                        send(target.address, "GET", "/api/v1/conversations", &headers, b"").status.to_string()
                    })
                    .collect();
            met.dedup();
            met.join(", ")
        },
    },
    Attack {
        name: "two links are opened at the same moment in a new browser",
        expected: "both chats",
        run: |target| {
            let chats = [target.open("First"), target.open("Second")];
            // Both requests leave before either answer has come, so neither has a cookie.
            let mut cookies: Vec<String> = Vec::new();
            let replies =
                chats.each_ref().map(|(_, secret)| target.get(&Person::default(), &format!("/chat?chatId={secret}")));
            for cookie in replies.iter().flat_map(|reply| reply.cookies()) {
                let name = cookie.split('=').next().unwrap_or_default().to_owned();
                cookies.retain(|known| !known.starts_with(&format!("{name}=")));
                cookies.push(cookie);
            }
            let browser = Person::with_cookie(cookies.join("; "));
            let seen = chats.each_ref().map(|(chat, _)| target.get(&browser, &format!("/chat/{chat}")).status);
            if seen == [200, 200] { "both chats".to_owned() } else { format!("{seen:?}") }
        },
    },
    Attack {
        name: "a message is written again with other words",
        expected: "201, 200, 409",
        run: |target| {
            let person = mallory(target);
            let path = format!("/conversations/{}/messages", target.mallory.conversation);
            let client_id = "0193a6c0-0000-7000-8000-0000000000aa";
            let post = |content: &str| {
                let body = json!({ "content": content, "client_id": client_id });
                target.api(&person, "POST", &path, Some(body)).status
            };
            format!("{}, {}, {}", post("once"), post("once"), post("something else"))
        },
    },
    Attack {
        name: "20 copies of one message at once",
        expected: "1 message",
        run: |target| {
            let person = mallory(target);
            let path = format!("/conversations/{}/messages", target.mallory.conversation);
            let body = json!({ "content": "copy", "client_id": "0193a6c0-0000-7000-8000-0000000000bb" });
            thread::scope(|scope| {
                for _ in 0..20 {
                    scope.spawn(|| target.api(&person, "POST", &path, Some(body.clone())));
                }
            });
            let stored = target.api(&person, "GET", &format!("{path}?limit=200"), None).json();
            let copies =
                stored["items"].as_array().unwrap().iter().filter(|message| message["content"] == "copy").count();
            format!("{copies} message")
        },
    },
];

const GUESSING: &[Attack] = &[
    Attack {
        name: "200 links are guessed at once",
        expected: "at most 30 are looked at, and the right one still opens",
        run: |target| {
            let (_, right) = target.open("Right");
            let statuses = all_at_once(|number| {
                let secret = format!("0193a6c0-0000-7000-8000-{number:012x}");
                target.get(&Person::default(), &format!("/chat?chatId={secret}")).status
            });
            let looked_at = statuses.iter().filter(|status| **status != 429).count();
            let opens = target.get(&Person::default(), &format!("/chat?chatId={right}")).status == 303;
            told(looked_at, opens)
        },
    },
    Attack {
        name: "200 passwords are guessed at once, by one who is signed in elsewhere",
        expected: "none is looked at after the guesses before, and sessions go on",
        run: |target| {
            let statuses = all_at_once(|number| {
                let fields = [("email", target.alice.email.as_str()), ("password", &*format!("wrong {number}"))];
                target.submit(&Person::default(), "/login", &fields).status
            });
            let looked_at = statuses.iter().filter(|status| **status != 429).count();
            let goes_on = target.api(&target.alice.person, "GET", "/conversations", None).status == 200;
            if looked_at == 0 && goes_on {
                "none is looked at after the guesses before, and sessions go on".to_owned()
            } else {
                format!("{looked_at} are looked at, sessions go on: {goes_on}")
            }
        },
    },
];

fn told(looked_at: usize, opens: bool) -> String {
    if looked_at <= 30 && opens {
        "at most 30 are looked at, and the right one still opens".to_owned()
    } else {
        format!("{looked_at} are looked at, the right one opens: {opens}")
    }
}

fn all_at_once(guess: impl Fn(u32) -> u16 + Sync) -> Vec<u16> {
    let guess = &guess;
    thread::scope(|scope| {
        let guesses: Vec<_> = (0..200).map(|number| scope.spawn(move || guess(number))).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    })
}
