//! Measures the gain of a second node: one node and two in turn, with PostgreSQL and NATS.
//!
//! Two cores are too few for each node to have one. So every node is limited to the same small share of a core, which
//! makes the nodes the bottleneck. So the throughput of two is comparable, although they share a core with PostgreSQL
//! and NATS. Results from a full core, or from nodes below their limit, are discarded.
//!
//! People are distributed over the nodes regardless of rooms, as by a balancer: half of every room is on the other
//! node. `BESPOKEN_TEST_POSTGRES`, `BESPOKEN_PSQL` and `BESPOKEN_TEST_NATS` name the servers and tools, as for tests;
//! `cargo xtask bench-nodes` provides them.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    Arguments, Outcome,
    crowd::{Crowd, Load, Measured, Pace, What},
    people::{ADMINS, World},
    quota::Quota,
    report::{Figure, Table, limits, millis},
    scenario::{FAN_OUT, Layout, SUPPORT, ids},
    server::{Part, Places, Server, free_address, tree},
    wire::{self, Received},
    words::Words,
};

/// A load, and the share of a core that each node gets under it.
struct Scenario {
    name: &'static str,
    about: &'static str,
    layout: Layout,
    what: What,
    in_flight: usize,
    /// Small enough that two nodes leave time for PostgreSQL and NATS.
    share: f64,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "fan-out-typing-1",
        about: "20 rooms × 100 people, signs of typing, one under way in each room",
        layout: FAN_OUT,
        what: What::Typing,
        in_flight: 1,
        share: 0.4,
    },
    Scenario {
        name: "fan-out-typing-8",
        about: "20 rooms × 100 people, signs of typing, eight under way in each room",
        layout: FAN_OUT,
        what: What::Typing,
        in_flight: 8,
        share: 0.2,
    },
    Scenario {
        name: "fan-out-messages",
        about: "20 rooms × 100 people who came by its link, messages of 256 bytes, one under way in each room",
        layout: Layout::ByLink { rooms: 20, members: 100 },
        what: What::Messages,
        in_flight: 1,
        share: 0.12,
    },
    Scenario {
        name: "support-typing",
        about: "2,000 rooms × 3 people, signs of typing, one under way in each room",
        layout: SUPPORT,
        what: What::Typing,
        in_flight: 1,
        share: 0.25,
    },
    Scenario {
        name: "support-messages",
        about: "200 rooms with a guest and two of 20 agents, messages of 256 bytes, one under way in each room",
        layout: Layout::Agents { rooms: 200, agents: 20 },
        what: What::Messages,
        in_flight: 1,
        share: 0.06,
    },
];

/// The number and connection of the nodes.
#[derive(Clone, Copy)]
struct Setup {
    name: &'static str,
    nodes: usize,
    has_bus: bool,
}

const SETUPS: [Setup; 3] = [
    Setup { name: "one node without NATS", nodes: 1, has_bus: false },
    Setup { name: "one node", nodes: 1, has_bus: true },
    Setup { name: "two nodes", nodes: 2, has_bus: true },
];

/// Time until nodes are connected, and the effects of connecting are over.
const SETTLE: Duration = Duration::from_secs(3);
/// Above this load of the servers' core, the bottleneck is unknown.
const FULL: f64 = 0.95;
/// Below this part of its share, a node was not the bottleneck.
const USED: f64 = 0.9;
const START_WITHIN: Duration = Duration::from_secs(10);
/// Number of measured revocations.
const REVOCATIONS: usize = 20;
/// Nodes read revocations every 500 ms. So the measurements start at any time within this period.
const REVOKE_WITHIN_MS: usize = 500;

pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { places, scratch, size, .. } = arguments;
    let postgres = Postgres::find(places)?;
    let (admins, rooms) = if size.smoke { (10, 20) } else { (ADMINS, 2000) };
    eprintln!("bench: making {admins} admins and {rooms} conversations");
    let database = postgres.create("bespoken_bench", "template1")?;
    let world = World::create_on(places, tempfile::tempdir_in(scratch)?, &database.url(), admins, rooms)?;
    // PostgreSQL does this by itself within a minute or two; until then it plans for empty tables.
    postgres.run_in(&database.url(), "analyze")?;
    let bench = Bench { arguments, postgres: &postgres, database: &database, world: &world };
    let is_limited = match Quota::new("bespoken-bench") {
        Ok(_) => !size.smoke,
        Err(error) => {
            println!(
                "Nodes cannot be limited to a share of a core here ({error}). So their cost per delivery is compared \
                 instead of their throughput.\n"
            );
            false
        }
    };
    for scenario in SCENARIOS {
        if arguments.wants(scenario.name) {
            bench.compare(scenario, is_limited)?;
        }
    }
    if arguments.wants("revocation") {
        bench.revoke()?;
    }
    Ok(())
}

