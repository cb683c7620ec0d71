//! Simulates all clients on one thread and one event loop: connects them, sends the load, and checks each received
//! frame. A missing, duplicated or reordered frame is an error.

use std::{
    collections::HashMap,
    io::{ErrorKind, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use memchr::memmem;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};

use crate::{
    Outcome,
    people::Person,
    report::NoFigures,
    server::{Part, own_cpu},
    wire::{self, Received},
    words::Words,
};

/// Number of sockets that connect concurrently.
const CONNECTING: usize = 32;
/// Time limit without progress, for connecting and for the last deliveries.
const PATIENCE: Duration = Duration::from_secs(20);
/// Size of a message's text.
const CONTENT_BYTES: usize = 256;

/// An id in the form of frames.
type Id = [u8; 36];

/// The load from all clients.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub what: What,
    pub pace: Pace,
    /// The duration after the warm-up.
    pub measure: Duration,
    pub warm_up: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Typing signs, broadcast to all others in the room and not stored: the live path alone.
    Typing,
    /// Messages of the room's first member, acknowledged to it and broadcast to all.
    Messages,
}

#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// This many concurrent sends in each room, each by another person. The next one is sent once all have received
    /// the one before.
    Closed { in_flight: usize },
    /// Sends per second over all rooms, on schedule regardless of the server's speed.
    Open { sends: f64 },
    /// This number of sends in each room, one at a time. Measures nothing.
    Rounds { rounds: usize },
}

/// The results of a measurement.
pub struct Measured {
    pub sends: u64,
    pub deliveries: u64,
    pub seconds: f64,
    /// The processor time of each watched part.
    pub cpu: Vec<Duration>,
    /// The generator's load on its core, from 0 to 1.
    pub generator: f64,
    /// From the send, or from its scheduled time in an open loop, to each delivery; µs.
    pub delivery: Histogram<u64>,
    /// From the send to the acknowledgement of a message; µs.
    pub ack: Histogram<u64>,
}

pub struct Crowd {
    poll: Poll,
    wraps: bool,
    people: Vec<Member>,
    rooms: Vec<Room>,
    /// Rooms by their ids in frames.
    by_id: HashMap<Id, usize>,
    /// The buffer for reading a socket.
    buffer: Vec<u8>,
    words: Words,
}

struct Member {
    stream: TcpStream,
    state: State,
    /// The first bytes of an incomplete frame.
    begun: Vec<u8>,
    /// Bytes that the system has not accepted yet.
    unsent: Vec<u8>,
    /// The id of this person in frames.
    id: Id,
    rooms: Vec<usize>,
    /// The place of this person in each of `rooms`.
    places: Vec<usize>,
    /// The last received typing state of each other member of the room, by place.
    seen: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Upgrading,
    /// Waits for socket.io's own greetings.
    Greeting,
    /// Waits for a `welcome`, if the server sends one, and for `left` more `joined`.
    Joining {
        left: usize,
    },
    Ready,
}

struct Room {
    id: String,
    members: Vec<usize>,
    /// The last rev that each member received, by place.
    revs: Vec<i64>,
    under_way: Vec<Send>,
    /// The next member to type.
    next: usize,
    /// Whether each member types.
    typing: u128,
    sent: u64,
}

/// A send that not all have received yet.
struct Send {
    place: usize,
    /// The sender's id in frames.
    who: Id,
    since: Instant,
    missing: usize,
    acknowledged: bool,
    /// For messages: its rev, once a client has received it.
    rev: Option<i64>,
    /// For messages: the text.
    content: String,
}

/// The results of reading frames.
#[derive(Default)]
struct News {
    deliveries: u64,
    /// Rooms in which a send is complete.
    done: Vec<usize>,
}

