//! The cost of a full database: sends the same requests in turn to a small database and to one with a million
//! messages.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{
    Arguments, Outcome,
    crowd::{Crowd, Load, Pace, What},
    people::{PASSWORD, World, admin_email},
    report::millis,
    server::{Kind, Server},
    words::{Words, word},
};

/// Conversations and messages of both databases, the small one first. Each conversation has the same number of
/// messages, so that the pages have the same length.
const SMALL: (usize, usize) = (100, 2_000);
const LARGE: (usize, usize) = (50_000, 1_000_000);
/// Sockets of the one admin who writes the messages: others would receive each of them.
const WRITERS: usize = 25;
/// Requests of each kind in a turn.
const REQUESTS: usize = 40;
/// Limit for the results of a search, which both databases reach.
const MANY: usize = 50;
/// A word that only the first [`NEEDLES`] messages contain.
const NEEDLE: &str = "needle";
const NEEDLES: usize = 10;
/// The maximum factor between the medians of both databases.
const MOST: f64 = 2.0;

/// A frequent request.
struct Request {
    what: &'static str,
    ask: fn(&Site, &mut Words) -> Outcome,
}

const REQUESTS_MADE: &[Request] = &[
    Request { what: "open a conversation", ask: |site, words| site.open(words) },
    Request { what: "the dashboard's first page", ask: |site, _| site.page("/admin", &site.admin) },
    Request { what: "the dashboard: search a customer's name", ask: |site, _| site.find(&site.last_name()) },
    Request { what: "the dashboard: search a part of all names", ask: |site, _| site.find("customer") },
    Request { what: "the dashboard: search what no name has", ask: |site, _| site.find("nobody") },
    Request { what: "send a message", ask: |site, words| site.send(words) },
    Request { what: "search a common word", ask: |site, _| site.search(&word(1), MANY, site.world.token()) },
    Request {
        what: "search a word of one message in 30",
        ask: |site, words| site.search(&word(100 + words.below(100) as u64), MANY, site.world.token()),
    },
    Request {
        what: "search a word of one message in 400, the latest 5",
        ask: |site, words| site.search(&word(1500 + words.below(500) as u64), 5, site.world.token()),
    },
    Request {
        what: "search a word of the 10 oldest messages",
        ask: |site, _| site.search(NEEDLE, MANY, site.world.token()),
    },
    Request { what: "search a word that nobody wrote", ask: |site, _| site.search("nobody", MANY, site.world.token()) },
    Request {
        what: "search two common words",
        ask: |site, _| site.search(&format!("{} {}", word(2), word(40)), MANY, site.world.token()),
    },
    Request {
        what: "search a common word and that of the 10 oldest",
        ask: |site, _| site.search(&format!("{} {NEEDLE}", word(1)), MANY, site.world.token()),
    },
    Request {
        what: "a guest searches a common word",
        ask: |site, words| site.search(&word(1), MANY, site.someone(words)),
    },
];

/// A server with its database, and a signed-in admin.
struct Site {
    server: Server,
    world: World,
    agent: ureq::Agent,
    admin: String,
    _folder: tempfile::TempDir,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let small = Site::create(arguments, SMALL)?;
    let large = Site::create(arguments, LARGE)?;
    let mut words = Words::new(7);
    let mut taken: Vec<[Histogram<u64>; 2]> = Vec::new();
    for _ in REQUESTS_MADE {
        taken.push([Histogram::new_with_bounds(1, 60_000_000, 3)?, Histogram::new_with_bounds(1, 60_000_000, 3)?]);
    }
    // The first turn fills the caches.
    for turn in 0..=arguments.size.repeats {
        for (request, taken) in REQUESTS_MADE.iter().zip(&mut taken) {
            for (site, taken) in [&small, &large].into_iter().zip(taken) {
                for _ in 0..REQUESTS {
                    let began = Instant::now();
                    (request.ask)(site, &mut words)?;
                    if turn > 0 {
                        taken.record(began.elapsed().as_micros().max(1) as u64)?;
                    }
                }
            }
        }
    }
    let mut too_slow = Vec::new();
    println!(
        "### scale\n\nMedian (and 95 of 100) of {} requests each.\n\n\
         | request | {} conversations, {} messages | {} conversations, {} messages | times |\n| --- | ---: | ---: | ---: |",
        REQUESTS * arguments.size.repeats,
        SMALL.0,
        SMALL.1,
        LARGE.0,
        LARGE.1
    );
    for (request, [small, large]) in REQUESTS_MADE.iter().zip(&taken) {
        let shown = |of: &Histogram<u64>| {
            format!("{} ({})", millis(of.value_at_quantile(0.5)), millis(of.value_at_quantile(0.95)))
        };
        let times = large.value_at_quantile(0.5) as f64 / small.value_at_quantile(0.5) as f64;
        println!("| {} | {} | {} | {times:.2} |", request.what, shown(small), shown(large));
        if times > MOST {
            too_slow.push(request.what);
        }
    }
    println!();
    if too_slow.is_empty() {
        Ok(())
    } else {
        Err(format!("more than {MOST} times as long: {}", too_slow.join(", ")).into())
    }
}

