//! Frames that are none.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::Message as Raw;

use crate::support::*;

/// Sends `text` and returns the `error` that answers it.
async fn answer(ws: &mut Ws, raw: Raw) -> Value {
    ws.send_raw(raw).await;
    in_time("an error", async {
        loop {
            let text = ws.next_text().await.expect("the socket stays open");
            if text.starts_with(r#"{"type":"error","#) {
                return serde_json::from_str(&text).unwrap();
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_understood_is_invalid_and_the_socket_stays_open() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (room, client_id) = (chat.id, fresh());
    let mut guest = app.guest_socket(&chat).await;
    for text in [
        "".to_owned(),
        "hello".to_owned(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\"joinRequest\"".to_owned(),
        "[".repeat(60_000),
        json!({ "type": "fly" }).to_string(),
        json!({ "type": 1 }).to_string(),
        json!({ "type": "welcome" }).to_string(),
        json!({ "type": "joinRequest" }).to_string(),
        json!({ "type": "joinRequest", "room": 7 }).to_string(),
        json!({ "type": "joinRequest", "room": room, "after": "1" }).to_string(),
        json!({ "type": "joinRequest", "room": room, "after": 1.5 }).to_string(),
        json!({ "type": "joinRequest", "room": room, "after": 1e30 }).to_string(),
        json!({ "type": "sendMessage", "room": room, "content": "no client id" }).to_string(),
        json!({ "type": "sendMessage", "room": room, "client_id": client_id, "content": 7 }).to_string(),
        json!({ "type": "sendMessage", "room": room, "client_id": "mine", "content": "hello" }).to_string(),
        json!({ "type": "typing", "room": room, "on": "yes" }).to_string(),
        json!({ "type": "read", "room": room }).to_string(),
        r#"{"type":"sendMessage","room":"\ud800"}"#.to_owned(),
        // A list of the members, in the order in which the server happens to know them.
        json!(["followRequests"]).to_string(),
        json!(["sendMessage", room, client_id, "hello"]).to_string(),
        json!(["typing", { "room": room, "on": true }]).to_string(),
        format!(" \n{}", json!(["leaveRequest", room])),
        json!({ "type": "sendMessage", "room": room, "client_id": client_id, "content": "hello", "as": "me" })
            .to_string(),
    ] {
        let error = answer(&mut guest, Raw::text(text.clone())).await;
        assert_eq!(error["code"], "invalid", "{text}");
        assert!(error["message"].is_string());
    }
    assert_eq!(guest.join(room).await.head, 1, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_identifies_its_frame() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (room, client_id) = (json!(chat.id), json!(fresh()));
    let mut guest = app.guest_socket(&chat).await;
    for (frame, told) in [
        (json!({ "type": "fly", "room": room, "client_id": client_id }), [&room, &client_id]),
        (json!({ "type": "sendMessage", "room": room, "client_id": client_id }), [&room, &client_id]),
        (json!({ "type": "sendMessage", "room": room, "client_id": "mine", "content": "a" }), [&room, &json!("mine")]),
        (json!({ "type": "joinRequest", "room": room, "after": "x" }), [&room, &Value::Null]),
    ] {
        let error = answer(&mut guest, Raw::text(frame.to_string())).await;
        assert_eq!(error["code"], "invalid", "{frame}");
        assert_eq!([&error["room"], &error["client_id"]], told, "{frame}");
    }
    let much = json!({ "type": "fly", "room": "x".repeat(60_000) });
    let error = answer(&mut guest, Raw::text(much.to_string())).await;
    assert_eq!(error.get("room"), None, "not everything is worth repeating");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_no_id_names_nothing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (room, client_id) = (chat.id, fresh());
    let mut guest = app.guest_socket(&chat).await;
    for frame in [
        json!({ "type": "joinRequest", "room": "lobby" }),
        json!({ "type": "leaveRequest", "room": "lobby" }),
        json!({ "type": "sendMessage", "room": "lobby", "client_id": client_id, "content": "hello" }),
        json!({ "type": "updateMessage", "room": room, "client_id": client_id, "id": "1", "content": "hello" }),
        json!({ "type": "deleteMessage", "room": room, "client_id": client_id, "id": "1" }),
        json!({ "type": "typing", "room": "", "on": true }),
        json!({ "type": "read", "room": "lobby", "seq": 1 }),
    ] {
        let error = answer(&mut guest, Raw::text(frame.to_string())).await;
        assert_eq!((&error["code"], &error["room"]), (&json!("not_found"), &frame["room"]), "{frame}");
        assert_eq!(error.get("client_id"), frame.get("client_id"), "{frame}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_members_are_ignored() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    let frame = json!({ "room": chat.id, "later": [1], "type": "joinRequest", "after": null, "epoch": null });
    guest.send_text(&frame.to_string()).await;
    guest.joined(chat.id).await;
}