struct Bench<'a> {
    arguments: &'a Arguments,
    postgres: &'a Postgres<'a>,
    /// The template, which is copied for each measurement.
    database: &'a Database<'a>,
    world: &'a World,
}

impl Bench<'_> {
    /// Measures all setups under one load, in turn.
    fn compare(&self, scenario: &Scenario, is_limited: bool) -> Outcome {
        let size = &self.arguments.size;
        let mut table = Table::new(
            scenario.name,
            scenario.about,
            &[
                "sends/s",
                "deliveries/s",
                "CPU of nodes per 1,000",
                "of NATS",
                "of PostgreSQL",
                "p50",
                "p99",
                "each node's CPU",
                "servers' core",
                "generator CPU",
            ],
        );
        let mut ratios = Vec::new();
        for _ in 0..size.repeats {
            let mut carried = Vec::new();
            let mut is_sound = true;
            for setup in SETUPS {
                let measured = self.measure(scenario, setup, is_limited)?;
                let [nodes, nats, postgres, core] = measured.cpu[..] else { return Err("a part is missing".into()) };
                let share = |time: Duration| time.as_secs_f64() / measured.seconds;
                let each = share(nodes) / setup.nodes as f64;
                let thousands = measured.deliveries as f64 / 1e3;
                let cost = |time: Duration| Figure::Time((time.as_secs_f64() * 1e6 / thousands) as u64);
                let at = |quantile| Figure::Time(measured.delivery.value_at_quantile(quantile));
                table.add(
                    setup.name,
                    vec![
                        Figure::Count(measured.sends as f64 / measured.seconds),
                        Figure::Count(measured.deliveries as f64 / measured.seconds),
                        cost(nodes),
                        cost(nats),
                        cost(postgres),
                        at(0.5),
                        at(0.99),
                        Figure::Share(each),
                        Figure::Share(share(core)),
                        Figure::Share(measured.generator),
                    ],
                );
                if is_limited && let Err(why) = nodes_gave_way(each, scenario.share, share(core)) {
                    table.remark(setup.name, &why);
                    is_sound = false;
                }
                // Without limits, two nodes do not have twice the processor time of one.
                let time = if is_limited { measured.seconds } else { nodes.as_secs_f64() / setup.nodes as f64 };
                carried.push(measured.deliveries as f64 / time);
            }
            let [alone, one, two] = carried[..] else { return Err("a setup is missing".into()) };
            if is_sound {
                ratios.push([two / one, two / alone]);
            }
        }
        table.print(size);
        if ratios.is_empty() {
            println!("The nodes were the bottleneck in no repeat, so the gain of a second one is unknown.\n");
        } else if !size.smoke {
            let [to_one, to_alone] = [0, 1].map(|of| spread(ratios.iter().map(|ratio| ratio[of]).collect()));
            let how = if is_limited {
                format!("each limited to {:.0} % of a core", scenario.share * 100.0)
            } else {
                "by their cost per delivery".to_owned()
            };
            println!(
                "Two nodes, {how}, carry {to_one} times what one does; {to_alone} times one without NATS ({} of {} \
                 repeats).\n",
                ratios.len(),
                size.repeats
            );
        }
        Ok(())
    }

    fn measure(&self, scenario: &Scenario, setup: Setup, is_limited: bool) -> Outcome<Measured> {
        let size = &self.arguments.size;
        let mut cluster = Cluster::start(self, setup)?;
        let people = self.arguments.people(self.world, scenario.layout);
        let mut crowd = Crowd::connect(&cluster.addresses(), false, &ids(self.world, &people), &people)?;
        crowd.settle(SETTLE)?;
        if is_limited {
            cluster.limit(scenario.share)?;
        }
        let pace = Pace::Closed { in_flight: scenario.in_flight };
        let load = Load { what: scenario.what, pace, measure: size.measure, warm_up: size.warm_up };
        let measured = crowd.run(&load, &cluster.parts(self))?;
        limits::generator(measured.generator, size.smoke)?;
        if measured.deliveries == 0 {
            return Err(
                format!("{}, {}: nothing arrived in the time that was measured", scenario.name, setup.name).into()
            );
        }
        Ok(measured)
    }

    /// Measures the time from revoking a link on one node to the close of its socket on the other.
    fn revoke(&self) -> Outcome {
        let cluster = Cluster::start(self, SETUPS[2])?;
        let [here, there] = cluster.addresses()[..] else { return Err("a node is missing".into()) };
        let mut words = Words::new(11);
        let mut taken = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
        let agent = ureq::Agent::new_with_defaults();
        for (room, number) in self.world.rooms.iter().zip(0..REVOCATIONS) {
            let mut guest = Guest::connect(there, self.world.link(number))?;
            thread::sleep(Duration::from_millis(words.below(REVOKE_WITHIN_MS) as u64));
            let url = format!("http://{here}/api/v1/conversations/{}/link", room.id);
            let began = Instant::now();
            agent.delete(url).header("authorization", format!("Bearer {}", self.world.token())).call()?;
            let code = guest.wait_for_close()?;
            taken.record(began.elapsed().as_micros() as u64)?;
            if code != 1008 {
                return Err(format!("a socket was closed with {code}").into());
            }
        }
        println!("### revocation\n");
        println!(
            "From revoking a link on one node to the close of its guest's socket on the other, {REVOCATIONS} times: \
             median {}, at most {}.\n",
            millis(taken.value_at_quantile(0.5)),
            millis(taken.max())
        );
        if taken.max() > 1_000_000 && !self.arguments.size.smoke {
            return Err("it took more than a second".into());
        }
        Ok(())
    }
}

