//! Tests of the hub.

use super::*;
use crate::{
    domain::{Email, Message, MessageId, Name, ParticipantKind, Role, SenderType, User},
    live::QUEUE_FRAMES,
};

/// A new message with this rev.
fn posted(room: ConversationId, rev: i64) -> Change {
    Change::Posted(Message {
        id: MessageId::new(),
        conversation_id: room,
        seq: rev,
        rev,
        sender_type: SenderType::Admin,
        sender_id: UserId::new().into(),
        sender_name: "somebody".to_owned(),
        content: rev.to_string(),
        system: false,
        event: None,
        client_id: None,
        created_at: Timestamp(rev),
        edited_at: None,
        deleted_at: None,
        attachments: Vec::new(),
        reply_to: None,
    })
}

fn post(hub: &Hub, room: ConversationId, rev: i64) -> Outcome {
    hub.broadcast_change(room, rev, posted(room, rev))
}

struct Someone {
    hub: Arc<Hub>,
    socket: Arc<Socket>,
    me: Participant,
}

impl Someone {
    fn connect(hub: &Arc<Hub>, name: &str) -> Self {
        let id = UserId::new();
        let user = User {
            id,
            email: Email::parse("email", &format!("{name}@example.com")).unwrap(),
            name: Name::parse("name", name).unwrap(),
            role: Role::Admin,
            is_confirmed: true,
            created_at: Timestamp(0),
        };
        let socket = hub.connect(Actor::Admin(user), None, None, 20).unwrap();
        let (kind, name) = (ParticipantKind::Admin, name.to_owned());
        let me = Participant { id: id.into(), kind, name, online: false, last_seen_at: None };
        Self { hub: hub.clone(), socket, me }
    }

    fn enter(&self, hub: &Arc<Hub>, room: ConversationId, head: i64) -> Result<Outcome, Behind> {
        hub.arrive(&self.socket, room);
        self.enter_at_last(hub, room, head)
    }

    fn enter_at_last(&self, hub: &Arc<Hub>, room: ConversationId, head: i64) -> Result<Outcome, Behind> {
        let joined = |people: &[Participant]| frame(&people);
        hub.enter(&self.socket, room, self.me.id, vec![self.me.clone()], head, joined)
    }

    /// The frames that a round would write.
    fn frames(&self) -> Vec<serde_json::Value> {
        self.hub.rooms.iter_mut().for_each(|mut room| room.flush(drop));
        self.socket.take().iter().flat_map(Frame::values).collect()
    }

    /// The types of these frames; a list of people is a `joined`.
    fn heard(&mut self) -> Vec<String> {
        let name = |frame: serde_json::Value| match (frame["type"].as_str(), frame["on"].as_bool()) {
            (Some("typing"), on) => format!("typing {}", on.unwrap()),
            (Some(other), _) => other.to_owned(),
            (None, _) => "joined".to_owned(),
        };
        self.frames().into_iter().map(name).collect()
    }
}

