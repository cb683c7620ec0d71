//! The measurements, their order, and their participants.

use std::{fs, time::Duration};

use crate::{
    Arguments, Outcome,
    crowd::{Crowd, Load, Measured, Pace, What},
    disk, pages,
    people::{ADMINS, Person, World},
    report::{Figure, Table, limits, millis},
    server::{DATABASE, Kind, PAGE, Server},
};

/// A load on rooms, and the servers measured under it.
struct Rooms {
    name: &'static str,
    about: &'static str,
    what: What,
    layout: Layout,
    pace: Pace,
    servers: &'static [Kind],
}

/// The distribution of people over rooms and sockets.
#[derive(Clone, Copy)]
pub enum Layout {
    /// `rooms` rooms with `members` people each, each person on their own socket.
    Separate { rooms: usize, members: usize },
    /// The same, except that all people of a room use its link.
    ByLink { rooms: usize, members: usize },
    /// `rooms` rooms with a guest and two of `agents` agents, who have all their rooms on one socket.
    Agents { rooms: usize, agents: usize },
}

pub const SUPPORT: Layout = Layout::Separate { rooms: 2000, members: 3 };
pub const FAN_OUT: Layout = Layout::Separate { rooms: 20, members: 100 };
const DESK: Layout = Layout::Agents { rooms: 2000, agents: 20 };
const LIVE: &[Kind] = &[Kind::Bespoken, Kind::SocketIo, Kind::Ws, Kind::Bun, Kind::Least];
/// Deliveries of one send in [`FAN_OUT`]: to all but the sender.
const OTHERS: f64 = 99.0;

const ROOMS: &[Rooms] = &[
    Rooms {
        name: "support",
        about: "2,000 rooms × 3 people, live path alone, one send under way in each room",
        what: What::Typing,
        layout: SUPPORT,
        pace: Pace::Closed { in_flight: 1 },
        servers: LIVE,
    },
    Rooms {
        name: "fan-out-1",
        about: "20 rooms × 100 people, live path alone, one send under way in each room",
        what: What::Typing,
        layout: FAN_OUT,
        pace: Pace::Closed { in_flight: 1 },
        servers: LIVE,
    },
    Rooms {
        name: "fan-out-8",
        about: "20 rooms × 100 people, live path alone, eight sends under way in each room",
        what: What::Typing,
        layout: FAN_OUT,
        pace: Pace::Closed { in_flight: 8 },
        servers: LIVE,
    },
    Rooms {
        name: "open-50000",
        about: "20 rooms × 100 people, live path alone, 50,000 deliveries/s on schedule",
        what: What::Typing,
        layout: FAN_OUT,
        pace: Pace::Open { sends: 50_000.0 / OTHERS },
        servers: LIVE,
    },
    Rooms {
        name: "open-110000",
        about: "20 rooms × 100 people, live path alone, 110,000 deliveries/s on schedule",
        what: What::Typing,
        layout: FAN_OUT,
        pace: Pace::Open { sends: 110_000.0 / OTHERS },
        servers: LIVE,
    },
    Rooms {
        name: "persisted",
        about: "2,000 rooms with a guest and two of 20 agents, messages of 256 bytes, one under way in each room; \
                the last three keep nothing",
        what: What::Messages,
        layout: DESK,
        pace: Pace::Closed { in_flight: 1 },
        servers: &[Kind::Bespoken, Kind::SocketIoSqlite, Kind::WsSqlite, Kind::SocketIo, Kind::Ws, Kind::Bun],
    },
];

/// The sockets whose idle cost is measured.
const IDLE: Layout = Layout::Separate { rooms: 2000, members: 5 };
/// Messages on the measured page.
const ON_THE_PAGE: usize = 50;
/// The effects of connecting are over after this time without frames.
const SETTLE: Duration = Duration::from_millis(500);