/// # Errors
/// Nodes did not use their share, or the core was full: then the nodes were not the bottleneck.
fn nodes_gave_way(each: f64, share: f64, core: f64) -> Result<(), String> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if core > FULL {
        return Err(format!("the servers' core was busy for {}: give nodes a smaller share", percent(core)));
    }
    if each < USED * share {
        return Err(format!(
            "nodes took {} of a core each, of {}: another part was the bottleneck",
            percent(each),
            percent(share)
        ));
    }
    Ok(())
}

/// The median, and the range.
fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let (low, median, high) = (ratios[0], ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    format!("**{median:.2}** ({low:.2} to {high:.2})")
}

/// Running nodes with their own database. Stopped in this order.
struct Cluster<'a> {
    nodes: Vec<Server>,
    quotas: Vec<Quota>,
    nats: Option<Nats>,
    _database: Database<'a>,
}

impl<'a> Cluster<'a> {
    fn start(bench: &Bench<'a>, setup: Setup) -> Outcome<Self> {
        let places = &bench.arguments.places;
        let database = bench.postgres.create("bespoken_bench_copy", &bench.database.name)?;
        let nats = if setup.has_bus { Some(Nats::start(places)?) } else { None };
        let url = nats.as_ref().map(|nats| format!("nats://{}", nats.address));
        let start = |_| Server::start_node(places, bench.world.folder(), &database.url(), url.as_deref());
        let nodes = (0..setup.nodes).map(start).collect::<Outcome<_>>()?;
        Ok(Self { nodes, quotas: Vec::new(), nats, _database: database })
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Nodes, NATS, PostgreSQL, and the core of all of them.
    fn parts(&self, bench: &Bench) -> [Part; 4] {
        [
            Part::Processes(self.nodes.iter().map(Server::id).collect()),
            Part::Processes(self.nats.iter().map(|nats| nats.process.id()).collect()),
            Part::Processes(vec![bench.postgres.process]),
            Part::Core(bench.arguments.places.core.unwrap_or_default()),
        ]
    }

    /// Limits each node to this share of a core.
    fn limit(&mut self, share: f64) -> Outcome {
        for (number, node) in self.nodes.iter().enumerate() {
            let quota = Quota::new(&format!("bespoken-bench-{number}"))?;
            self.quotas.push(quota);
            self.quotas[number].take(node.id())?;
            self.quotas[number].limit(share)?;
        }
        Ok(())
    }
}

struct Nats {
    process: Child,
    address: SocketAddr,
}

impl Nats {
    fn start(places: &Places) -> Outcome<Self> {
        let program = env::var_os("BESPOKEN_TEST_NATS").ok_or("BESPOKEN_TEST_NATS names no nats-server")?;
        let address = free_address()?;
        let mut command = places.pinned(Path::new(&program));
        command.args(["-a", "127.0.0.1", "-p", &address.port().to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let nats = Self { process, address };
        // NATS sends a greeting to each client.
        patiently(|| Ok(TcpStream::connect(address)?.read_exact(&mut [0])?))?;
        Ok(nats)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A PostgreSQL server on this machine, on the servers' core.
struct Postgres<'a> {
    url: String,
    process: u32,
    places: &'a Places,
}

impl<'a> Postgres<'a> {
    fn find(places: &'a Places) -> Outcome<Self> {
        let url = env::var("BESPOKEN_TEST_POSTGRES").map_err(|_| "BESPOKEN_TEST_POSTGRES names no server")?;
        let mut found = Self { url, process: 0, places };
        // The first line of this file is the id of the main process.
        let file = Path::new(found.run("show data_directory")?.trim()).join("postmaster.pid");
        let file = fs::read_to_string(file).map_err(|error| {
            format!("PostgreSQL's processes cannot be watched, it must be on this machine: {error}")
        })?;
        found.process = file.lines().next().unwrap_or_default().parse()?;
        found.pin()?;
        Ok(found)
    }

    /// Pins all its processes to the servers' core; their later children inherit that.
    fn pin(&self) -> Outcome {
        let Some(core) = self.places.core else { return Ok(()) };
        for (process, _) in tree(&[self.process]) {
            let mut taskset = Command::new("taskset");
            taskset.args(["--pid", "--cpu-list", &core.to_string(), &process.to_string()]);
            let pinned = taskset.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
            // Other processes may have ended meanwhile.
            if !pinned && process == self.process {
                return Err("PostgreSQL could not be pinned to a core".into());
            }
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Outcome<String> {
        self.run_in(&self.url, sql)
    }

    fn run_in(&self, url: &str, sql: &str) -> Outcome<String> {
        let mut psql = Command::new(env::var_os("BESPOKEN_PSQL").unwrap_or_else(|| "psql".into()));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", sql]);
        let output = psql.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A new copy of `template`, which must have no connections.
    fn create(&self, name: &str, template: &str) -> Outcome<Database<'_>> {
        let name = format!("{name}_{}", std::process::id());
        let database = Database { postgres: self, name };
        let sql = format!("create database {} template {template}", database.name);
        // Connections of a server that was just killed may take a moment to end.
        patiently(|| self.run(&sql))?;
        Ok(database)
    }
}

struct Database<'a> {
    postgres: &'a Postgres<'a>,
    name: String,
}

impl Database<'_> {
    fn url(&self) -> String {
        let (place, options) = match self.postgres.url.split_once('?') {
            Some((place, options)) => (place, format!("?{options}")),
            None => (self.postgres.url.as_str(), String::new()),
        };
        let place = place.rsplit_once('/').map_or(place, |(place, _)| place);
        format!("{place}/{}{options}", self.name)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.postgres.run(&format!("drop database if exists {} with (force)", self.name)) {
            eprintln!("bench: {} stays: {error}", self.name);
        }
    }
}

/// A guest that waits for the close of its socket.
struct Guest {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Guest {
    /// Connects with the secret of a link, and waits for the greeting.
    fn connect(node: SocketAddr, secret: &str) -> Outcome<Self> {
        let mut stream = TcpStream::connect(node)?;
        stream.set_read_timeout(Some(START_WITHIN))?;
        stream.write_all(&wire::upgrade_request(&node.to_string(), "/ws", secret))?;
        let mut guest = Self { stream, bytes: Vec::new() };
        loop {
            guest.read()?;
            if let Some(end) = memchr::memmem::find(&guest.bytes, b"\r\n\r\n") {
                guest.bytes.drain(..end + 4);
                break;
            }
        }
        guest.wait(|received| matches!(received, Received::Text(_)).then_some(()))?;
        Ok(guest)
    }

    /// Returns the close code.
    fn wait_for_close(&mut self) -> Outcome<u16> {
        self.wait(|received| match received {
            Received::Close(code) => Some(code),
            _ => None,
        })
    }

    /// Reads frames until `pick` accepts one.
    fn wait<T>(&mut self, pick: impl Fn(Received) -> Option<T>) -> Outcome<T> {
        loop {
            while let Some((received, length)) = wire::parse(&self.bytes) {
                let picked = pick(received);
                self.bytes.drain(..length);
                if let Some(picked) = picked {
                    return Ok(picked);
                }
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Outcome {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer)? {
            0 => Err("the server hung up".into()),
            read => {
                self.bytes.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }
}

/// Retries until success.
///
/// # Errors
/// Those of the last attempt, after the time limit.
fn patiently<T>(mut attempt: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    let give_up = Instant::now() + START_WITHIN;
    loop {
        match attempt() {
            Err(_) if Instant::now() < give_up => thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
}
