//! All clients of a run in their rooms, with their commands; at the end the comparison of all results.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bespoken::domain::Conversation;
use rand::{RngExt, rngs::SmallRng};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    checker::{Evidence, Finding, Kind, check},
    client::{Account, Act, Client, Course, Line, Pauses},
    run::Size,
    server::{Api, secret},
};

/// How long everybody may take to come to rest after the last blow.
const REST_WITHIN: Duration = Duration::from_secs(180);

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub messages: usize,
    pub acknowledged: usize,
    pub told: usize,
    pub connections: usize,
    pub findings: Vec<String>,
    pub counts: BTreeMap<Kind, usize>,
    /// The connections of each client.
    pub lines: Vec<Vec<Line>>,
    /// When clients tried to connect.
    pub tries: Vec<Instant>,
}

struct Member {
    /// The place of the room in the course.
    place: usize,
    orders: mpsc::UnboundedSender<Act>,
    client: JoinHandle<Account>,
}

pub struct Crowd {
    rooms: Vec<Conversation>,
    course: Arc<Course>,
    members: Vec<Member>,
}

impl Crowd {
    /// Opens the rooms, and connects the clients to the address `way`. `is_admin` decides by the index of the room and
    /// of the client; the others are guests.
    pub async fn gather(
        api: &Api,
        (way, pauses): (SocketAddr, Pauses),
        size: Size,
        is_admin: fn(usize, usize) -> bool,
    ) -> Self {
        let mut rooms = Vec::new();
        for at in 0..size.rooms {
            rooms.push(api.open(format!("Room {at}")).await);
        }
        let course = Arc::new(Course::new(way, pauses, rooms.len()));
        let mut members = Vec::new();
        for (place, room) in rooms.iter().enumerate() {
            for at in 0..size.sockets_per_room {
                let token = if is_admin(place, at) { api.token() } else { secret(room) };
                let (orders, acts) = mpsc::unbounded_channel();
                let number = members.len();
                let client = Client::new(number, (place, room.id), token.to_owned(), course.clone(), acts, size.seed);
                members.push(Member { place, orders, client: tokio::spawn(client.run()) });
            }
        }
        Self { rooms, course, members }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// How often somebody has joined a room and missed nothing any more, of all connections so far.
    pub fn joins(&self) -> usize {
        self.course.joins.load(Ordering::Acquire)
    }

    /// Has one client, chosen at random, do something.
    pub fn order(&self, act: Act, random: &mut SmallRng) {
        self.members[random.random_range(0..self.len())].orders.send(act).ok();
    }

    /// How often the server could not store a message that it was sent.
    pub fn refused(&self) -> usize {
        self.course.refused.load(Ordering::Acquire)
    }

    /// Has every so many-th client do something.
    pub fn have_every(&self, step: usize, act: Act) {
        for member in self.members.iter().step_by(step) {
            member.orders.send(act).ok();
        }
    }

    /// The calm: all clients complete their pending work, and receive the final heads. Then the checker compares all
    /// results.
    pub async fn rest(self, api: &Api) -> Outcome {
        let clients: Vec<_> = self.members.into_iter().map(|Member { place, client, .. }| (place, client)).collect();
        let mut outcome = Outcome::default();
        let deadline = Instant::now() + REST_WITHIN;
        while self.course.quiet.load(Ordering::Acquire) < clients.len() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Receiving the head also takes time.
        let deadline = deadline.max(Instant::now() + REST_WITHIN / 4);
        let still = clients.len() - self.course.quiet.load(Ordering::Acquire);
        if still > 0 {
            outcome.findings.push(format!("{still} clients did not come to rest"));
        }
        let mut evidence = Vec::new();
        for (place, room) in self.rooms.iter().enumerate() {
            let (stored, head) = api.stored(room.id).await;
            self.course.heads[place].store(head, Ordering::Release);
            evidence.push(Evidence { stored, head, ..Evidence::default() });
        }
        self.course.heads_known.notify_waiters();
        // Their messages are unknown, so the test cannot check their rooms.
        let mut silent = BTreeSet::new();
        for (place, client) in clients {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(10));
            match tokio::time::timeout(left, client).await {
                Ok(Ok(account)) => add(&mut evidence[place], account, &mut outcome),
                Ok(Err(panic)) => {
                    silent.insert(place);
                    outcome.findings.push(format!("a client: {panic}"));
                }
                Err(_) => {
                    silent.insert(place);
                    outcome.findings.push(format!("a client of room {place} did not reach the head"));
                }
            }
        }
        outcome.connections = self.course.connections.load(Ordering::Relaxed);
        for (place, evidence) in evidence.iter().enumerate() {
            outcome.messages += evidence.stored.len();
            if silent.contains(&place) {
                continue;
            }
            for Finding { kind, words } in check(evidence) {
                *outcome.counts.entry(kind).or_default() += 1;
                outcome.findings.push(format!("room {place}: {kind:?}: {words}"));
            }
        }
        outcome
    }
}

fn add(evidence: &mut Evidence, account: Account, outcome: &mut Outcome) {
    outcome.acknowledged += account.acked.len();
    outcome.told += account.told.iter().map(|told| told.changes.len()).sum::<usize>();
    outcome.findings.extend(account.errors);
    outcome.lines.push(account.lines);
    outcome.tries.extend(account.tries);
    evidence.written.push(account.written);
    evidence.acked.extend(account.acked);
    evidence.told.extend(account.told);
    evidence.shown.push(account.shown);
}