impl Crowd {
    /// Connects all of `people` to one server, or distributes those of each room evenly over several, and joins their
    /// rooms, whose ids are `rooms`.
    pub fn connect(servers: &[SocketAddr], wraps: bool, rooms: &[&str], people: &[Person]) -> Outcome<Self> {
        let mut crowd = Self {
            poll: Poll::new()?,
            wraps,
            people: Vec::with_capacity(people.len()),
            rooms: rooms.iter().map(|id| Room::new(id)).collect(),
            by_id: rooms.iter().enumerate().map(|(at, id)| Ok((key(id.as_bytes())?, at))).collect::<Outcome<_>>()?,
            buffer: vec![0; 64 * 1024],
            words: Words::new(rooms.len() as u64),
        };
        let mut coming = people.iter();
        let mut ready = 0;
        let mut progress = Instant::now();
        let mut events = Events::with_capacity(1024);
        while ready < people.len() {
            while crowd.people.len() - ready < CONNECTING {
                let Some(person) = coming.next() else { break };
                crowd.call(crowd.server_of(servers, person), person)?;
            }
            crowd.poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            let mut news = News::default();
            for event in &events {
                let at = event.token().0;
                let was = crowd.people[at].state;
                crowd.hear(at, &mut news, None)?;
                let is = crowd.people[at].state;
                ready += usize::from(was != State::Ready && is == State::Ready);
                // One person may have thousands of rooms to join.
                if was != is {
                    progress = Instant::now();
                }
            }
            if progress.elapsed() > PATIENCE {
                return Err(format!("only {ready} of {} got in", people.len()).into());
            }
        }
        Ok(crowd)
    }

    /// Ignores the frames that connecting has triggered, until none arrives for this long.
    pub fn settle(&mut self, quiet: Duration) -> Outcome {
        let begin = Instant::now();
        let mut events = Events::with_capacity(1024);
        loop {
            self.poll.poll(&mut events, Some(quiet))?;
            if events.is_empty() {
                return Ok(());
            }
            if begin.elapsed() > PATIENCE + quiet {
                return Err("connecting has set off more than ends".into());
            }
            for event in &events {
                self.hear(event.token().0, &mut News::default(), None)?;
            }
        }
    }

    /// The next server in turn for the room, with another start for each room. So neither people nor the first
    /// members of rooms, who send, concentrate on one server.
    fn server_of(&self, servers: &[SocketAddr], person: &Person) -> SocketAddr {
        let room = person.rooms[0];
        servers[(room + self.rooms[room].members.len()) % servers.len()]
    }

    fn call(&mut self, address: SocketAddr, person: &Person) -> Outcome {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let at = self.people.len();
        self.poll.registry().register(&mut stream, Token(at), Interest::READABLE | Interest::WRITABLE)?;
        let path = if self.wraps {
            format!("/socket.io/?EIO=4&transport=websocket&id={}", person.id)
        } else {
            format!("/ws?id={}", person.id)
        };
        let places = person.rooms.iter().map(|&room| {
            self.rooms[room].members.push(at);
            self.rooms[room].revs.push(0);
            self.rooms[room].members.len() - 1
        });
        let mut member = Member {
            stream,
            state: State::Upgrading,
            begun: Vec::new(),
            unsent: Vec::new(),
            id: key(person.id.as_bytes())?,
            places: places.collect(),
            rooms: person.rooms.clone(),
            seen: 0,
        };
        member.write(&wire::upgrade_request(&address.to_string(), &path, &person.secret))?;
        self.people.push(member);
        Ok(())
    }

