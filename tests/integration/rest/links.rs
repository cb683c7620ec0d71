//! The link of a conversation: replaced, revoked.

use bespoken::domain::Conversation;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_link_replaces_the_old_one() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}", chat.id);
    let again: Conversation = app.admin().post(&format!("{path}/link"), Value::Null).await.expect(200).read();
    let link = again.link.unwrap();
    assert_ne!(Some(&link), chat.conversation.link.as_ref());
    app.api(&chat.chat_id).get(&path).await.problem(401, "unauthorized");
    let chat_id = link.split_once('=').unwrap().1;
    let shown: Conversation = app.api(chat_id).get(&path).await.expect(200).read();
    assert_eq!((shown.id, shown.head), (chat.id, 1), "the same conversation, and no change of it");
    assert_eq!(app.admin().get(&path).await.read::<Conversation>().link, Some(link));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_link_leads_nowhere() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}", chat.id);
    let browser = app.guest_browser(&chat).await;
    app.admin().delete(&format!("{path}/link")).await.expect(204);
    app.admin().delete(&format!("{path}/link")).await.expect(204);
    app.api(&chat.chat_id).get(&path).await.problem(401, "unauthorized");
    browser.get(&format!("/api/v1{path}")).await.problem(401, "unauthorized");
    assert_eq!(app.admin().get(&path).await.read::<Conversation>().link, None);
    let back: Conversation = app.admin().post(&format!("{path}/link"), json!({})).await.expect(200).read();
    assert!(back.link.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_stays_the_same_over_a_restart() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let data = app.stop().await;
    let app = data.start().await;
    let shown: Conversation = app.admin().get(&format!("/conversations/{}", chat.id)).await.expect(200).read();
    assert_eq!(shown.link.unwrap().split_once('=').unwrap().1, chat.chat_id);
    app.api(&chat.chat_id).get(&format!("/conversations/{}", chat.id)).await.expect(200);
}
