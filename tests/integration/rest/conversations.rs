//! Opening, listing, changing conversations.

use bespoken::domain::{Conversation, ConversationId, ConversationKind, ConversationStatus, ParticipantId};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_opens_a_conversation() {
    let app = TestApp::start().await;
    let body =
        json!({ "customer_name": " Oak table ", "customer_email": "Guest@Example.COM", "metadata": { "a": [1] } });
    let opened = app.admin().post("/conversations", body).await.expect(201);
    assert_eq!(opened.header("content-type"), "application/json");
    assert_eq!(members(&opened.json()), conversation_for_admins());
    let conversation: Conversation = opened.read();
    assert_eq!((conversation.kind, conversation.status), (ConversationKind::Session, ConversationStatus::Open));
    assert_eq!((conversation.request_id, conversation.assignee_id), (None, None));
    assert_eq!(conversation.customer_name, "Oak table");
    assert_eq!(conversation.customer_email.as_deref(), Some("guest@example.com"));
    assert_eq!(opened.json()["metadata"], json!({ "a": [1] }));
    assert_eq!((conversation.head, conversation.last_seq, conversation.unread), (1, 0, 0));
    assert_eq!((&conversation.last_message, conversation.closed_at), (&None, None));
    let link = conversation.link.clone().unwrap();
    let chat_id = link.strip_prefix(&format!("{}/chat?chatId=", app.url)).expect("a link to this server");
    assert!(uuid::Uuid::parse_str(chat_id).is_ok());

    let path = format!("/conversations/{}", conversation.id);
    assert_eq!(app.admin().get(&path).await.expect(200).read::<Conversation>(), conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_needs_a_name_and_sound_fields() {
    let app = TestApp::start().await;
    for (body, field) in [
        (json!({ "customer_name": "" }), "customer_name"),
        (json!({ "customer_name": "a\nb" }), "customer_name"),
        (json!({ "customer_name": "x".repeat(101) }), "customer_name"),
        (json!({ "customer_name": "Oak table", "customer_email": "nobody" }), "customer_email"),
        (json!({ "customer_name": "Oak table", "metadata": "text" }), "metadata"),
        (json!({ "customer_name": "Oak table", "metadata": { "a": "x".repeat(20_000) } }), "metadata"),
        (json!({ "customer_name": "Oak table", "metadata": { "a": [{ "b": "\0" }] } }), "metadata"),
    ] {
        let problem = app.admin().post("/conversations", body).await.problem(422, "invalid");
        assert_eq!(problem["field"], field, "{problem}");
    }
    for body in [json!({}), json!([]), json!("Oak table"), json!({ "customer_name": 7 })] {
        app.admin().post("/conversations", body).await.problem(422, "invalid");
    }
    for bare in [json!({ "customer_name": "Oak table", "customer_email": null, "metadata": null })] {
        app.admin().post("/conversations", bare).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_see_their_own_fields() {
    let app = TestApp::start().await;
    let body = json!({ "customer_name": "Oak table", "metadata": { "secret": 1 } });
    let opened: Conversation = app.admin().post("/conversations", body).await.expect(201).read();
    let guest = app.api(opened.link.as_ref().unwrap().split_once('=').unwrap().1);
    app.say(opened.id, "Good morning").await;

    let shown = guest.get(&format!("/conversations/{}", opened.id)).await.expect(200).json();
    assert_eq!(members(&shown), sorted(CONVERSATION));
    assert_eq!((&shown["metadata"], &shown["unread"]), (&Value::Null, &json!(1)));
    assert_eq!(shown["last_message"], "Good morning");
    let list = guest.get("/conversations").await.expect(200).json();
    assert_eq!((&list["items"], &list["next_cursor"]), (&json!([shown]), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_paged_without_gap_or_repeat_latest_activity_first() {
    let app = TestApp::start().await;
    let mut chats = Vec::new();
    for number in 0..23 {
        chats.push(app.open(&format!("Chair {number}")).await);
    }
    for chat in chats.iter().step_by(3) {
        app.say(chat.id, "hello").await;
    }
    app.close(chats[5].id).await;

    for limit in [1, 5, 23, 50] {
        let mut seen: Vec<Conversation> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.admin().get(&format!("/conversations?limit={limit}{cursor}")).await.expect(200).json();
            assert_eq!(members(&page), ["items", "next_cursor"]);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            seen.extend(items.iter().map(|item| serde_json::from_value(item.clone()).unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut ids: Vec<_> = seen.iter().map(|conversation| conversation.id).collect();
        assert!(seen.is_sorted_by(|one, next| one.updated_at >= next.updated_at));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), seen.len()), (23, 23), "limit {limit}");
        assert_eq!(seen[0].id, chats[5].id, "closing is activity");
    }
    let count = |answer: Answer| answer.expect(200).json()["items"].as_array().unwrap().len();
    assert_eq!(count(app.admin().get("/conversations?status=closed").await), 1);
    assert_eq!(count(app.admin().get("/conversations?status=open").await), 22);
    assert_eq!(count(app.admin().get("/conversations?kind=session").await), 23);
    assert_eq!(count(app.admin().get("/conversations?kind=request").await), 0);
    assert_eq!(count(app.admin().get("/conversations?limit=100000").await), 23);
    for query in ["status=lost", "kind=x", "limit=0", "limit=-1", "limit=x", "cursor=x", "cursor=1_2", "cursor=_"] {
        app.admin().get(&format!("/conversations?{query}")).await.problem(422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_close_and_reopen() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}", chat.id);
    let closed: Conversation = app.admin().patch(&path, json!({ "status": "closed" })).await.expect(200).read();
    assert_eq!((closed.status, closed.head), (ConversationStatus::Closed, 2));
    assert_eq!(closed.closed_by.as_deref(), Some("Admin"));
    assert!(closed.closed_at.is_some());
    let again: Conversation = app.admin().delete(&path).await.expect(200).read();
    assert_eq!(again, closed, "deleting closes, and it was closed");
    let reopened: Conversation = app.admin().patch(&path, json!({ "status": "open" })).await.expect(200).read();
    assert_eq!((reopened.status, reopened.closed_at, reopened.closed_by), (ConversationStatus::Open, None, None));
    assert_eq!(app.admin().delete(&path).await.expect(200).json()["status"], "closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_assign() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (second, _) = app.other_admin().await;
    let path = format!("/conversations/{}", chat.id);
    let assigned = app.admin().patch(&path, json!({ "assignee_id": second.id })).await.expect(200).json();
    assert_eq!((&assigned["assignee_id"], &assigned["head"]), (&json!(ParticipantId::from(second.id)), &json!(2)));
    let nobody = app.admin().patch(&path, json!({ "assignee_id": null })).await.expect(200).json();
    assert_eq!((&nobody["assignee_id"], &nobody["head"]), (&Value::Null, &json!(3)));
    let problem =
        app.admin().patch(&path, json!({ "assignee_id": uuid::Uuid::now_v7() })).await.problem(422, "invalid");
    assert_eq!(problem["field"], "assignee_id");
    for body in [json!({}), json!({ "status": "lost" }), json!({ "status": "open", "assignee_id": null })] {
        app.admin().patch(&path, body).await.problem(422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_may_see_and_not_change() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let guest = app.api(&chat.chat_id);
    let path = format!("/conversations/{}", chat.id);
    guest.post("/conversations", json!({ "customer_name": "Mine" })).await.problem(403, "forbidden");
    guest.patch(&path, json!({ "status": "closed" })).await.problem(403, "forbidden");
    guest.patch(&path, json!({ "assignee_id": null })).await.problem(403, "forbidden");
    guest.delete(&path).await.problem(403, "forbidden");
    guest.post(&format!("{path}/link"), json!({})).await.problem(403, "forbidden");
    guest.delete(&format!("{path}/link")).await.problem(403, "forbidden");
    assert_eq!(app.admin().get(&path).await.read::<Conversation>().head, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_conversations_are_not_found() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let guest = app.api(&chat.chat_id);
    let message = app.say(other.id, "not for everyone").await;
    for id in [other.id.to_string(), ConversationId::new().to_string(), "1".into(), "..%2f".into()] {
        let path = format!("/conversations/{id}");
        guest.get(&path).await.problem(404, "not_found");
        guest.patch(&path, json!({ "status": "closed" })).await.problem(404, "not_found");
        guest.delete(&path).await.problem(404, "not_found");
        guest.post(&format!("{path}/link"), json!({})).await.problem(404, "not_found");
        guest.delete(&format!("{path}/link")).await.problem(404, "not_found");
        guest.get(&format!("{path}/messages")).await.problem(404, "not_found");
        guest.post(&format!("{path}/messages"), json!({ "content": "hello" })).await.problem(404, "not_found");
        guest.post(&format!("{path}/read"), json!({ "seq": 1 })).await.problem(404, "not_found");
    }
    for id in [message.id.to_string(), uuid::Uuid::now_v7().to_string(), "1".into()] {
        let path = format!("/messages/{id}");
        guest.patch(&path, json!({ "content": "mine" })).await.problem(404, "not_found");
        guest.delete(&path).await.problem(404, "not_found");
    }
    let list = guest.get("/conversations").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(app.service.conversation(&app.actor(), other.id).await.unwrap().head, 2);
}