    /// Applies the load, measures its cost for these parts, and returns once all sends have arrived.
    pub fn run(&mut self, load: &Load, parts: &[Part]) -> Outcome<Measured> {
        let mut measured = Measured::new()?;
        let mut events = Events::with_capacity(1024);
        let begin = Instant::now();
        let from = begin + load.warm_up;
        let until = from + load.measure;
        let mut clock = Clock::default();
        let mut measuring = false;
        let mut over = false;
        let mut due = match load.pace {
            Pace::Closed { in_flight } => {
                for room in 0..self.rooms.len() {
                    for _ in 0..in_flight {
                        self.send(room, load.what, Instant::now())?;
                    }
                }
                None
            }
            Pace::Rounds { .. } => {
                for room in 0..self.rooms.len() {
                    self.send(room, load.what, Instant::now())?;
                }
                None
            }
            Pace::Open { sends } => Some(Schedule { begin, every: Duration::from_secs_f64(1.0 / sends), sent: 0 }),
        };
        let mut progress = Instant::now();
        loop {
            let now = Instant::now();
            if !measuring && now >= from {
                measuring = true;
                clock = Clock::start(parts, now);
            }
            if measuring && !over && now >= until {
                over = true;
                clock.stop(parts, now, &mut measured);
            }
            if over && self.rooms.iter().all(|room| room.under_way.is_empty()) {
                return Ok(measured);
            }
            if let Some(schedule) = due.as_mut().filter(|_| !over) {
                while let Some((number, at)) = schedule.next(now) {
                    self.send(number % self.rooms.len(), load.what, at)?;
                    measured.sends += u64::from(measuring);
                }
            }

            // It never sleeps: waking it costs the sender, and a fast server must not pay for an idle generator.
            let watching = Instant::now();
            self.poll.poll(&mut events, Some(Duration::ZERO))?;
            if events.is_empty() {
                clock.idle += watching.elapsed();
                if progress.elapsed() > PATIENCE {
                    let missing = self.rooms.iter().flat_map(|room| &room.under_way).count();
                    return Err(format!("{missing} sends were lost on the way to somebody").into());
                }
                continue;
            }
            progress = Instant::now();
            let mut news = News::default();
            for event in &events {
                let into = (measuring && !over).then_some(&mut measured);
                self.hear(event.token().0, &mut news, into)?;
            }
            if measuring && !over {
                measured.deliveries += news.deliveries;
            }
            for room in news.done {
                let again = match load.pace {
                    Pace::Closed { .. } => !over,
                    Pace::Open { .. } => false,
                    Pace::Rounds { rounds } => self.rooms[room].sent < rounds as u64,
                };
                if again {
                    self.send(room, load.what, Instant::now())?;
                    measured.sends += u64::from(measuring && !over);
                }
            }
        }
    }

