//! The bus over a real NATS server, which comes and goes.

use std::net::Ipv4Addr;

use bespoken::{
    domain::{Actor, Conversation, ConversationStatus, Epoch, Participant, ParticipantKind, Role},
    http::StartError,
    live::bus::connect,
    protocol::{ServerFrame, close},
    service::Visitor,
};
use serde_json::json;

use super::{
    Pair,
    servers::{Cluster, start},
};
use crate::support::{NatsServer, PASSWORD, TestDatabase, Ws, in_time};

async fn cluster() -> Option<(NatsServer, Cluster)> {
    let nats = NatsServer::start().await?;
    let cluster = Cluster::start([nats.url(), nats.url()]).await?;
    Some((nats, cluster))
}

fn online(people: &[Participant], kind: ParticipantKind) -> bool {
    people.iter().any(|person| person.kind == kind && person.online)
}

/// Reads on until this side is in the room, or is not.
async fn until_online(ws: &mut Ws, kind: ParticipantKind, is: bool) {
    ws.wait("presence", |frame| match frame {
        ServerFrame::Presence { participants, .. } => (online(&participants, kind) == is).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_two_servers_talk_as_if_on_one() {
    let Some((_nats, cluster)) = cluster().await else { return };
    let chat = cluster.open().await;
    let room = chat.conversation.id;
    let mut customer = cluster.nodes[0].socket(&chat.secret).await;
    let mut admin = cluster.nodes[1].socket(&cluster.token).await;
    let mut dashboard = cluster.nodes[1].socket(&cluster.token).await;

    customer.join(room).await;
    if !online(&admin.join(room).await.participants, ParticipantKind::Guest) {
        until_online(&mut admin, ParticipantKind::Guest, true).await;
    }
    until_online(&mut customer, ParticipantKind::Admin, true).await;
    dashboard.inbox(room, |conversation| conversation.customer_online == Some(true)).await;

    customer.types(room, true).await;
    assert_eq!(admin.typing().await, (customer.user.id, true));
    let first = customer.post(room, "Is it ready?").await;
    assert!(matches!(admin.rev(room, 2).await, ServerFrame::NewMessage { message, .. } if message == first));
    dashboard.inbox(room, |conversation| conversation.unread == 1).await;
    admin.read(room, first.seq).await;
    assert_eq!(customer.receipt().await, (admin.user.id, first.seq));

    customer.edit(room, first.id, "Is it ready yet?").await;
    assert!(matches!(admin.rev(room, 3).await, ServerFrame::MessageUpdated { .. }));
    admin.delete(room, first.id).await;
    assert!(matches!(customer.rev(room, 4).await, ServerFrame::MessageDeleted { .. }));
    for (rev, status) in [(5, ConversationStatus::Closed), (6, ConversationStatus::Open)] {
        let path = format!("/conversations/{room}");
        cluster.nodes[1].api(&cluster.token).patch(&path, json!({ "status": status })).await.expect(200);
        let told = customer.rev(room, rev).await;
        assert!(
            matches!(&told, ServerFrame::ConversationUpdated { conversation, .. } if conversation.status == status),
            "{told:?}"
        );
    }

    let Cluster { mut nodes, .. } = cluster;
    assert_eq!(nodes[0].ready().await.status, 200);
    nodes.remove(0).stop().await;
    until_online(&mut admin, ParticipantKind::Guest, false).await;
    dashboard.inbox(room, |conversation| conversation.customer_online == Some(false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_that_ends_on_one_server_ends_on_the_other() {
    let Some((_nats, cluster)) = cluster().await else { return };
    let chat = cluster.open().await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };

    let mut guest = there.socket(&chat.secret).await;
    here.api(&cluster.token).delete(&format!("/conversations/{}/link", chat.conversation.id)).await.expect(204);
    assert_eq!(guest.closed().await, Some(close::NOT_ALLOWED), "the link was revoked");

    let (id, token) = here.service.create_token("admin@example.com", None).await.unwrap();
    let mut program = there.socket(token.expose()).await;
    here.service.revoke_token(id).await.unwrap();
    assert_eq!(program.closed().await, Some(close::NOT_ALLOWED), "the token was revoked");

    let user = here.service.create_user("grace@example.com", "Grace", PASSWORD, Role::Customer).await.unwrap();
    let visitor = Visitor { address: Ipv4Addr::LOCALHOST.into(), user_agent: None, session: None };
    for what in ["signed out", "the role was changed"] {
        let secret = here.service.start_session(&user, visitor).await.unwrap();
        let cookie = format!("bespoken={}", secret.expose());
        let mut customer = Ws::with_cookie(&there.url, &cookie).await.unwrap();
        if what == "signed out" {
            let session = here.service.session(&secret).await.unwrap().unwrap();
            here.service.sign_out(session.id).await.unwrap();
        } else {
            let admin = Actor::Admin(cluster.admin.clone());
            here.service.set_role(&admin, user.id, Role::Admin).await.unwrap();
        }
        assert_eq!(customer.closed().await, Some(close::NOT_ALLOWED), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_erased_on_one_server_is_gone_on_the_other() {
    let Some((_nats, cluster)) = cluster().await else { return };
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let body = json!({ "customer_name": "Cleopatra", "customer_email": "cleo@example.com" });
    let conversation: Conversation = here.api(&cluster.token).post("/conversations", body).await.expect(201).read();
    let (room, link) = (conversation.id, conversation.link.unwrap());
    let mut guest = there.socket(link.split_once("chatId=").unwrap().1).await;
    let mut admin = there.socket(&cluster.token).await;
    guest.join(room).await;
    admin.join(room).await;
    let posted = guest.post(room, "Hello").await;
    admin.rev(room, posted.rev).await;

    here.service.erase_customer("cleo@example.com").await.unwrap().unwrap();
    assert_eq!(guest.closed().await, Some(close::NOT_ALLOWED));
    let emptied = admin.rev(room, posted.rev + 1).await;
    assert!(matches!(&emptied, ServerFrame::MessageDeleted { message, .. } if message.id == posted.id), "{emptied:?}");
    let told = admin.rev(room, posted.rev + 2).await;
    assert!(
        matches!(&told, ServerFrame::ConversationUpdated { conversation, .. } if conversation.customer_name == "Former customer"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_go_on_without_nats_and_find_back_to_it() {
    let Some((mut nats, cluster)) = cluster().await else { return };
    let chat = cluster.open().await;
    let room = chat.conversation.id;
    let mut customer = cluster.nodes[0].socket(&chat.secret).await;
    let mut admin = cluster.nodes[1].socket(&cluster.token).await;
    let mut dashboard = cluster.nodes[1].socket(&cluster.token).await;
    customer.join(room).await;
    admin.join(room).await;

    nats.kill().await;
    let mut last = 1;
    for content in ["one", "two", "three"] {
        last = customer.post(room, content).await.rev;
        admin.rev(room, last).await;
        dashboard.inbox(room, |conversation| conversation.last_message.as_deref() == Some(content)).await;
    }
    for node in &cluster.nodes {
        let answer = in_time("it is noticed", async {
            loop {
                let answer = node.ready().await;
                if answer.status != 200 {
                    return answer;
                }
            }
        })
        .await;
        assert_eq!((answer.status, answer.text.contains("bus")), (503, true), "{}", answer.text);
        assert_eq!(node.metric("bespoken_bus_connected").await, 0.0);
    }
    assert!(cluster.nodes[1].metric("bespoken_caught_up_changes_total").await >= 3.0, "from the database");

    nats.revive().await;
    for node in &cluster.nodes {
        in_time("it is found again", async { while node.ready().await.status != 200 {} }).await;
        assert_eq!(node.metric("bespoken_bus_connected").await, 1.0);
        assert!(node.metric("bespoken_database_commit_seconds_count").await > 0.0);
    }
    // Events that only the bus carries.
    for on in [true, false] {
        customer.types(room, on).await;
        assert_eq!(admin.typing().await, (customer.user.id, on));
    }
    let next = admin.post(room, "four").await;
    customer.rev(room, next.rev).await;
    assert_eq!(next.rev, last + 1);
    let revs: Vec<_> = admin.passed().iter().filter_map(crate::support::rev_of).collect();
    assert!(revs.is_sorted(), "{revs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_nats_and_retries() {
    let Some(mut nats) = NatsServer::start().await else { return };
    nats.kill().await;
    let Some(cluster) = Cluster::start([nats.url(), nats.url()]).await else { return };
    let chat = cluster.open().await;
    let room = chat.conversation.id;
    let mut customer = cluster.nodes[0].socket(&chat.secret).await;
    let mut admin = cluster.nodes[1].socket(&cluster.token).await;
    customer.join(room).await;
    admin.join(room).await;
    let post = customer.post(room, "Hello?").await;
    admin.rev(room, post.rev).await;
    assert_eq!(cluster.nodes[0].ready().await.status, 503);

    nats.revive().await;
    for node in &cluster.nodes {
        in_time("it is found", async { while node.ready().await.status != 200 {} }).await;
    }
    customer.types(room, true).await;
    assert_eq!(admin.typing().await, (customer.user.id, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_one_nats_with_other_databases_are_others() {
    let Some(nats) = NatsServer::start().await else { return };
    let lines = [connect(&nats.url(), Epoch::new()).await.unwrap(), connect(&nats.url(), Epoch::new()).await.unwrap()];
    let pair = Pair::start(lines).await;
    let (room, guest) = pair.open().await;
    let mut reader = pair.reader(0, &guest, room).await;
    let other = pair.reader(1, &pair.actor(), room).await;
    pair.nodes[1].typing(&other.connection.socket, room, true).unwrap();
    let post = pair.post(1, room, "comes from the database").await;
    assert_eq!(reader.revs_upto(room, post.rev).await, [post.rev]);
    assert!(!reader.has_passed(|frame| matches!(frame, ServerFrame::Typing { .. })));
}

#[tokio::test]
async fn a_bus_that_cannot_be_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("bespoken.db").display());
    let refused = async |database: &str, nats: &str| match start(database, &folder, nats.to_owned()).await {
        Ok(_) => panic!("{nats} with {database} was taken"),
        Err(error) => (error.to_string(), error),
    };
    let (line, error) = refused(&sqlite, "nats://127.0.0.1:4222").await;
    assert!(matches!(error, StartError::BusOverSqlite) && line.contains("PostgreSQL"), "{line}");

    for url in ["http://bus.example", "nats://", "nats://user:secret@bus.example:port", ""] {
        let line = connect(url, Epoch::new()).await.err().expect(url).to_string();
        assert!(line.contains("NATS URL") && !line.contains("secret"), "{line}");
    }

    let Some(nats) = NatsServer::start_with(&["--user", "node", "--pass", "right"]).await else { return };
    let with = |password: &str| format!("nats://node:{password}@{}", nats.address());
    let line = connect(&with("wrong-one"), Epoch::new()).await.err().expect("a wrong password").to_string();
    assert!(line.contains(&nats.address().to_string()) && !line.contains("wrong-one"), "{line}");
    assert!(!line.contains('\n'));
    assert!(connect(&with("right"), Epoch::new()).await.is_ok());

    let Some(database) = TestDatabase::create().await else { return };
    let (line, _) = refused(&database.url().await, &with("wrong-one")).await;
    assert!(line.contains("rejected this node") && !line.contains("wrong-one"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_too_large_for_the_bus_is_fetched() {
    let Some(nats) = NatsServer::start().await else { return };
    let epoch = Epoch::new();
    let lines = [connect(&nats.url(), epoch).await.unwrap(), connect(&nats.url(), epoch).await.unwrap()];
    let pair = Pair::start(lines).await;
    let (room, guest) = pair.open().await;
    let mut reader = pair.reader(0, &guest, room).await;
    let large = "🪵".repeat(300_000);
    let post = pair.post(1, room, &large).await;
    assert_eq!(reader.revs_upto(room, post.rev).await, [post.rev]);
    assert_eq!(reader.messages(room), [post]);
}
