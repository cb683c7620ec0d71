//! A bus in this process that does to each event what a script says.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use bespoken::{
    domain::ConversationId,
    live::{
        Bus, BusChannel, BusEvent, Heard, Topic,
        bus::{NodeId, Status},
    },
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// The fate of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    IsLost,
    ComesTwice,
    /// Comes after this many others, and so out of order.
    IsLate(u8),
}

/// More than any test publishes.
const ROOM_FOR: usize = 100_000;

struct End {
    id: NodeId,
    heard: mpsc::Sender<Heard>,
    rooms: HashSet<ConversationId>,
}

struct State {
    ends: Vec<End>,
    script: Vec<Fate>,
    at: usize,
    is_away: bool,
    /// For which end, after how many more, what.
    late: Vec<(usize, u8, Heard)>,
}

impl State {
    fn deliver(&mut self, to: usize, heard: Heard) {
        self.ends[to].heard.try_send(heard).expect("the node listens");
    }

    fn tick(&mut self) {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(_, left, _)| *left == 0);
        self.late = late;
        self.late.iter_mut().for_each(|(_, left, _)| *left -= 1);
        let due: Vec<_> = due;
        due.into_iter().for_each(|(to, _, heard)| self.deliver(to, heard));
    }
}

/// The bus as a test holds it.
#[derive(Clone)]
pub struct Script(Arc<Mutex<State>>);

struct Scripted {
    at: usize,
    script: Script,
}

impl Script {
    /// Two ends of a bus that treats one event after the other as `fates` says, over and over; each that
    /// arrives if there are none.
    pub fn new(fates: &[Fate]) -> (Self, [BusChannel; 2]) {
        let state = State { ends: Vec::new(), script: fates.to_vec(), at: 0, is_away: false, late: Vec::new() };
        let script = Self(Arc::new(Mutex::new(state)));
        let lines = [0, 1].map(|at| {
            let (heard, events) = mpsc::channel(ROOM_FOR);
            let id = NodeId(Uuid::now_v7());
            script.0.lock().unwrap().ends.push(End { id, heard, rooms: HashSet::new() });
            BusChannel { bus: Arc::new(Scripted { at, script: script.clone() }), heard: events }
        });
        (script, lines)
    }

    /// From now on nothing comes through, and the nodes know.
    pub fn goes_away(&self) {
        let mut state = self.0.lock().unwrap();
        state.is_away = true;
        (0..2).for_each(|to| state.deliver(to, Heard::Disconnected));
    }

    /// From now on everything arrives, including late events, and the nodes learn that they may have missed some.
    pub fn heals(&self) {
        let mut state = self.0.lock().unwrap();
        (state.is_away, state.script) = (false, Vec::new());
        for (to, _, heard) in std::mem::take(&mut state.late) {
            state.deliver(to, heard);
        }
        (0..2).for_each(|to| state.deliver(to, Heard::Connected));
    }

    /// From now on every event goes this way.
    pub fn all(&self, fate: Fate) {
        self.0.lock().unwrap().script = vec![fate];
    }
}

impl Bus for Scripted {
    fn publish(&self, topic: Topic, event: BusEvent) {
        // As over the wire.
        let event: BusEvent = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        let mut state = self.script.0.lock().unwrap();
        let to = 1 - self.at;
        let follows = match topic {
            Topic::Room(room) => state.ends[to].rooms.contains(&room),
            Topic::Nodes => true,
        };
        if state.is_away || !follows || state.ends[to].heard.is_closed() {
            return;
        }
        let fate = match state.script.len() {
            0 => Fate::Arrives,
            length => state.script[state.at % length],
        };
        state.at += 1;
        let heard = Heard::Event { topic, from: state.ends[self.at].id, event };
        match fate {
            Fate::Arrives => state.deliver(to, heard),
            Fate::IsLost => {}
            Fate::ComesTwice => {
                state.deliver(to, heard.clone());
                state.deliver(to, heard);
            }
            Fate::IsLate(by) => state.late.push((to, by, heard)),
        }
        state.tick();
    }

    fn follow(&self, room: ConversationId) {
        let mut state = self.script.0.lock().unwrap();
        state.ends[self.at].rooms.insert(room);
        if !state.ends[self.at].heard.is_closed() {
            state.deliver(self.at, Heard::Following(vec![room]));
        }
    }

    fn unfollow(&self, room: ConversationId) {
        self.script.0.lock().unwrap().ends[self.at].rooms.remove(&room);
    }

    fn status(&self) -> Status {
        Status { is_connected: !self.script.0.lock().unwrap().is_away, ..Status::default() }
    }
}