    fn send(&mut self, at: usize, what: What, since: Instant) -> Outcome {
        let room = &mut self.rooms[at];
        room.sent += 1;
        let mut content = String::new();
        let (event, body, place) = match what {
            What::Typing => {
                let count = room.members.len();
                let waits = |place: &usize| room.under_way.iter().any(|send| send.place == *place);
                let free = (room.next..room.next + count).map(|place| place % count).find(|place| !waits(place));
                let place = free.ok_or_else(|| NoFigures("it cannot keep up: everybody still waits".to_owned()))?;
                room.next = (place + 1) % count;
                room.typing ^= 1 << place;
                let on = room.typing & (1 << place) != 0;
                ("typing", format!(r#""room":"{}","on":{on}}}"#, room.id), place)
            }
            What::Messages => {
                let client_id = format!("{at:08x}-0000-4000-8000-{:012x}", room.sent);
                content = self.words.text(CONTENT_BYTES);
                let body = format!(r#""room":"{}","client_id":"{client_id}","content":"{content}"}}"#, room.id);
                ("sendMessage", body, 0)
            }
        };
        let missing = room.members.len() - usize::from(what == What::Typing);
        let acknowledged = what == What::Typing;
        let sender = room.members[place];
        let who = self.people[sender].id;
        room.under_way.push(Send { place, who, since, missing, acknowledged, rev: None, content });
        let frame = wire::text(self.say(event, &body).as_bytes());
        self.people[sender].write(&frame)
    }

    /// A frame's text in the server's format. `rest` contains its fields, with the closing bracket.
    fn say(&self, event: &str, rest: &str) -> String {
        if self.wraps { format!(r#"42["{event}",{{{rest}]"#) } else { format!(r#"{{"type":"{event}",{rest}"#) }
    }

    /// Reads all available frames of one member.
    fn hear(&mut self, at: usize, news: &mut News, measured: Option<&mut Measured>) -> Outcome {
        let mut buffer = std::mem::take(&mut self.buffer);
        let heard = self.hear_into(&mut buffer, at, news, measured);
        self.buffer = buffer;
        heard
    }

    fn hear_into(
        &mut self,
        buffer: &mut Vec<u8>,
        at: usize,
        news: &mut News,
        mut measured: Option<&mut Measured>,
    ) -> Outcome {
        loop {
            let member = &mut self.people[at];
            member.flush()?;
            let held = member.begun.len();
            if held == buffer.len() {
                buffer.resize(2 * held, 0);
            }
            buffer[..held].copy_from_slice(&member.begun);
            let read = match recv(&member.stream, &mut buffer[held..], RecvFlags::empty()) {
                Ok((0, _)) => return Err("the server hung up".into()),
                Ok((read, _)) => read,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            member.begun.clear();
            let now = Instant::now();
            let end = held + read;
            let mut from = 0;
            if member.state == State::Upgrading {
                let Some(head) = memmem::find(&buffer[..end], b"\r\n\r\n") else {
                    member.begun.extend_from_slice(&buffer[..end]);
                    continue;
                };
                if !buffer.starts_with(b"HTTP/1.1 101") {
                    return Err(format!("not let in: {}", String::from_utf8_lossy(&buffer[..end])).into());
                }
                from = head + 4;
                self.upgraded(at)?;
            }
            while let Some((received, length)) = wire::parse(&buffer[from..end]) {
                match received {
                    Received::Text(text) => self.heard(at, text, now, news, measured.as_deref_mut())?,
                    Received::Ping(payload) => self.people[at].write(&wire::pong(payload))?,
                    Received::Close(code) => return Err(format!("the server closed a socket with {code}").into()),
                    Received::Other => {}
                }
                from += length;
            }
            self.people[at].begun.extend_from_slice(&buffer[from..end]);
            // The system had no more data; it reports later data.
            if end < buffer.len() {
                return Ok(());
            }
        }
    }

    fn upgraded(&mut self, at: usize) -> Outcome {
        if self.wraps {
            self.people[at].state = State::Greeting;
            return Ok(());
        }
        self.join(at)
    }

    fn join(&mut self, at: usize) -> Outcome {
        self.people[at].state = State::Joining { left: self.people[at].rooms.len() };
        let frames = self.people[at].rooms.iter();
        let frames = frames.map(|&room| self.say("joinRequest", &format!(r#""room":"{}"}}"#, self.rooms[room].id)));
        let bytes: Vec<_> = frames.flat_map(|frame| wire::text(frame.as_bytes())).collect();
        self.people[at].write(&bytes)
    }

    /// Records one frame.
    fn heard(
        &mut self,
        at: usize,
        text: &[u8],
        now: Instant,
        news: &mut News,
        measured: Option<&mut Measured>,
    ) -> Outcome {
        let member = &mut self.people[at];
        let body = if self.wraps {
            match text {
                b"2" => return member.write(&wire::text(b"3")),
                [b'0', ..] if member.state == State::Greeting => return member.write(&wire::text(b"40")),
                [b'4', b'0', ..] if member.state == State::Greeting => return self.join(at),
                _ => text.strip_prefix(br#"42[""#.as_slice()).unwrap_or(text),
            }
        } else {
            text.strip_prefix(br#"{"type":""#.as_slice()).unwrap_or(text)
        };
        if body.starts_with(b"typing") {
            if member.state == State::Ready {
                self.typing(at, body, now, news, measured)?;
            }
        } else if body.starts_with(b"newMessage") {
            self.new_message(at, body, now, news, measured)?;
        } else if body.starts_with(b"ack") {
            self.ack(body, now, news, measured)?;
        } else if body.starts_with(b"joined") {
            if let State::Joining { left } = member.state {
                member.state = if left == 1 { State::Ready } else { State::Joining { left: left - 1 } };
            }
        } else if body.starts_with(b"welcome") {
            let user = memmem::find(body, br#""user""#).ok_or("a welcome without a user")?;
            member.id = key(field(&body[user..], br#""id":""#)?)?;
        } else if body.starts_with(b"error") {
            return Err(format!("the server refused: {}", String::from_utf8_lossy(text)).into());
        }
        Ok(())
    }

    fn typing(
        &mut self,
        at: usize,
        body: &[u8],
        now: Instant,
        news: &mut News,
        measured: Option<&mut Measured>,
    ) -> Outcome {
        let (who, on) = sign(body)?;
        let index = self.people[at].rooms[0];
        let room = &mut self.rooms[index];
        let found = room.under_way.iter().position(|send| send.who == who);
        let found = found.ok_or("a sign of typing that nobody sent, or one too many")?;
        let send = &mut room.under_way[found];
        let bit = 1 << send.place;
        let member = &mut self.people[at];
        if (member.seen & bit != 0) == on || (room.typing & bit != 0) != on {
            return Err("a sign of typing was lost, doubled or out of order".into());
        }
        member.seen ^= bit;
        send.missing -= 1;
        let since = send.since;
        news.deliveries += 1;
        if send.missing == 0 {
            room.under_way.swap_remove(found);
            news.done.push(index);
        }
        if let Some(measured) = measured {
            record(&mut measured.delivery, since, now)?;
        }
        Ok(())
    }

    fn new_message(
        &mut self,
        at: usize,
        body: &[u8],
        now: Instant,
        news: &mut News,
        measured: Option<&mut Measured>,
    ) -> Outcome {
        let index = self.room(body)?;
        let rev: i64 = number(field(body, br#""rev":"#)?)?;
        let member = &self.people[at];
        let place = member.rooms.iter().position(|&room| room == index).ok_or("a message of another room")?;
        let place = member.places[place];
        let room = &mut self.rooms[index];
        // Messages before the first received one were in `joined`.
        if room.revs[place] != 0 && room.revs[place] + 1 != rev {
            return Err(format!("after rev {} came {rev}: lost, doubled or out of order", room.revs[place]).into());
        }
        room.revs[place] = rev;
        // They arrive in the order of sending, because one person sends them one by one.
        let send = room.under_way.iter_mut().find(|send| send.rev.is_none_or(|known| known == rev));
        let send = send.ok_or("a message that nobody sent, or one too many")?;
        send.require_content(body)?;
        send.rev = Some(rev);
        send.missing -= 1;
        news.deliveries += 1;
        if let Some(measured) = measured {
            record(&mut measured.delivery, send.since, now)?;
        }
        room.finish(index, news);
        Ok(())
    }

    fn ack(&mut self, body: &[u8], now: Instant, news: &mut News, measured: Option<&mut Measured>) -> Outcome {
        let index = self.room(body)?;
        let room = &mut self.rooms[index];
        let send = room.under_way.iter_mut().find(|send| !send.acknowledged).ok_or("an answer to nothing")?;
        send.require_content(body)?;
        send.acknowledged = true;
        if let Some(measured) = measured {
            record(&mut measured.ack, send.since, now)?;
        }
        room.finish(index, news);
        Ok(())
    }

    fn room(&self, body: &[u8]) -> Outcome<usize> {
        let id = key(field(body, br#""room":""#)?)?;
        Ok(*self.by_id.get(&id).ok_or("a frame of a room that does not exist")?)
    }
}

impl Send {
    /// # Errors
    /// The frame contains another message.
    fn require_content(&self, body: &[u8]) -> Outcome {
        let content = field(body, br#""content":""#)?;
        match content.strip_prefix(self.content.as_bytes()) {
            Some([b'"', ..]) => Ok(()),
            _ => Err("a message has come in place of another".into()),
        }
    }
}

impl Room {
    fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            members: Vec::new(),
            revs: Vec::new(),
            under_way: Vec::new(),
            next: 0,
            typing: 0,
            sent: 0,
        }
    }

    /// Removes the first pending message, if it is complete.
    fn finish(&mut self, index: usize, news: &mut News) {
        if let Some(done) = self.under_way.iter().position(|send| send.missing == 0 && send.acknowledged) {
            self.under_way.remove(done);
            news.done.push(index);
        }
    }
}

impl Member {
    fn write(&mut self, bytes: &[u8]) -> Outcome {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return self.flush();
        }
        let written = match self.stream.write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    fn flush(&mut self) -> Outcome {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// When the sends of an open loop are due.
struct Schedule {
    begin: Instant,
    every: Duration,
    sent: usize,
}

impl Schedule {
    fn due(&self) -> Instant {
        self.begin + self.every.mul_f64(self.sent as f64)
    }

    /// The number of the next send and its scheduled time, if it is due.
    fn next(&mut self, now: Instant) -> Option<(usize, Instant)> {
        let due = self.due();
        (due <= now).then(|| {
            self.sent += 1;
            (self.sent - 1, due)
        })
    }
}

/// Used time and processor time.
#[derive(Default)]
struct Clock {
    began: Option<Instant>,
    /// The processor time of each part at the start.
    parts: Vec<Duration>,
    own: Duration,
    /// Time in which the generator only polled.
    idle: Duration,
}

impl Clock {
    fn start(parts: &[Part], now: Instant) -> Self {
        let taken = parts.iter().map(Part::cpu).collect();
        Self { began: Some(now), parts: taken, own: own_cpu(), idle: Duration::ZERO }
    }

    fn stop(&self, parts: &[Part], now: Instant, measured: &mut Measured) {
        let taken = self.began.map_or(Duration::ZERO, |began| now - began);
        measured.seconds = taken.as_secs_f64();
        measured.cpu = parts.iter().zip(&self.parts).map(|(part, before)| part.cpu().saturating_sub(*before)).collect();
        let busy = (own_cpu() - self.own).saturating_sub(self.idle);
        measured.generator = busy.as_secs_f64() / taken.as_secs_f64();
    }
}

impl Measured {
    fn new() -> Outcome<Self> {
        // Up to a minute, with three digits.
        let histogram = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self {
            sends: 0,
            deliveries: 0,
            seconds: 0.0,
            cpu: Vec::new(),
            generator: 0.0,
            delivery: histogram.clone(),
            ack: histogram,
        })
    }
}

fn record(histogram: &mut Histogram<u64>, since: Instant, now: Instant) -> Outcome {
    Ok(histogram.record(now.saturating_duration_since(since).as_micros().max(1) as u64)?)
}

/// The person who types, or stopped. There are millions of signs with the same shape, so nothing is searched for.
fn sign(body: &[u8]) -> Outcome<(Id, bool)> {
    const BEFORE: &[u8] = br#"","participant":""#;
    const BETWEEN: &[u8] = br#"","on":"#;
    let start =
        if body.starts_with(br#"typing",{"#) { br#"typing",{"room":""#.len() } else { br#"typing","room":""#.len() };
    let after_room = body.get(start + 36..).and_then(|rest| rest.strip_prefix(BEFORE));
    let who = after_room.and_then(|rest| rest.first_chunk::<36>()).ok_or("this is no sign of typing")?;
    let on = after_room.and_then(|rest| rest[36..].strip_prefix(BETWEEN)).ok_or("this is no sign of typing")?;
    Ok((*who, on.starts_with(b"t")))
}

/// The 36 characters of an id.
fn key(id: &[u8]) -> Outcome<Id> {
    Ok(*id.first_chunk().ok_or("an id is too short")?)
}

/// The bytes after `name` in a frame.
fn field<'a>(body: &'a [u8], name: &[u8]) -> Outcome<&'a [u8]> {
    match memmem::find(body, name) {
        Some(at) => Ok(&body[at + name.len()..]),
        None => Err(format!("no {} in {}", String::from_utf8_lossy(name), String::from_utf8_lossy(body)).into()),
    }
}

fn number(text: &[u8]) -> Outcome<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    Ok(digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}
