//! A client that resumes from any rev reaches the same state as one that loads everything anew.

use std::collections::BTreeMap;

use bespoken::{
    domain::{Conversation, ConversationId, Message},
    protocol::ServerFrame,
};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::*;

/// A client's state of a conversation: the messages by seq, each as of its highest rev.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    messages: BTreeMap<i64, Message>,
}

impl State {
    fn take(&mut self, message: Message) {
        match self.messages.get(&message.seq) {
            Some(known) if known.rev >= message.rev => {}
            _ => drop(self.messages.insert(message.seq, message)),
        }
    }

    fn take_frame(&mut self, frame: ServerFrame) {
        match frame {
            ServerFrame::NewMessage { message, .. }
            | ServerFrame::MessageUpdated { message, .. }
            | ServerFrame::MessageDeleted { message, .. } => self.take(message),
            _ => {}
        }
    }
}

/// Loads everything by REST, page by page.
async fn load(api: &Api, room: ConversationId) -> (State, i64) {
    let mut state = State::default();
    let mut before = String::new();
    loop {
        let page = api.get(&format!("/conversations/{room}/messages?limit=200{before}")).await.expect(200).json();
        for item in page["items"].as_array().unwrap() {
            state.take(serde_json::from_value(item.clone()).unwrap());
        }
        match page["next_before_seq"].as_i64() {
            Some(seq) => before = format!("&before_seq={seq}"),
            None => return (state, page["head"].as_i64().unwrap()),
        }
    }
}

/// Joins after `after` and as often as there is more; returns the conversation and the head that it
/// then has.
async fn catch_up(ws: &mut Ws, room: ConversationId, mut after: i64, state: &mut State) -> (Conversation, i64) {
    loop {
        let joined = ws.join_after(room, Some(after)).await;
        let last = joined.messages.last().map(|message| message.rev);
        joined.messages.into_iter().for_each(|message| state.take(message));
        if !joined.more {
            return (joined.conversation, joined.head);
        }
        let last = last.expect("a part with more to come is not empty");
        assert!(last > after, "every part leads on");
        after = last;
    }
}