pub fn run_all(arguments: &Arguments) -> Outcome {
    let Arguments { places, scratch, size, .. } = arguments;
    let (admins, rooms) = if size.smoke { (10, 20) } else { (ADMINS, 2000) };
    let sync = disk::fdatasync(scratch)?;
    println!(
        "fdatasync of 4 KiB: p50 {}, p99 {}{}\n",
        millis(sync.value_at_quantile(0.5)),
        millis(sync.value_at_quantile(0.99)),
        places
            .sync
            .map_or_else(String::new, |more| format!(", and {} more for servers", millis(more.as_micros() as u64)))
    );
    eprintln!("bench: making {admins} admins and {rooms} conversations");
    let world = World::create(places, scratch, admins, rooms)?;
    for scenario in ROOMS.iter().filter(|scenario| arguments.wants(scenario.name)) {
        measure_rooms(arguments, &world, scenario)?;
    }
    if !size.smoke && arguments.wants("persisted-batches") {
        measure_batches(arguments, &world)?;
    }
    if arguments.wants("persisted-half") {
        measure_half(arguments, &world)?;
    }
    if arguments.wants("idle") {
        measure_idle(arguments, &world)?;
    }
    if arguments.wants("pages") {
        measure_pages(arguments, &world)?;
    }
    Ok(())
}

impl Arguments {
    /// Whether to measure a scenario of this name.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }

    /// The selected ones of `servers`.
    fn chosen(&self, servers: &[Kind]) -> Vec<Kind> {
        let wanted = |kind: &Kind| {
            self.servers.is_empty() || self.servers.iter().any(|part| kind.name().contains(part.as_str()))
        };
        let is_there = |kind: &Kind| !self.size.smoke || *kind == Kind::Bespoken;
        servers.iter().copied().filter(wanted).filter(is_there).collect()
    }

    pub fn people(&self, world: &World, layout: Layout) -> Vec<Person> {
        let small = |count: usize, most: usize| if self.size.smoke { count.min(most) } else { count };
        match layout {
            Layout::Separate { rooms, members } => world.each_on_a_socket(small(rooms, 20), small(members, 11)),
            Layout::ByLink { rooms, members } => world.by_link(small(rooms, 20), small(members, 11)),
            Layout::Agents { rooms, agents } => world.with_agents(small(rooms, 20), small(agents, 3)),
        }
    }

    /// Measures one server under one load.
    fn measure(&self, world: &World, kind: Kind, layout: Layout, what: What, pace: Pace) -> Outcome<Measured> {
        let folder = world.copy(&self.scratch)?;
        let server = Server::start(kind, &self.places, folder.path())?;
        let people = self.people(world, layout);
        let mut crowd = Crowd::connect(&[server.address], kind.wraps(), &ids(world, &people), &people)?;
        crowd.settle(SETTLE)?;
        let load = Load { what, pace, measure: self.size.measure, warm_up: self.size.warm_up };
        let measured = crowd.run(&load, &[server.part()])?;
        limits::generator(measured.generator, self.size.smoke)?;
        Ok(measured)
    }
}

/// The ids of the rooms of `people`.
pub fn ids<'a>(world: &'a World, people: &[Person]) -> Vec<&'a str> {
    let count = people.iter().flat_map(|person| &person.rooms).max().map_or(0, |last| last + 1);
    world.rooms[..count].iter().map(|room| room.id.as_str()).collect()
}

