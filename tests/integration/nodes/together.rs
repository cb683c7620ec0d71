//! People on two nodes talk as if on one, also when the bus fails.

use bespoken::{
    domain::{ConversationStatus, RequestText},
    protocol::{ServerFrame, close},
    service::{NewMessage, NewPush, Secret, Visitor},
};

use super::{
    Pair,
    scripted::{Fate, Script},
};
use crate::support::{PushBrowser, PushService, in_time};

async fn pair() -> (Script, Pair) {
    let (script, lines) = Script::new(&[]);
    (script, Pair::start(lines).await)
}

#[tokio::test]
async fn a_customer_on_one_node_and_an_admin_on_another_talk_as_if_on_one() {
    let (_, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut customer = pair.reader(0, &guest, room).await;
    let mut admin = pair.reader(1, &pair.actor(), room).await;

    let post = pair.nodes[0].post_message(&guest, room, NewMessage::text("Hello")).await.unwrap().message;
    let told = admin.wait("newMessage", |frame| match frame {
        ServerFrame::NewMessage { rev: 2, message, .. } => Some(message),
        _ => None,
    });
    assert_eq!(told.await, post);

    let edited = pair.nodes[0].edit_message(&guest, None, post.id, "Hello!").await.unwrap();
    let told = admin.wait("messageUpdated", |frame| match frame {
        ServerFrame::MessageUpdated { rev: 3, message, .. } => Some(message),
        _ => None,
    });
    assert_eq!(told.await, edited);

    pair.nodes[1].delete_message(&pair.actor(), None, post.id).await.unwrap();
    let told = customer.wait("messageDeleted", |frame| match frame {
        ServerFrame::MessageDeleted { rev: 4, message, .. } => Some(message.content),
        _ => None,
    });
    assert_eq!(told.await, "");

    for (rev, status) in [(5, ConversationStatus::Closed), (6, ConversationStatus::Open)] {
        pair.nodes[1].set_status(&pair.actor(), room, status).await.unwrap();
        let told = customer.wait("conversationUpdated", |frame| match frame {
            ServerFrame::ConversationUpdated { rev: told, conversation, .. } if told == rev => Some(conversation),
            _ => None,
        });
        let told = told.await;
        assert_eq!((told.status, told.link), (status, None), "in the customer's own words");
    }
}

#[tokio::test]
async fn typing_and_receipts_reach_the_other_node() {
    let (_, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let customer = pair.reader(0, &guest, room).await;
    let mut admin = pair.reader(1, &pair.actor(), room).await;
    let last = pair.post(1, room, "Read this").await;

    for on in [true, false] {
        pair.nodes[0].typing(&customer.connection.socket, room, on).unwrap();
        admin
            .wait("typing", |frame| matches!(frame, ServerFrame::Typing { on: told, .. } if told == on).then_some(()))
            .await;
    }
    let receipt = pair.nodes[0].read_up_to(&guest, room, last.seq).await.unwrap().unwrap();
    let told = admin.wait("read", |frame| match frame {
        ServerFrame::Read { participant, seq, .. } => Some((participant, seq)),
        _ => None,
    });
    assert_eq!(told.await, (receipt.participant, last.seq));
}

#[tokio::test]
async fn both_nodes_know_who_is_there() {
    let (script, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut admin = pair.reader(1, &pair.actor(), room).await;
    let mut dashboard = pair.visitor(1, &pair.actor(), None).await;
    let online = |frame: ServerFrame, of: usize| match frame {
        ServerFrame::Presence { participants, .. } => {
            (participants.iter().filter(|person| person.online).count() == of).then_some(participants)
        }
        _ => None,
    };
    let customer_is = |frame: ServerFrame, there: bool| match frame {
        ServerFrame::Inbox { conversation } => {
            (conversation.id == room && conversation.customer_online == Some(there)).then_some(())
        }
        _ => None,
    };

    let mut customer = pair.reader(0, &guest, room).await;
    admin.wait("the customer comes", |frame| online(frame, 2)).await;
    customer.wait("the admin is there", |frame| online(frame, 2)).await;
    dashboard.wait("the customer is there", |frame| customer_is(frame, true)).await;
    let late = pair.reader(0, &pair.actor(), room).await;
    assert!(pair.nodes[1].conversation(&pair.actor(), room).await.unwrap().customer_online.unwrap());

    drop(customer);
    let left = admin.wait("the customer leaves", |frame| online(frame, 1)).await;
    assert!(left.iter().any(|person| !person.online && person.last_seen_at.is_some()), "{left:?}");
    dashboard.wait("the customer has left", |frame| customer_is(frame, false)).await;

    // After the last heartbeat of a node, the others remove its people.
    let customer = pair.reader(0, &guest, room).await;
    admin.wait("the customer is back", |frame| online(frame, 2)).await;
    dashboard.wait("the customer is back", |frame| customer_is(frame, true)).await;
    script.all(Fate::IsLost);
    admin.wait("the other node is silent", |frame| online(frame, 1)).await;
    dashboard.wait("the other node is silent", |frame| customer_is(frame, false)).await;
    drop((customer, late));
}

#[tokio::test]
async fn inboxes_and_requests_are_updated_on_every_node() {
    let (_, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut dashboard = pair.visitor(1, &pair.actor(), None).await;
    dashboard.connection.socket.follow_requests();
    pair.nodes[0].post_message(&guest, room, NewMessage::text("Is it ready?")).await.unwrap();
    dashboard
        .wait("inbox", |frame| match frame {
            ServerFrame::Inbox { conversation } => {
                (conversation.last_message.as_deref() == Some("Is it ready?") && conversation.unread == 1).then_some(())
            }
            _ => None,
        })
        .await;

    let customer = pair.nodes[0]
        .create_user("grace@example.com", "Grace", crate::support::PASSWORD, bespoken::domain::Role::Customer)
        .await
        .unwrap();
    let text = RequestText::parse("A table", "Of oak", None, None).unwrap();
    let made = pair.nodes[0].create_request(&pair.actor(), None, Some(customer.id), text).await.unwrap();
    dashboard
        .wait("request", |frame| matches!(frame, ServerFrame::Request { id, .. } if id == made.id).then_some(()))
        .await;
}

#[tokio::test]
async fn lost_access_closes_sockets_on_every_node() {
    let (_, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let customer = pair.reader(1, &guest, room).await;
    pair.nodes[0].revoke_link(&pair.actor(), room).await.unwrap();
    assert_eq!(customer.closed().await, close::NOT_ALLOWED);
}

#[tokio::test]
async fn a_lost_last_message_comes_all_the_same() {
    let (script, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut customer = pair.reader(0, &guest, room).await;
    script.all(Fate::IsLost);
    let last = pair.post(1, room, "And that was it").await;
    assert_eq!(customer.revs_upto(room, last.rev).await, [last.rev]);
}

#[tokio::test]
async fn without_the_bus_rooms_and_inboxes_follow_the_database() {
    let (script, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut customer = pair.reader(0, &guest, room).await;
    let mut dashboard = pair.visitor(0, &pair.actor(), None).await;
    script.goes_away();
    assert!(pair.nodes.iter().all(|node| node.bus_status().is_some_and(|status| !status.is_connected)));
    let mut told = Vec::new();
    for content in ["one", "two", "three"] {
        let post = pair.post(1, room, content).await;
        told.extend(customer.revs_upto(room, post.rev).await);
        dashboard
            .wait("inbox", |frame| match frame {
                ServerFrame::Inbox { conversation } => {
                    (conversation.last_message.as_deref() == Some(content)).then_some(())
                }
                _ => None,
            })
            .await;
    }
    pair.nodes[1].set_status(&pair.actor(), room, ConversationStatus::Closed).await.unwrap();
    told.extend(customer.revs_upto(room, 5).await);
    assert_eq!(told, [2, 3, 4, 5]);

    script.heals();
    pair.nodes[1].set_status(&pair.actor(), room, ConversationStatus::Open).await.unwrap();
    assert_eq!(customer.revs_upto(room, 6).await, [6]);
}

#[tokio::test]
async fn several_missed_changes_are_broadcast_under_every_rev() {
    let (script, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut customer = pair.reader(0, &guest, room).await;
    script.all(Fate::IsLost);
    let post = pair.post(1, room, "frist").await;
    for content in ["furst", "first"] {
        pair.nodes[1].edit_message(&pair.actor(), None, post.id, content).await.unwrap();
    }
    let mut contents = Vec::new();
    let told = customer.wait("the last change", |frame| {
        match frame {
            ServerFrame::ConversationUpdated { rev, conversation, .. } => {
                assert_eq!(conversation.last_message.as_deref(), Some("first"));
                contents.push(rev);
            }
            ServerFrame::MessageUpdated { rev, message, .. } => return Some((rev, message.content)),
            _ => {}
        }
        None
    });
    assert_eq!(told.await, (4, "first".to_owned()));
    assert_eq!(contents, [2, 3], "these changes are not known any more");
}

#[tokio::test]
async fn who_has_missed_hundreds_of_changes_joins_anew() {
    let (script, pair) = pair().await;
    let (room, guest) = pair.open().await;
    let mut customer = pair.reader(0, &guest, room).await;
    script.all(Fate::IsLost);
    for n in 0..250 {
        in_time("a message is stored", pair.post(1, room, &n.to_string())).await;
    }
    script.heals();
    assert_eq!(customer.revs_upto(room, 251).await, [251]);
    assert_eq!(customer.join(room).await.head, 251);
    pair.post(1, room, "on we go").await;
    assert_eq!(customer.revs_upto(room, 252).await, [252]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_that_stores_a_message_notifies() {
    let (_, pair) = pair().await;
    let mut push = PushService::start().await;
    let (room, _) = pair.open().await;
    let link = pair.nodes[0].conversation(&pair.actor(), room).await.unwrap().link.unwrap();
    let secret = Secret::presented(link.split_once("chatId=").unwrap().1);
    let visitor = Visitor { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: None, session: None };
    let (_, cookie) = pair.nodes[0].open_link(&secret, visitor).await.unwrap();
    let session = pair.nodes[0].session(&cookie.unwrap()).await.unwrap().unwrap();
    let browser = PushBrowser::new(format!("{}/guest", push.url));
    let subscription = browser.subscription();
    let key = |name: &str| subscription["keys"][name].as_str().unwrap().to_owned();
    let new = NewPush { endpoint: browser.endpoint.clone(), p256dh: key("p256dh"), auth: key("auth") };
    let id = pair.nodes[0].subscribe(&session.actor, Some(session.id), new).await.unwrap();
    in_time("the other node finds the subscription", async {
        while pair.nodes[1].push_of(Some(session.id)).await.unwrap() != Some(id) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for (node, unread) in [(0, 1), (1, 2)] {
        pair.post(node, room, "Hello").await;
        assert_eq!(browser.read(&push.next().await)["unread"], unread);
    }
    assert!(push.is_empty());
}