/// 500 messages of both sides, with edits, deletions, closing and reopening in between. Returns the
/// live frames in the order of revs, from rev 2 on.
async fn history(app: &TestApp, chat: &Chat) -> Vec<ServerFrame> {
    let room = chat.id;
    let mut watcher = app.admin_socket().await;
    watcher.join(room).await;
    let (mut guest, mut admin) = (app.guest_socket(chat).await, app.admin_socket().await);
    let mut messages: Vec<(bool, Message)> = Vec::new();
    let mut frames = Vec::new();
    for number in 0..500 {
        let by_guest = number % 3 == 0;
        let ws = if by_guest { &mut guest } else { &mut admin };
        let text = format!("message {number}");
        let message = match number % 5 {
            // To the messages that are edited and deleted below.
            4 => ws.reply(room, &text, messages[number * 2 / 3].1.id).await,
            _ => ws.post(room, &text).await,
        };
        messages.push((by_guest, message));
        if number % 7 == 6 {
            let (by_guest, message) = &messages[number * 5 / 8];
            let ws = if *by_guest { &mut guest } else { &mut admin };
            let edit = ws.edit(room, message.id, &format!("edited after {number}")).await;
            let edited = |frame| match frame {
                ServerFrame::Ack { client_id, .. } | ServerFrame::Error { client_id: Some(client_id), .. } => {
                    (client_id == edit).then_some(())
                }
                _ => None,
            };
            ws.wait("an edit, unless it was deleted before", edited).await;
        }
        if number % 11 == 10 {
            let delete = admin.delete(room, messages[number * 3 / 4].1.id).await;
            admin.ack(delete).await;
        }
        if number == 250 {
            app.close(room).await;
            app.reopen(room).await;
        }
        if number % 50 == 49 {
            let head = app.service.conversation(&app.actor(), room).await.unwrap().head;
            for rev in frames.len() as i64 + 2..=head {
                frames.push(watcher.rev(room, rev).await);
            }
        }
        guest.passed();
        admin.passed();
    }
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_every_rev_of_a_long_history_one_comes_to_the_same_state() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let frames = history(&app, &chat).await;
    let (whole, head) = load(&app.admin(), chat.id).await;
    assert_eq!((whole.messages.len(), head), (500, frames.len() as i64 + 1));
    assert!(whole.messages.keys().copied().eq(1..=500), "no holes");
    assert!(whole.messages.values().any(|message| message.edited_at.is_some()));
    assert!(whole.messages.values().any(|message| message.deleted_at.is_some()));
    let excerpts: Vec<_> = whole.messages.values().filter_map(|it| Some(&*it.reply_to.as_ref()?.excerpt)).collect();
    assert!(excerpts.contains(&"") && excerpts.iter().any(|excerpt| excerpt.starts_with("edited")), "{excerpts:?}");
    let conversation: Conversation = app.api(&chat.chat_id).get(&format!("/conversations/{}", chat.id)).await.read();

    // The state of a client that has received everything up to each rev, from 0.
    let mut states = vec![State::default(), State::default()];
    for frame in frames {
        let mut state = states.last().unwrap().clone();
        state.take_frame(frame);
        states.push(state);
    }
    assert_eq!(states.last(), Some(&whole), "who was there all the time");

    // A few at a time, each on a socket of its own.
    let part = states.len().div_ceil(4);
    join_all(states.chunks(part).enumerate().map(|(index, states)| {
        let (app, chat, whole, conversation) = (&app, &chat, &whole, &conversation);
        async move {
            let mut ws = app.guest_socket(chat).await;
            for (rev, state) in (index * part..).zip(states) {
                let mut state = state.clone();
                let (told, reached) = catch_up(&mut ws, chat.id, rev as i64, &mut state).await;
                assert!(state == *whole, "after rev {rev}");
                assert_eq!((told.head, told.status, reached), (head, conversation.status, head), "after rev {rev}");
                ws.passed();
            }
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resuming_during_writes_delivers_each_change_once() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    app.fill(room, 230).await;
    let first = app.say(room, "first").await;

    let writer = async {
        let api = app.admin();
        for number in 0..120 {
            app.say(room, &format!("message {number}")).await;
            if number % 10 == 3 {
                let edit = json!({ "content": format!("edited after {number}") });
                api.patch(&format!("/messages/{}", first.id), edit).await.expect(200);
            }
            if number % 10 == 5 {
                app.close(room).await;
                app.reopen(room).await;
            }
        }
    };
    let comers = join_all((0..8).map(|number| {
        let (app, chat) = (&app, &chat);
        async move {
            let mut outcomes = Vec::new();
            for round in 0..4 {
                let after = (number * 31 + round * 57) % 230;
                let mut state = State::default();
                let mut ws = app.guest_socket(chat).await;
                // Everything up to there, as an earlier visit would have left it.
                let mut from = 0;
                while from < after {
                    let joined = ws.join_after(room, Some(from)).await;
                    from = joined.messages.last().map_or(joined.head, |message| message.rev);
                    joined.messages.into_iter().for_each(|message| state.take(message));
                    ws.send(bespoken::protocol::ClientFrame::LeaveRequest { room }).await;
                    if !joined.more {
                        break;
                    }
                }
                let (_, mut rev) = catch_up(&mut ws, room, from, &mut state).await;
                ws.passed();
                for _ in 0..10 {
                    let live = ws.wait("a live frame", |frame| rev_of(&frame).is_some().then_some(frame)).await;
                    assert_eq!(rev_of(&live), Some((room, rev + 1)));
                    rev += 1;
                    state.take_frame(live);
                }
                outcomes.push((ws, state, rev));
                // The last ones stay.
                if round < 3 {
                    outcomes.clear();
                }
            }
            outcomes
        }
    }));
    // Nobody waits for live frames that will not come: writing goes on until the last is through.
    let done = tokio_util::sync::CancellationToken::new();
    let keep_writing = async {
        writer.await;
        while !done.is_cancelled() {
            app.say(room, "and on").await;
        }
    };
    let comers = async {
        let outcomes = comers.await;
        done.cancel();
        outcomes
    };
    let ((), outcomes) = tokio::join!(keep_writing, comers);

    let (whole, head) = load(&app.admin(), room).await;
    for (mut ws, mut state, mut rev) in outcomes.into_iter().flatten() {
        while rev < head {
            let live = ws.wait("a live frame", |frame| rev_of(&frame).is_some().then_some(frame)).await;
            assert_eq!(rev_of(&live), Some((room, rev + 1)));
            rev += 1;
            state.take_frame(live);
        }
        assert!(state == whole);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_between_changes_nothing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 20).await;
    let mut before = app.guest_socket(&chat).await;
    let head = before.join(chat.id).await.head;
    let epoch = before.epoch;
    let data = app.stop().await;

    let app = data.start().await;
    app.fill(chat.id, 5).await;
    let mut back = app.guest_socket(&chat).await;
    assert_eq!(back.epoch, epoch);
    let joined = back.join_after(chat.id, Some(head)).await;
    assert_eq!((joined.messages.len(), joined.head), (5, head + 5));
}