fn measure_rooms(arguments: &Arguments, world: &World, scenario: &Rooms) -> Outcome {
    let Rooms { name, about, what, layout, pace, servers } = *scenario;
    let columns: &[&str] = match what {
        What::Typing => &["deliveries/s", "per server CPU second", "p50", "p99", "server CPU", "generator CPU"],
        What::Messages => &[
            "sends/s",
            "deliveries/s",
            "sends per server CPU second",
            "ack p50",
            "ack p99",
            "server CPU",
            "generator CPU",
        ],
    };
    let mut table = Table::new(name, about, columns);
    for _ in 0..arguments.size.repeats {
        for kind in arguments.chosen(servers) {
            let Some(measured) = table.try_for(kind.name(), || arguments.measure(world, kind, layout, what, pace))?
            else {
                continue;
            };
            let cpu = measured.cpu[0].as_secs_f64();
            let rate = |count: u64| Figure::Count(count as f64 / measured.seconds);
            let per_cpu = |count: u64| Figure::Count(count as f64 / cpu);
            let share = |busy: f64| Figure::Share(busy);
            let at = |histogram: &hdrhistogram::Histogram<u64>, quantile| {
                Figure::Time(histogram.value_at_quantile(quantile))
            };
            let used = [share(cpu / measured.seconds), share(measured.generator)];
            let figures = match what {
                What::Typing => vec![
                    rate(measured.deliveries),
                    per_cpu(measured.deliveries),
                    at(&measured.delivery, 0.5),
                    at(&measured.delivery, 0.99),
                ],
                What::Messages => vec![
                    rate(measured.sends),
                    rate(measured.deliveries),
                    per_cpu(measured.sends),
                    at(&measured.ack, 0.5),
                    at(&measured.ack, 0.99),
                ],
            };
            table.add(kind.name(), figures.into_iter().chain(used).collect());
        }
    }
    table.print(&arguments.size);
    Ok(())
}

/// Measures the throughput of SQLite alone.
fn measure_batches(arguments: &Arguments, world: &World) -> Outcome {
    let mut table = Table::new(
        "persisted-batches",
        "messages of 256 bytes put into Bespoken's database by better-sqlite3, 100 with each commit, without search and \
         without anybody who sends or is told",
        &["messages/s"],
    );
    for _ in 0..arguments.size.repeats {
        let folder = world.copy(&arguments.scratch)?;
        let seconds = arguments.size.measure.as_secs_f64().to_string();
        let mut command = arguments.places.node("batches.mjs");
        let output = command.arg(folder.path().join(DATABASE)).arg(seconds).output()?;
        let rate = String::from_utf8_lossy(&output.stdout).trim().parse();
        let rate = rate.map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
        table.add("SQLite", vec![Figure::Count(rate)]);
    }
    table.print(&arguments.size);
    Ok(())
}

/// Measures the delay of acks at half of the maximum load.
fn measure_half(arguments: &Arguments, world: &World) -> Outcome {
    let kind = Kind::Bespoken;
    if arguments.chosen(&[kind]).is_empty() {
        return Ok(());
    }
    let mut table = Table::new(
        "persisted-half",
        "as `persisted`, at half of the rate that the server bore just before",
        &["sends/s", "ack p50", "ack p99", "delivery p99", "server CPU", "generator CPU"],
    );
    for _ in 0..arguments.size.repeats {
        let measured = table.try_for(kind.name(), || {
            let full = arguments.measure(world, kind, DESK, What::Messages, Pace::Closed { in_flight: 1 })?;
            let half = Pace::Open { sends: full.sends as f64 / full.seconds / 2.0 };
            arguments.measure(world, kind, DESK, What::Messages, half)
        })?;
        let Some(measured) = measured else { continue };
        table.add(
            kind.name(),
            vec![
                Figure::Count(measured.sends as f64 / measured.seconds),
                Figure::Time(measured.ack.value_at_quantile(0.5)),
                Figure::Time(measured.ack.value_at_quantile(0.99)),
                Figure::Time(measured.delivery.value_at_quantile(0.99)),
                Figure::Share(measured.cpu[0].as_secs_f64() / measured.seconds),
                Figure::Share(measured.generator),
            ],
        );
    }
    table.print(&arguments.size);
    Ok(())
}