fn two_in_a_room() -> (Arc<Hub>, ConversationId, Someone, Someone) {
    let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
    let (mut one, mut other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
    assert_eq!(one.enter(&hub, room, 1), Ok(Outcome::Done));
    assert_eq!(other.enter(&hub, room, 1), Ok(Outcome::Done));
    one.heard();
    other.heard();
    (hub, room, one, other)
}

async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn typing_ends_by_itself_after_5_s() {
    let (hub, room, mut one, mut other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    other.heard();
    assert!(hub.typing(&one.socket, room, true));
    pass(4.9).await;
    assert_eq!(other.heard(), ["typing true"]);
    pass(0.2).await;
    assert_eq!(other.heard(), ["typing false"]);
    pass(60.0).await;
    assert_eq!((other.heard(), one.heard()), (vec![], vec![]), "and nobody hears of their own");
}

#[tokio::test(start_paused = true)]
async fn the_frames_of_a_round_are_joined_once_for_all() {
    let (hub, room, one, other) = two_in_a_room();
    let (third, fourth) = (Someone::connect(&hub, "third"), Someone::connect(&hub, "fourth"));
    for newcomer in [&third, &fourth] {
        assert_eq!(newcomer.enter(&hub, room, 1), Ok(Outcome::Done));
    }
    pass(1.0).await;
    let all = [&one, &other, &third, &fourth];
    all.iter().for_each(|someone| drop(someone.frames()));
    assert!(hub.typing(&one.socket, room, true) && hub.typing(&other.socket, room, true));
    assert_eq!(post(&hub, room, 2), Outcome::Done);
    assert!(all.iter().all(|someone| someone.socket.take().is_empty()), "it waits for the round");
    hub.rooms.get_mut(&room).unwrap().flush(drop);
    let [one, other, third, fourth] = all.map(|someone| someone.socket.take());
    assert_eq!((third.len(), &third), (1, &fourth), "the same for those who hear all of it");
    let types = |frames: &[Frame]| -> Vec<_> {
        frames.iter().flat_map(Frame::values).map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types(&third), ["typing", "typing", "newMessage"]);
    assert_eq!((types(&one), &types(&one)), (types(&other), &vec!["typing".to_owned(), "newMessage".to_owned()]));
    assert_ne!(one, other, "nobody hears of their own typing");
}

#[tokio::test(start_paused = true)]
async fn renewed_typing_holds_on() {
    let (hub, room, one, mut other) = two_in_a_room();
    pass(1.0).await;
    other.heard();
    for _ in 0..4 {
        hub.typing(&one.socket, room, true);
        pass(4.0).await;
    }
    assert_eq!(other.heard(), ["typing true"; 4]);
    hub.typing(&one.socket, room, false);
    hub.typing(&one.socket, room, false);
    hub.typing(&one.socket, room, true);
    pass(3.0).await;
    assert_eq!(other.heard(), ["typing false", "typing true"], "the sleep that was for the first ends nothing");
    pass(3.0).await;
    assert_eq!(other.heard(), ["typing false"]);
}

#[tokio::test(start_paused = true)]
async fn many_presence_changes_are_broadcast_together() {
    let (hub, room, one, mut other) = two_in_a_room();
    pass(1.0).await;
    other.heard();
    for _ in 0..50 {
        hub.leave(&one.socket, room, Timestamp(1));
        assert_eq!(one.enter(&hub, room, 1), Ok(Outcome::Done));
    }
    hub.leave(&one.socket, room, Timestamp(2));
    assert_eq!(other.heard(), ["presence"], "the first change at once");
    pass(0.15).await;
    let told = other.frames();
    assert_eq!(told.len(), 1, "the rest as one");
    let told = &told[0];
    let online = told["participants"].as_array().unwrap().iter().map(|person| &person["online"]);
    assert!(online.eq([false, true].iter()), "as it is by then: {told}");
}

#[tokio::test(start_paused = true)]
async fn someone_who_came_while_the_others_were_read_is_not_forgotten() {
    let (hub, room, ..) = two_in_a_room();
    let third = Someone::connect(&hub, "third");
    let mut people = Vec::new();
    hub.arrive(&third.socket, room);
    let entered = hub.enter(&third.socket, room, third.me.id, vec![third.me.clone()], 1, |here| {
        people = here.iter().map(|person| (person.name.clone(), person.online)).collect();
        frame(&here)
    });
    assert_eq!(entered, Ok(Outcome::Done));
    assert_eq!(people, ["one", "other", "third"].map(|name| (name.to_owned(), true)));
}

#[tokio::test(start_paused = true)]
async fn a_change_in_words_for_each_waits_for_those_who_came_meanwhile() {
    let (hub, room, mut one, mut other) = two_in_a_room();
    let person = |someone: &Someone| Person::from(&someone.socket.actor);
    let words = || Some(frame(&ServerFrame::Resync { room }));
    let mut frames = HashMap::from([(person(&one), words())]);
    let missing = hub.broadcast_each(room, 2, &frames).unwrap_err();
    assert_eq!(missing.iter().map(|socket| socket.id).collect::<Vec<_>>(), [other.socket.id]);
    assert_eq!(one.heard(), [""; 0], "nobody before all are ready");

    frames.insert(person(&other), None);
    for _ in 0..2 {
        assert_eq!(hub.broadcast_each(room, 2, &frames).unwrap(), Outcome::Done);
    }
    assert_eq!((one.heard(), other.heard()), (vec!["resync".to_owned()], vec![]));
}

#[tokio::test(start_paused = true)]
async fn changes_during_an_arrival_follow_the_joined() {
    let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
    let mut first = Someone::connect(&hub, "first");
    assert_eq!(post(&hub, room, 2), Outcome::Done);
    hub.arrive(&first.socket, room);
    // It reads up to 3; 4 is too late to be read and too early to be sent.
    for rev in [3, 4] {
        assert_eq!(post(&hub, room, rev), Outcome::Done);
    }
    assert_eq!(first.heard(), [""; 0]);
    assert_eq!(first.enter_at_last(&hub, room, 3), Ok(Outcome::Done));
    assert_eq!(post(&hub, room, 5), Outcome::Done);
    assert_eq!(first.heard(), ["joined", "presence", "newMessage", "newMessage"]);
    assert_eq!(post(&hub, room, 4), Outcome::Done);
    assert_eq!(first.heard(), [""; 0], "4 was told");
}

#[tokio::test(start_paused = true)]
async fn an_arrival_behind_the_broadcasts_reads_again() {
    let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
    let (one, mut other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
    hub.arrive(&one.socket, room);
    hub.arrive(&other.socket, room);
    // One read later than the other, and 4 will not be broadcast again.
    assert_eq!(one.enter_at_last(&hub, room, 4), Ok(Outcome::Done));
    assert_eq!(other.enter_at_last(&hub, room, 3), Err(Behind));
    assert_eq!(other.enter(&hub, room, 4), Ok(Outcome::Done));
    assert_eq!(post(&hub, room, 5), Outcome::Done);
    assert_eq!(other.heard(), ["joined", "newMessage"]);
}

#[tokio::test(start_paused = true)]
async fn early_changes_wait_and_missing_ones_are_fetched_once() {
    let (hub, room, mut one, _other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    assert_eq!(post(&hub, room, 4), Outcome::FetchGap);
    assert_eq!(post(&hub, room, 6), Outcome::Done, "somebody fetches already");
    assert_eq!(hub.gap_after(room), Some(1));
    assert_eq!(post(&hub, room, 3), Outcome::Done);
    assert_eq!(one.heard(), [""; 0], "2 is missing");
    assert_eq!(post(&hub, room, 2), Outcome::Done);
    assert_eq!(one.heard(), ["newMessage"; 3], "2, and 3 and 4 that waited for it");
    assert_eq!(hub.gap_after(room), Some(4), "6 was heard of");
    assert_eq!(post(&hub, room, 5), Outcome::Done);
    assert_eq!(hub.gap_after(room), None);
    assert_eq!((one.heard(), hub.catch_up_to(room, 7)), (vec!["newMessage".to_owned(); 2], Outcome::FetchGap));
    hub.limit_to(room, 6);
    assert_eq!(hub.gap_after(room), None, "7 is nowhere");
}

#[tokio::test(start_paused = true)]
async fn a_personalised_change_delays_later_ones() {
    let (hub, room, mut one, _other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    assert_eq!(hub.broadcast_change(room, 3, Change::Conversation), Outcome::FetchGap);
    assert_eq!(post(&hub, room, 4), Outcome::Done);
    assert_eq!(post(&hub, room, 2), Outcome::Personalise(3));
    assert_eq!(hub.broadcast_each(room, 4, &HashMap::new()).unwrap(), Outcome::Done, "not its turn");
    let words = hub.listeners(room).into_iter().map(|socket| (Person::from(&socket.actor), None)).collect();
    assert_eq!(hub.broadcast_each(room, 3, &words).unwrap(), Outcome::Done);
    assert_eq!(one.heard(), ["newMessage", "newMessage"]);
    assert_eq!(hub.gap_after(room), None);
}

#[tokio::test(start_paused = true)]
async fn too_large_a_gap_is_skipped() {
    let (hub, room, mut one, other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    hub.arrive(&other.socket, room);
    hub.skip_to(room, 500);
    assert_eq!(other.enter_at_last(&hub, room, 1), Err(Behind));
    assert_eq!(post(&hub, room, 500), Outcome::Done);
    assert_eq!(post(&hub, room, 501), Outcome::Done);
    assert_eq!(one.heard(), ["newMessage"], "501, from which one sees that something is missing");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_changes_too_much_meanwhile_has_to_be_read_again() {
    let (hub, room, mut one, mut other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    hub.arrive(&one.socket, room);
    for rev in 2..200 {
        assert_eq!(post(&hub, room, rev), Outcome::Done);
        other.heard();
    }
    assert_eq!(one.enter_at_last(&hub, room, 1), Err(Behind));
    assert_eq!(one.heard(), [""; 0], "who arrives again hears of no change until it has entered");
    assert_eq!(one.enter(&hub, room, 199), Ok(Outcome::Done));
    assert_eq!(post(&hub, room, 200), Outcome::Done);
    assert_eq!(one.heard(), ["joined", "newMessage"]);
}

#[tokio::test(start_paused = true)]
async fn a_resync_makes_members_and_arrivals_read_again() {
    let (hub, room, mut one, other) = two_in_a_room();
    pass(1.0).await;
    one.heard();
    hub.arrive(&other.socket, room);
    hub.resync(room);
    assert_eq!(one.heard(), ["resync"]);
    assert_eq!(other.enter_at_last(&hub, room, 1), Err(Behind));
    hub.resync(ConversationId::new());
}

#[tokio::test(start_paused = true)]
async fn who_never_arrives_leaves_nothing_behind() {
    let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
    let (one, other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
    hub.arrive(&one.socket, room);
    hub.arrive(&other.socket, room);
    assert_eq!(hub.leave(&one.socket, room, Timestamp(1)), None);
    assert_eq!(hub.disconnect(&other.socket, Timestamp(1)), []);
    assert_eq!(hub.room_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn changes_come_once_and_in_order_to_those_who_lack_them() {
    let (hub, room, mut one, mut other) = two_in_a_room();
    assert_eq!(other.enter(&hub, room, 3), Ok(Outcome::Done));
    pass(1.0).await;
    one.heard();
    other.heard();
    for rev in [2, 3, 3, 2, 4] {
        assert_eq!(post(&hub, room, rev), Outcome::Done);
    }
    assert_eq!((one.heard().len(), other.heard().len()), (3, 1), "2, 3 and 4; and 4 alone");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_closed_and_the_others_go_on() {
    let (hub, room, one, mut other) = two_in_a_room();
    for rev in 2..QUEUE_FRAMES as i64 + 10 {
        assert_eq!(post(&hub, room, rev), Outcome::Done);
        other.heard();
    }
    assert_eq!(one.socket.closed().await, close::TOO_SLOW);
    hub.broadcast(room, &frame(&ServerFrame::Resync { room }));
    assert_eq!(other.heard(), ["resync"]);
    one.socket.close(close::NOT_ALLOWED);
    assert_eq!(one.socket.closed().await, close::TOO_SLOW, "the first code counts");
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_the_hub_is_closing_is_sent_away() {
    let (hub, _, one, _) = two_in_a_room();
    hub.close_all(Duration::ZERO).await;
    assert_eq!(one.socket.closed().await, close::RESTARTING);
    assert_eq!(Someone::connect(&hub, "late").socket.closed().await, close::RESTARTING);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_down_sends_people_away_one_after_the_other() {
    for (count, window, half) in [(100_u32, 60.0, 0.2), (1_000, 1.0, 0.5)] {
        let hub = Arc::new(Hub::default());
        let people: Vec<_> = (0..count).map(|at| Someone::connect(&hub, &format!("n{at}"))).collect();
        let closing = tokio::spawn({
            let hub = hub.clone();
            async move { hub.close_all(Duration::from_secs_f64(window)).await }
        });
        pass(half).await;
        let gone = people.iter().filter(|someone| someone.socket.is_closing()).count() as f64;
        assert!((gone / f64::from(count) - 0.5).abs() < 0.1, "{gone} of {count}");
        pass(half + 0.01).await;
        assert!(people.iter().all(|someone| someone.socket.is_closing()) && closing.is_finished());
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_gone_leaves_nothing_behind() {
    let (hub, room, one, other) = two_in_a_room();
    hub.typing(&one.socket, room, true);
    assert_eq!(hub.disconnect(&one.socket, Timestamp(7)).len(), 1);
    assert_eq!(hub.disconnect(&other.socket, Timestamp(8)).len(), 1);
    assert_eq!((hub.socket_count(), hub.room_count()), (0, 0));
    assert!(hub.people.is_empty() && hub.joined.is_empty() && hub.admins.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_person_is_away_when_all_their_pages_are_hidden() {
    let (hub, room, mut one, phone) = two_in_a_room();
    // A second device of the same person.
    let desk = Someone { me: phone.me.clone(), ..Someone::connect(&hub, "desk") };
    assert_eq!(desk.enter(&hub, room, 1), Ok(Outcome::Done));
    let is_online = || {
        let mut people = [phone.me.clone()];
        hub.mark_online(room, &mut people);
        people[0].online
    };
    pass(1.0).await;
    one.heard();

    assert_eq!(hub.set_visible(&desk.socket, false, Timestamp(1)), (1, vec![]), "hidden from its first word on");
    assert_eq!(hub.set_visible(&phone.socket, true, Timestamp(2)), (1, vec![]));
    assert_eq!(hub.set_visible(&phone.socket, false, Timestamp(3)), (2, vec![]), "others do not learn of it at once");
    assert!(is_online());
    assert_eq!(hub.set_away(&phone.socket, 1, Timestamp(3)), [], "shown since");
    assert!(hub.typing(&phone.socket, room, true));
    let gone = Gone { room, participant: phone.me.id, at: Timestamp(3) };
    assert_eq!(hub.set_away(&phone.socket, 2, Timestamp(3)), [Seen { room, gone: Some(gone) }]);
    assert!(!is_online());
    pass(1.0).await;
    assert_eq!(one.heard(), ["typing true", "typing false", "presence"]);
    assert_eq!(hub.set_away(&phone.socket, 2, Timestamp(4)), [], "once");
    assert_eq!(hub.leave(&phone.socket, room, Timestamp(5)), None, "it was noted when they went away");

    assert_eq!(hub.set_visible(&desk.socket, true, Timestamp(6)), (2, vec![Seen { room, gone: None }]));
    assert!(is_online());
    pass(1.0).await;
    assert_eq!(one.heard(), ["presence"]);
    assert_eq!(hub.set_visible(&desk.socket, false, Timestamp(7)), (3, vec![]));
    assert_eq!(hub.set_visible(&desk.socket, true, Timestamp(8)), (4, vec![]));
    assert_eq!(hub.set_away(&desk.socket, 3, Timestamp(7)), [], "back in time");
    assert!(is_online());
}