impl Site {
    /// A server with this number of conversations and messages.
    fn create(arguments: &Arguments, (conversations, messages): (usize, usize)) -> Outcome<Self> {
        let Arguments { places, scratch, .. } = arguments;
        eprintln!("bench: making {conversations} conversations with {messages} messages");
        let world = World::create(places, scratch, 1, conversations)?;
        let folder = world.copy(scratch)?;
        let server = Server::start(Kind::Bespoken, places, folder.path())?;
        let agent = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        let form = [("email", admin_email(0)), ("password", PASSWORD.to_owned())];
        let answer = agent.post(format!("http://{}/login", server.address)).send_form(form)?;
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let admin = cookie.ok_or("the admin could not sign in")?.to_owned();
        let site = Self { server, world, agent, admin, _folder: folder };
        let mut words = Words::new(1);
        for room in 0..NEEDLES {
            // A common word is among the first words of the text.
            site.post(room, &format!("{NEEDLE} {} {}", word(1), words.text(200)))?;
        }
        fill(&site.server, &site.world, messages)?;
        Ok(site)
    }

    fn page(&self, path: &str, cookie: &str) -> Outcome {
        let url = format!("http://{}{path}", self.server.address);
        let mut page = self.agent.get(url).header("cookie", cookie).call()?;
        if page.status() != 200 {
            return Err(format!("{path}: {}", page.status()).into());
        }
        page.body_mut().read_to_string()?;
        Ok(())
    }

    fn open(&self, words: &mut Words) -> Outcome {
        let room = words.below(self.world.rooms.len());
        self.page(&format!("/admin?chat={}", self.world.rooms[room].id), &self.admin)
    }

    fn last_name(&self) -> String {
        format!("customer%20{}", self.world.rooms.len() - 1)
    }

    /// The dashboard's page of a search, with chats and messages.
    fn find(&self, text: &str) -> Outcome {
        self.page(&format!("/admin?q={text}"), &self.admin)
    }

    fn send(&self, words: &mut Words) -> Outcome {
        self.post(words.below(self.world.rooms.len()), &words.text(100))
    }

    fn post(&self, room: usize, content: &str) -> Outcome {
        let room = &self.world.rooms[room].id;
        let url = format!("http://{}/api/v1/conversations/{room}/messages", self.server.address);
        let authorization = format!("Bearer {}", self.world.token());
        self.agent
            .post(url)
            .header("authorization", authorization)
            .send_json(serde_json::json!({ "content": content }))?
            .body_mut()
            .read_to_string()?;
        Ok(())
    }

    fn search(&self, query: &str, limit: usize, secret: &str) -> Outcome {
        let url = format!("http://{}/api/v1/search", self.server.address);
        let authorization = format!("Bearer {secret}");
        self.agent
            .get(url)
            .query("q", query)
            .query("limit", limit.to_string())
            .header("authorization", authorization)
            .call()?
            .body_mut()
            .read_to_string()?;
        Ok(())
    }

    /// The secret of a random guest.
    fn someone(&self, words: &mut Words) -> &str {
        self.world.link(words.below(self.world.rooms.len()))
    }
}

/// Writes this number of messages evenly to all rooms, through the WebSocket like any client.
fn fill(server: &Server, world: &World, messages: usize) -> Outcome {
    let people = world.writers(world.rooms.len(), WRITERS);
    let rooms: Vec<_> = world.rooms.iter().map(|room| room.id.as_str()).collect();
    let mut crowd = Crowd::connect(&[server.address], false, &rooms, &people)?;
    let pace = Pace::Rounds { rounds: messages / rooms.len() };
    let load = Load { what: What::Messages, pace, measure: Duration::ZERO, warm_up: Duration::ZERO };
    crowd.run(&load, &[])?;
    Ok(())
}
