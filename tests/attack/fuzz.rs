//! Random input for everything that the server reads from people: no 5xx, no panic, and everybody is served after it.
//!
//! Each target has a small corpus of valid input, which is mutated. All targets run side by side for
//! `BESPOKEN_FUZZ_SECONDS` (60). `BESPOKEN_FUZZ_SEED` repeats a run as far as threads allow. Input that fails is
//! printed, to become a test of its own.

use std::{
    env, thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    Attack, Group,
    http::{Person, encoded, send},
    socket::{FIN, Socket, TEXT},
    target::Target,
};

pub const GROUP: Group = Group {
    name: "fuzzing",
    // The limits would answer most of it.
    variables: &[
        ("BESPOKEN_LIMIT_SENDS", "100000000"),
        ("BESPOKEN_LIMIT_LINK_GUESSES", "100000000"),
        ("BESPOKEN_LIMIT_ASKS", "100000000"),
        ("BESPOKEN_LIMIT_INVALID_FRAMES", "100000000"),
        ("BESPOKEN_LIMIT_REQUESTS", "100000000"),
        ("BESPOKEN_LIMIT_OPEN_REQUESTS", "100000000"),
        ("BESPOKEN_LIMIT_PERSON_BYTES", "100000000000"),
    ],
    only: None,
    attacks: &[Attack {
        name: "frames, bodies, cursors, searches, links, files, cookies and multipart",
        expected: "no error of the server, and everybody is served",
        run: fuzz,
    }],
};

/// Strings that often break parsers.
const INTERESTING: &[&[u8]] = &[
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\"",
    b"'",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"%",
    b"%00",
    b"%ff",
    b"%e2%80%ae",
    b"*",
    b"--",
    b"--b--",
    b";",
    b"=",
    b"&",
    b"<",
    b">",
    b"://",
    b"https://",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    b"\xe2\x80\xae",
    b"\xcc\x81",
    b"\xef\xbf\xbe",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF",
    b"WEBP",
    b"GIF89a",
    b"ftypheic",
    b"Exif\0\0",
    b"%PDF-",
    b"filename*=UTF-8''",
];

/// One kind of input.
struct Kind {
    name: &'static str,
    corpus: &'static [&'static [u8]],
    /// Sends one input; the status, or 0 if there is none.
    send: fn(&Target, &[u8]) -> u16,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "frames",
        corpus: &[
            br#"{"type":"joinRequest","room":"ROOM","after":1,"epoch":"a"}"#,
            br#"{"type":"sendMessage","room":"ROOM","client_id":"0193a6c0-0000-7000-8000-000000000001","content":"hello","attachment_ids":[]}"#,
            br#"{"type":"updateMessage","room":"ROOM","client_id":"0193a6c0-0000-7000-8000-000000000001","id":"ROOM","content":"a"}"#,
            br#"{"type":"typing","room":"ROOM","on":true}"#,
            br#"{"type":"read","room":"ROOM","seq":1}"#,
        ],
        send: |target, input| {
            let mut socket = Socket::open(target.address, &target.mallory.person);
            for _ in 0..20 {
                socket.send(FIN | TEXT, input);
            }
            0
        },
    },
    Kind {
        name: "bodies of the API",
        corpus: &[
            br#"{"content":"hello","client_id":"0193a6c0-0000-7000-8000-000000000001","attachment_ids":[]}"#,
            br#"{"title":"Chair","description":"Oak","budget_cents":100,"wanted_on":"2030-01-31"}"#,
            br#"{"seq":1}"#,
            br#"{"status":"closed"}"#,
        ],
        send: |target, input| {
            let headers = format!("{}Content-Type: application/json\r\n", target.mallory.person.headers(target.address));
            let room = &target.mallory.conversation;
            let paths = [
                format!("/api/v1/conversations/{room}/messages"),
                format!("/api/v1/conversations/{room}/read"),
                "/api/v1/requests".to_owned(),
                "/api/list_older".to_owned(),
            ];
            paths.iter().map(|path| send(target.address, "POST", path, &headers, input).status).max().unwrap_or(0)
        },
    },
    Kind {
        name: "cursors and numbers in addresses",
        corpus: &[b"eyJhIjoxfQ", b"1", b"0193a6c0-0000-7000-8000-000000000001", b"2030-01-31T00:00:00Z"],
        send: |target, input| {
            let (person, value) = (&target.mallory.person, escaped(input));
            let room = &target.mallory.conversation;
            let paths = [
                format!("/api/v1/conversations?cursor={value}"),
                format!("/api/v1/requests?cursor={value}"),
                format!("/api/v1/conversations/{room}/messages?before_seq={value}"),
                format!("/api/v1/conversations/{value}"),
                format!("/account?chat={value}&tab={value}"),
            ];
            paths.iter().map(|path| target.get(person, path).status).max().unwrap_or(0)
        },
    },
    Kind {
        name: "searches",
        corpus: &[b"oak table", b"\"two words\"", b"tab*", b"caf\xc3\xa9 -wood", b"a:b & c | !d <-> (e)"],
        send: |target, input| {
            let value = escaped(input);
            let search = target.get(&target.admin, &format!("/api/v1/search?q={value}")).status;
            search.max(target.get(&target.admin, &format!("/api/v1/requests?q={value}")).status)
        },
    },
    Kind {
        name: "links in text",
        corpus: &[b"see https://example.com/a?b=c#d.", b"(http://a.example)", b"mailto:a@example.com", b"www.example.com", b"https://\xc3\xa4.example/\xe4\xbd\xa0"],
        send: |target, input| {
            let text = String::from_utf8_lossy(input);
            let person = &target.mallory.person;
            let posted = target.submit(person, &format!("/chat/{}", target.mallory.conversation), &[("content", &text)]).status;
            posted.max(target.get(person, &format!("/account?chat={}", target.mallory.request)).status)
        },
    },
    Kind {
        name: "files",
        corpus: &[
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"\xff\xd8\xff\xe1\0\x18Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\xff\xd9",
            b"RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        ],
        send: |target, input| {
            let mallory = &target.mallory;
            let name = String::from_utf8_lossy(&input[..input.len().min(8)]).replace(['"', '\r', '\n'], "_");
            crate::target::upload(target.address, &mallory.person, &mallory.conversation, &name, "image/png", input).status
        },
    },
    Kind {
        name: "cookies",
        corpus: &[b"bespoken=00000000000000000000000000000000", b"bespoken=a; bespoken=b", b"__Host-bespoken=a; $Version=1; x=\"y\""],
        send: |target, input| {
            let value = String::from_utf8_lossy(input).replace(['\r', '\n', '\0'], "_");
            send(target.address, "GET", "/account", &format!("Cookie: {value}\r\n"), b"").status
        },
    },
    Kind {
        name: "multipart bodies",
        corpus: &[
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhello\r\n--b--\r\n",
            b"--b\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\n0193a6c0-0000-7000-8000-000000000001\r\n--b--\r\n",
        ],
        send: |target, input| {
            let mallory = &target.mallory;
            let headers = format!("{}Content-Type: multipart/form-data; boundary=b\r\n", mallory.person.headers(target.address));
            let room = &mallory.conversation;
            let api = send(target.address, "POST", &format!("/api/v1/conversations/{room}/attachments"), &headers, input).status;
            api.max(send(target.address, "POST", &format!("/chat/{room}/files"), &headers, input).status)
        },
    },
];

