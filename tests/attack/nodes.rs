//! Several servers on one PostgreSQL database, and a network to it that swallows what is sent.

use std::{
    io::{Read, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    Attack, Group,
    http::Person,
    socket::Socket,
    target::{PASSWORD, Target},
};

pub const GROUP: Group = Group { name: "nodes", variables: &[], only: Some("postgres"), attacks: ATTACKS };

/// How long a database may be silent before the server reports it, with a margin for a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Opens a socket on a second server, revokes its access on the first, and returns how the socket ends.
fn ends_elsewhere(target: &Target, person: &Person, end: impl FnOnce()) -> String {
    let node = target.second_node();
    let mut socket = Socket::open(node.address, person);
    end();
    let began = Instant::now();
    let closed = socket.end();
    // The guarantee is one second; a busy machine may need a little longer.
    if began.elapsed() < Duration::from_secs(5) {
        closed
    } else {
        format!("{closed} after {:.1} s", began.elapsed().as_secs_f64())
    }
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "a socket on another server is used after its person signed out",
        expected: "closed 1008",
        run: |target| {
            let person = target.sign_in(&target.mallory.email, PASSWORD).expect("the right password");
            ends_elsewhere(target, &person, || {
                target.submit(&person, "/logout", &[]);
            })
        },
    },
    Attack {
        name: "a socket on another server is used after its link was revoked",
        expected: "closed 1008",
        run: |target| {
            let (chat, secret) = target.open("Elsewhere");
            ends_elsewhere(target, &Person::with_token(&secret), || {
                target.api(&target.admin, "DELETE", &format!("/conversations/{chat}/link"), None);
            })
        },
    },
    Attack {
        name: "a socket on another server is used after its token was revoked",
        expected: "closed 1008",
        run: |target| {
            let (token, id) = target.create_token();
            ends_elsewhere(target, &Person::with_token(&token), || target.revoke_token(&id))
        },
    },
    Attack {
        name: "a message is sent twice at once, on two servers",
        expected: "1 message",
        run: |target| {
            let node = target.second_node();
            let path = format!("/conversations/{}/messages", target.mallory.conversation);
            let body = json!({ "content": "twice", "client_id": "0193a6c0-0000-7000-8000-0000000000dd" });
            thread::scope(|scope| {
                for address in [target.address, node.address].repeat(5) {
                    let (person, path, body) = (&target.mallory.person, &path, body.clone());
                    scope.spawn(move || crate::target::api(address, person, "POST", path, Some(body)));
                }
            });
            let stored = target.api(&target.mallory.person, "GET", &format!("{path}?limit=200"), None).json();
            let items = stored["items"].as_array().unwrap();
            format!("{} message", items.iter().filter(|message| message["content"] == "twice").count())
        },
    },
    Attack {
        name: "the network to the database swallows everything",
        expected: "it says so, and works again, with nothing lost or doubled",
        run: |target| {
            let silence = Silence::before(&target.database_url);
            let node = target.node_on(&silence.url);
            let path = format!("/conversations/{}/messages", target.alice.conversation);
            let post = |client_id: &str| {
                let body = json!({ "content": "through the silence", "client_id": client_id });
                crate::target::api(node.address, &target.alice.person, "POST", &path, Some(body)).status
            };
            let ready = || crate::http::send(node.address, "GET", "/readyz", "", b"").status;
            if ready() != 200 {
                return "not ready from the beginning".to_owned();
            }
            silence.swallows.store(true, Ordering::SeqCst);
            let began = Instant::now();
            let told = ready();
            if told != 503 || began.elapsed() > SOON {
                return format!("/readyz says {told} after {:.1} s", began.elapsed().as_secs_f64());
            }
            let client_id = "0193a6c0-0000-7000-8000-0000000000ee";
            let began = Instant::now();
            let refused = post(client_id);
            if refused != 503 || began.elapsed() > SOON * 3 {
                return format!("a send gets {refused} after {:.1} s", began.elapsed().as_secs_f64());
            }
            silence.swallows.store(false, Ordering::SeqCst);
            let until = Instant::now() + SOON * 3;
            while !matches!(post(client_id), 200 | 201) {
                if Instant::now() > until {
                    return "it does not come back".to_owned();
                }
            }
            let stored = target.api(&target.alice.person, "GET", &format!("{path}?limit=200"), None).json();
            let items = stored["items"].as_array().unwrap();
            match items.iter().filter(|message| message["content"] == "through the silence").count() {
                1 => "it says so, and works again, with nothing lost or doubled".to_owned(),
                count => format!("{count} messages"),
            }
        },
    },
];

/// A network in front of PostgreSQL that can drop data without an error.
struct Silence {
    swallows: Arc<AtomicBool>,
    /// The database, by way of this network.
    url: String,
}

impl Silence {
    fn before(url: &str) -> Self {
        let (scheme_and_user, rest) = url.split_once('@').expect("a user in the URL");
        let (host, name) = rest.split_once('/').expect("a database in the URL");
        let (host, name) = (host.to_owned(), name.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme_and_user}@{}/{name}", listener.local_addr().unwrap());
        let swallows = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&swallows);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (flag, host) = (Arc::clone(&flag), host.clone());
                thread::spawn(move || {
                    // As libpq has it: what begins with a slash is the folder of a socket.
                    match host.strip_prefix("%2F") {
                        Some(folder) => {
                            let folder = format!("/{}", folder.replace("%2F", "/"));
                            let server = UnixStream::connect(format!("{folder}/.s.PGSQL.5432")).unwrap();
                            let back = server.try_clone().unwrap();
                            carry(&client, server, back, &flag);
                        }
                        None => {
                            let server = TcpStream::connect(&host).unwrap();
                            let back = server.try_clone().unwrap();
                            carry(&client, server, back, &flag);
                        }
                    }
                });
            }
        });
        Self { swallows, url }
    }
}

/// Carries both ways until either side ends. Dropped data never arrives later: the connection stays silent.
fn carry(client: &TcpStream, server: impl Write + Send, mut back: impl Read + Send, swallows: &AtomicBool) {
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(&mut back, &mut Swallowing { to: client, swallows, is_silent: false }).ok();
            client.shutdown(Shutdown::Both).ok();
        });
        let mut from = client;
        copy(&mut from, &mut Swallowing { to: server, swallows, is_silent: false }).ok();
    });
}

struct Swallowing<'a, W> {
    to: W,
    swallows: &'a AtomicBool,
    is_silent: bool,
}

impl<W: Write> Write for Swallowing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.is_silent |= self.swallows.load(Ordering::SeqCst);
        if self.is_silent { Ok(bytes.len()) } else { self.to.write(bytes) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}
