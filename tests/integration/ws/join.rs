//! Being welcomed, joining, leaving.

use bespoken::{
    domain::{Code, ConversationId, Epoch, ParticipantKind},
    protocol::{ClientFrame, ServerFrame},
    service::NewMessage,
};
use serde_json::Value;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_welcome_names_the_person() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (admin, guest, again) =
        (app.admin_socket().await, app.guest_socket(&chat).await, app.guest_socket(&chat).await);

    assert_eq!((admin.user.kind, admin.user.id), (ParticipantKind::Admin, app.data.admin.id.into()));
    assert_eq!(admin.user.name, "Admin");
    assert_eq!((guest.user.kind, guest.user.name.as_str()), (ParticipantKind::Guest, "Oak table"));
    assert_eq!((guest.user.id, guest.epoch), (again.user.id, admin.epoch));
    assert_ne!(guest.connection_id, again.connection_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_have_the_members_of_the_contract_and_type_comes_first() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    app.say(room, "first").await;
    let token = format!("Bearer {}", app.data.token);
    let stream = Ws::handshake(&app.url, &[("authorization", &token)]).await.unwrap();
    let mut admin = Ws::raw(stream);
    let mut guest = app.guest_socket(&chat).await;

    let welcome = admin.member("welcome", &["connection_id", "user", "epoch"]).await;
    assert_eq!(members(&welcome["user"]), sorted(["kind", "id", "name"]));

    admin.send(ClientFrame::JoinRequest { room, after: None, epoch: None, sender: None }).await;
    let joined = admin
        .member("joined", &["room", "epoch", "head", "conversation", "participants", "receipts", "messages", "more"])
        .await;
    assert_eq!(members(&joined["participants"][0]), sorted(["id", "kind", "name", "online", "last_seen_at"]));
    assert_eq!(members(&joined["receipts"][0]), sorted(["participant", "seq", "at"]));
    assert_eq!(members(&joined["messages"][0]), sorted(MESSAGE));
    assert_eq!(members(&joined["conversation"]), conversation_for_admins());

    guest.join(room).await;
    admin.member("presence", &["room", "participants"]).await;
    guest.types(room, true).await;
    admin.member("typing", &["room", "participant", "on"]).await;
    guest.read(room, 1).await;
    admin.member("read", &["room", "participant", "seq"]).await;
    let message = guest.post(room, "second").await;
    admin.member("newMessage", &["room", "rev", "message"]).await;
    guest.edit(room, message.id, "2nd").await;
    admin.member("messageUpdated", &["room", "rev", "message"]).await;
    guest.delete(room, message.id).await;
    admin.member("messageDeleted", &["room", "rev", "message"]).await;
    app.close(room).await;
    let updated = admin.member("conversationUpdated", &["room", "rev", "conversation"]).await;
    assert_eq!(members(&updated["conversation"]), conversation_for_admins());
    let inbox = admin.member("inbox", &["conversation"]).await;
    assert_eq!(members(&inbox["conversation"]), conversation_for_admins());
    app.reopen(room).await;
    admin.say(room, "third").await;
    admin.member("ack", &["room", "client_id", "message"]).await;
    admin.send(ClientFrame::JoinRequest { room, after: Some(1_000), epoch: None, sender: None }).await;
    admin.member("resync", &["room"]).await;
    admin.say(room, " ").await;
    admin.member("error", &["code", "message", "room", "client_id"]).await;
    admin.send_text("{}").await;
    admin.member("error", &["code", "message"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_without_after_returns_the_latest_50() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 60).await;
    let mut guest = app.guest_socket(&chat).await;

    let joined = guest.join(chat.id).await;
    assert_eq!(joined.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
    assert_eq!((joined.head, joined.more, joined.epoch), (61, false, guest.epoch), "opening was rev 1");
    assert_eq!((joined.conversation.id, joined.conversation.unread), (chat.id, 60));
    let mut people: Vec<_> = joined.participants.iter().map(|person| (person.name.as_str(), person.online)).collect();
    people.sort_unstable();
    assert_eq!(people, [("Admin", false), ("Oak table", true)]);
    assert_eq!((joined.receipts.len(), joined.receipts[0].seq), (1, 60), "the sender has read what it sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_with_after_returns_later_changes_in_the_order_of_revs() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    let first = admin.post(chat.id, "first").await;
    let second = admin.post(chat.id, "second").await;
    let third = admin.post(chat.id, "third").await;
    let edit = admin.edit(chat.id, second.id, "2nd").await;
    admin.ack(edit).await;
    let delete = admin.delete(chat.id, first.id).await;
    admin.ack(delete).await;

    let told = |joined: bespoken::protocol::Joined| {
        assert!(!joined.more);
        assert_eq!(joined.head, 6);
        joined.messages.into_iter().map(|message| (message.rev, message.seq, message.content)).collect::<Vec<_>>()
    };
    let all = [(4, 3, "third".to_owned()), (5, 2, "2nd".to_owned()), (6, 1, String::new())];
    for after in 0..=third.rev - 1 {
        assert_eq!(told(admin.join_after(chat.id, Some(after)).await), all, "after {after}");
    }
    assert_eq!(told(admin.join_after(chat.id, Some(4)).await), all[1..]);
    assert_eq!(told(admin.join_after(chat.id, Some(5)).await), all[2..]);
    assert_eq!(told(admin.join_after(chat.id, Some(6)).await), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_absence_is_caught_up_in_parts_and_live_frames_start_after_the_last() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 450).await;
    let mut guest = app.guest_socket(&chat).await;

    let mut after = 1;
    for (count, more) in [(200, true), (200, true)] {
        let part = guest.join_after(chat.id, Some(after)).await;
        assert_eq!((part.messages.len(), part.more, part.head), (count, more, 451));
        assert!(part.messages.is_sorted_by_key(|message| message.rev));
        after = part.messages.last().unwrap().rev;
    }
    // Somebody writes while the guest is not all the way through.
    let between = app.say(chat.id, "between").await;
    let last = guest.join_after(chat.id, Some(after)).await;
    assert_eq!((last.messages.len(), last.more, last.head), (51, false, between.rev));
    assert!(!guest.passed().iter().any(|frame| rev_of(frame).is_some()), "nothing live before `more` is false");
    let live = app.say(chat.id, "live").await;
    guest.rev(chat.id, live.rev).await;
    assert!(!guest.passed().iter().any(|frame| rev_of(frame).is_some()), "and only what is new after it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_200_changes_come_in_one_part() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 200).await;
    let mut guest = app.guest_socket(&chat).await;
    let joined = guest.join_after(chat.id, Some(1)).await;
    assert_eq!((joined.messages.len(), joined.more), (200, false));
    let joined = guest.join_after(chat.id, Some(0)).await;
    assert_eq!((joined.messages.len(), joined.more), (200, false), "rev 1 was no message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_fell_behind_again_is_out_until_it_has_caught_up() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    app.fill(chat.id, 201).await;
    guest.rev(chat.id, 202).await;
    guest.passed();

    let part = guest.join_after(chat.id, Some(1)).await;
    assert!(part.more);
    let unheard = app.say(chat.id, "unheard").await;
    let rest = guest.join_after(chat.id, Some(part.messages.last().unwrap().rev)).await;
    assert_eq!(rest.messages.last().map(|message| message.id), Some(unheard.id));
    assert!(!guest.passed().iter().any(|frame| rev_of(frame).is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_that_is_not_the_servers_is_answered_with_resync_once() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let mut guest = app.guest_socket(&chat).await;
    let foreign = format!(r#"{{"type":"joinRequest","room":"{room}","after":1,"epoch":"{}"}}"#, Epoch::new());
    let no_uuid = format!(r#"{{"type":"joinRequest","room":"{room}","after":1,"epoch":"the one before"}}"#);
    let beyond = format!(r#"{{"type":"joinRequest","room":"{room}","after":1000,"epoch":"{}"}}"#, guest.epoch);
    for request in [foreign, no_uuid, beyond] {
        guest.send_text(&request).await;
        assert_eq!(guest.resync().await, room, "{request}");
        let unheard = app.say(room, "unheard").await;
        let joined = guest.join(room).await;
        assert_eq!(joined.head, unheard.rev);
        let passed = guest.passed();
        assert!(
            !passed.iter().any(|frame| matches!(frame, ServerFrame::Resync { .. }) || rev_of(frame).is_some()),
            "{passed:?}"
        );
        guest.send(ClientFrame::LeaveRequest { room }).await;
    }
    let epoch = Some(guest.epoch);
    guest.send(ClientFrame::JoinRequest { room, after: Some(4), epoch, sender: None }).await;
    assert_eq!(guest.joined(room).await.head, 4, "the server's own epoch is as good as none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_one_may_not_see_is_not_found() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let message = app.say(other.id, "not for everyone").await;
    let mut guest = app.guest_socket(&chat).await;
    for room in [other.id, ConversationId::new()] {
        guest.send(ClientFrame::JoinRequest { room, after: None, epoch: None, sender: None }).await;
        assert_eq!(guest.refused().await, Refused { code: Code::NotFound, room: Some(room), client_id: None });
        guest.send(ClientFrame::LeaveRequest { room }).await;
        assert_eq!(guest.refused().await, Refused { code: Code::NotFound, room: Some(room), client_id: None });
        guest.types(room, true).await;
        assert_eq!(guest.refused().await, Refused { code: Code::NotFound, room: Some(room), client_id: None });
        guest.read(room, 1).await;
        assert_eq!(guest.refused().await, Refused { code: Code::NotFound, room: Some(room), client_id: None });
        for client_id in [
            guest.say(room, "hello").await,
            guest.edit(room, message.id, "mine now").await,
            guest.delete(room, message.id).await,
        ] {
            let refused = Refused { code: Code::NotFound, room: Some(room), client_id: Some(client_id) };
            assert_eq!(guest.refused().await, refused);
        }
    }
    let page = app.admin().get(&format!("/conversations/{}/messages", other.id)).await.json();
    assert_eq!((&page["head"], &page["items"][0]["content"]), (&2.into(), &"not for everyone".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rev_below_zero_is_invalid() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.send(ClientFrame::JoinRequest { room: chat.id, after: Some(-1), epoch: None, sender: None }).await;
    assert_eq!(guest.refused().await, Refused { code: Code::Invalid, room: Some(chat.id), client_id: None });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_socket_carries_many_rooms() {
    let app = TestApp::start().await;
    let mut admin = app.admin_socket().await;
    let mut chats = Vec::new();
    for number in 0..30 {
        chats.push(app.open(&format!("Chair {number}")).await);
    }
    for chat in &chats {
        admin.send(ClientFrame::JoinRequest { room: chat.id, after: Some(1), epoch: None, sender: None }).await;
    }
    for chat in &chats {
        admin.joined(chat.id).await;
    }
    for chat in &chats {
        app.post(&chat.chat_id, chat.id, &chat.id.to_string()).await;
    }
    for chat in &chats {
        match admin.rev(chat.id, 2).await {
            ServerFrame::NewMessage { room, message, .. } => assert_eq!(message.content, room.to_string()),
            other => panic!("{other:?}"),
        }
    }
    assert!(!admin.passed().iter().any(|frame| rev_of(frame).is_some()), "each came once and in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_from_a_room_after_leaving_it() {
    let app = TestApp::start().await;
    let (left, kept) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let mut admin = app.admin_socket().await;
    admin.join(left.id).await;
    admin.join(kept.id).await;
    admin.send(ClientFrame::LeaveRequest { room: left.id }).await;
    admin.settled().await;
    admin.passed();

    app.post(&left.chat_id, left.id, "unheard").await;
    let heard = app.post(&kept.chat_id, kept.id, "heard").await;
    admin.rev(kept.id, heard.rev).await;
    assert!(!admin.passed().iter().any(|frame| rev_of(frame).is_some()));
    // Leaving again is nothing to complain about.
    admin.send(ClientFrame::LeaveRequest { room: left.id }).await;
    admin.settled().await;
    assert!(!admin.passed().iter().any(|frame| matches!(frame, ServerFrame::Error { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_in_which_everybody_talks_at_once_can_be_joined() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let done = tokio_util::sync::CancellationToken::new();
    let writers: Vec<_> = (0..32)
        .map(|_| {
            let (service, actor, done) = (app.service.clone(), app.actor(), done.clone());
            tokio::spawn(async move {
                while !done.is_cancelled() {
                    service.post_message(&actor, room, NewMessage::text("hello")).await.unwrap();
                }
            })
        })
        .collect();
    // Each finds the room empty, so nobody but the database knows what was said a moment ago.
    for _ in 0..30 {
        let mut guest = app.guest_socket(&chat).await;
        let mut rev = guest.join(room).await.head;
        for _ in 0..5 {
            rev += 1;
            assert_eq!(guest.wait("a live frame", |frame| rev_of(&frame)).await, (room, rev));
        }
    }
    done.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_twice_delivers_each_message_once() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    guest.join(chat.id).await;
    guest.passed();
    let (first, second) = (app.say(chat.id, "first").await, app.say(chat.id, "second").await);
    guest.rev(chat.id, first.rev).await;
    guest.rev(chat.id, second.rev).await;
    assert!(!guest.passed().iter().any(|frame| rev_of(frame).is_some()));
}

impl Ws {
    /// Reads on until a frame of this type with exactly these members comes.
    async fn member(&mut self, kind: &str, names: &[&str]) -> Value {
        let start = format!(r#"{{"type":"{kind}","#);
        let wanted = sorted(names.iter().copied().chain(["type"]));
        let mut others = Vec::new();
        in_time(kind, async {
            loop {
                let text =
                    self.next_text().await.unwrap_or_else(|code| panic!("{kind}: ended with {code:?}: {others:?}"));
                let frame: Value = serde_json::from_str(&text).unwrap();
                if text.starts_with(&start) && members(&frame) == wanted {
                    return frame;
                }
                assert!(text.starts_with(r#"{"type":""#), "{text}");
                others.push(text);
            }
        })
        .await
    }
}