fn escaped(input: &[u8]) -> String {
    input.iter().map(|byte| encoded_byte(*byte)).collect()
}

fn encoded_byte(byte: u8) -> String {
    if byte.is_ascii() { encoded(&char::from(byte).to_string()) } else { format!("%{byte:02X}") }
}

/// A valid input with a few mistakes.
fn mutated(kind: &Kind, target: &Target, random: &mut StdRng) -> Vec<u8> {
    let mut input = kind.corpus[random.random_range(0..kind.corpus.len())].to_vec();
    if let Some(at) = input.windows(4).position(|word| word == b"ROOM") {
        input.splice(at..at + 4, target.mallory.conversation.bytes());
    }
    for _ in 0..random.random_range(0..5) {
        let at = random.random_range(0..=input.len());
        match random.random_range(0..6) {
            0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            1 => input.truncate(at),
            2 => drop(input.splice(at..at, INTERESTING[random.random_range(0..INTERESTING.len())].iter().copied())),
            3 => {
                let end = random.random_range(at..=input.len());
                input.drain(at..end);
            }
            4 => {
                let end = random.random_range(at..=input.len().min(at + 64));
                let copy = input[at..end].repeat(random.random_range(1..20));
                input.splice(at..at, copy);
            }
            _ => input.insert(at, random.random()),
        }
    }
    input
}

fn fuzz(target: &Target) -> String {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("BESPOKEN_FUZZ_SECONDS").unwrap_or(60);
    let seed = number("BESPOKEN_FUZZ_SEED").unwrap_or_else(|| rand::rng().random());
    let until = Instant::now() + Duration::from_secs(seconds);
    let failure = thread::scope(|scope| {
        let runs: Vec<_> = KINDS
            .iter()
            .enumerate()
            .map(|(place, kind)| {
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(seed.wrapping_add(place as u64));
                    let mut tried = 0_u64;
                    while Instant::now() < until {
                        let input = mutated(kind, target, &mut random);
                        let status = (kind.send)(target, &input);
                        tried += 1;
                        if status >= 500 {
                            return Err(format!("{status} for {}: {}", kind.name, input.escape_ascii()));
                        }
                    }
                    Ok((kind.name, tried))
                })
            })
            .collect();
        let ended: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        for (name, tried) in ended.iter().flatten() {
            println!("       {tried} inputs: {name} (seed {seed})");
        }
        ended.into_iter().find_map(Result::err)
    });
    let log = std::fs::read_to_string(target.folder().join("log")).unwrap_or_default();
    // The line after the place contains the reason.
    let panic = log.find("panicked").map(|at| log[at..].lines().take(3).collect::<Vec<_>>().join(" "));
    let works =
        target.api(&Person::with_token(target.admin.token.as_deref().unwrap()), "GET", "/conversations", None).status
            == 200;
    match failure.or(panic) {
        Some(failure) => failure,
        None if works && target.works() => "no error of the server, and everybody is served".to_owned(),
        None => "nobody is served".to_owned(),
    }
}