fn measure_idle(arguments: &Arguments, world: &World) -> Outcome {
    let mut table = Table::new(
        "idle",
        "10,000 sockets, each in a room, and nothing happens",
        &["memory before", "with all", "per socket"],
    );
    for _ in 0..arguments.size.repeats {
        for kind in arguments.chosen(LIVE) {
            let folder = world.copy(&arguments.scratch)?;
            let server = Server::start(kind, &arguments.places, folder.path())?;
            let people = arguments.people(world, IDLE);
            // A server's setup for its first socket is not part of the cost per socket.
            let rooms = ids(world, &people);
            drop(Crowd::connect(&[server.address], kind.wraps(), &rooms, &people[..1])?);
            let before = server.memory();
            let mut crowd = Crowd::connect(&[server.address], kind.wraps(), &rooms, &people)?;
            crowd.settle(Duration::from_secs(10).min(4 * arguments.size.measure))?;
            let after = server.memory();
            let each = after.saturating_sub(before) / people.len() as u64;
            table.add(kind.name(), vec![Figure::Bytes(before), Figure::Bytes(after), Figure::Bytes(each)]);
        }
    }
    table.print(&arguments.size);
    Ok(())
}

fn measure_pages(arguments: &Arguments, world: &World) -> Outcome {
    let mut table = Table::new(
        "pages",
        "the page of a conversation with 50 messages, eight requests under way",
        &["requests/s", "per server CPU second", "TTFB p50", "TTFB p99", "bytes", "server CPU", "generator CPU"],
    );
    for _ in 0..arguments.size.repeats {
        for kind in arguments.chosen(&[Kind::Bespoken, Kind::React]) {
            let folder = world.copy(&arguments.scratch)?;
            if kind == Kind::React {
                fs::write(folder.path().join(PAGE), the_page(arguments, world)?)?;
            }
            let server = Server::start(kind, &arguments.places, folder.path())?;
            let (page, cookie) = match kind {
                Kind::Bespoken => fill(&server, world)?,
                _ => ("/".to_owned(), String::new()),
            };
            let measured = table.try_for(kind.name(), || {
                let measured = pages::run(&server, &page, &cookie, arguments.size.warm_up, arguments.size.measure)?;
                limits::generator(measured.generator, arguments.size.smoke)?;
                Ok(measured)
            })?;
            let Some(measured) = measured else { continue };
            let cpu = measured.server_cpu.as_secs_f64();
            table.add(
                kind.name(),
                vec![
                    Figure::Count(measured.requests as f64 / measured.seconds),
                    Figure::Count(measured.requests as f64 / cpu),
                    Figure::Time(measured.first_byte.value_at_quantile(0.5)),
                    Figure::Time(measured.first_byte.value_at_quantile(0.99)),
                    Figure::Bytes(measured.bytes as u64),
                    Figure::Share(cpu / measured.seconds),
                    Figure::Share(measured.generator),
                ],
            );
        }
    }
    table.print(&arguments.size);
    Ok(())
}

/// Bespoken's response, for others to render the same page.
fn the_page(arguments: &Arguments, world: &World) -> Outcome<String> {
    let folder = world.copy(&arguments.scratch)?;
    let server = Server::start(Kind::Bespoken, &arguments.places, folder.path())?;
    let (page, cookie) = fill(&server, world)?;
    pages::fetch(&server, &page, &cookie)
}

/// Writes the messages of the page, from both sides in turn; returns the page's address and the cookie for it.
fn fill(server: &Server, world: &World) -> Outcome<(String, String)> {
    let agent = ureq::Agent::new_with_defaults();
    for number in 0..ON_THE_PAGE {
        let secret = if number % 2 == 0 { world.link(0) } else { world.token() };
        let content =
            format!("Message {number}: could the lowest board be two centimetres deeper than the others, as drawn?");
        agent
            .post(format!("http://{}/api/v1/conversations/{}/messages", server.address, world.rooms[0].id))
            .header("authorization", format!("Bearer {secret}"))
            .send_json(serde_json::json!({ "content": content }))?;
    }
    pages::sign_in(server, world.link(0))
}
