//! Nobody sends in the name of somebody else: `as` names the sender of a request.

use bespoken::domain::ParticipantId;
use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_of_one_person_is_not_sent_as_another() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let (second, token) = app.other_admin().await;
    let path = format!("/conversations/{}/messages", chat.id);
    let by_guest = app.post(&chat.chat_id, chat.id, "hello").await;
    let by_second = app.post(&token, chat.id, "hello").await;
    let elsewhere = app.post(&other.chat_id, other.id, "hello").await.sender_id;
    let first = app.data.admin.id.into();
    for (api, own, sender, strangers) in [
        (app.api(&token), by_second.id, second.id.into(), [first, by_guest.sender_id]),
        (app.api(&chat.chat_id), by_guest.id, by_guest.sender_id, [first, elsewhere]),
    ] {
        let message = format!("/messages/{own}");
        let head = api.get(&path).await.json()["head"].clone();
        for stranger in strangers {
            for answer in [
                api.post(&path, json!({ "content": "hello", "as": stranger })).await,
                api.patch(&message, json!({ "content": "edited", "as": stranger })).await,
                api.delete(&format!("{message}?as={stranger}")).await,
            ] {
                answer.problem(403, "forbidden");
            }
        }
        api.post(&path, json!({ "content": "hello", "as": "me" })).await.problem(422, "invalid");
        assert_eq!(api.get(&path).await.json()["head"], head, "nothing was stored");
        api.post(&path, json!({ "content": "hello", "as": sender })).await.expect(201);
        api.patch(&message, json!({ "content": "edited", "as": sender })).await.expect(200);
        api.delete(&format!("{message}?as={sender}")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sent_message_is_not_shown_again_to_another_sender() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (_, token) = app.other_admin().await;
    let path = format!("/conversations/{}/messages", chat.id);
    let body = json!({ "content": "hello", "client_id": fresh(), "as": ParticipantId::from(app.data.admin.id) });
    app.admin().post(&path, body.clone()).await.expect(201);
    app.api(&token).post(&path, body.clone()).await.problem(403, "forbidden");
    app.admin().post(&path, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_reveals_nothing_about_hidden_chats() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let hidden = app.post(&other.chat_id, other.id, "not for everyone").await;
    let (guest, sender) = (app.api(&chat.chat_id), hidden.sender_id);
    for answer in [
        guest.post(&format!("/conversations/{}/messages", other.id), json!({ "content": "a", "as": sender })).await,
        guest.patch(&format!("/messages/{}", hidden.id), json!({ "content": "a", "as": sender })).await,
        guest.delete(&format!("/messages/{}?as={sender}", hidden.id)).await,
    ] {
        answer.problem(404, "not_found");
    }
}
