//! Posting, listing, editing, deleting, reading.

use bespoken::domain::Message;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posting_answers_201_the_same_again_200_and_something_else_under_its_client_id_409() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/messages", chat.id));
    let client_id = fresh();
    let body = json!({ "content": " hello ", "client_id": client_id });
    let first = guest.post(&path, body.clone()).await.expect(201);
    assert_eq!(members(&first.json()), sorted(MESSAGE));
    let message: Message = first.read();
    assert_eq!((message.content.as_str(), message.seq, message.rev), ("hello", 1, 2));
    assert_eq!((message.client_id, message.conversation_id), (Some(client_id), chat.id));
    assert_eq!(first.json()["sender_type"], "customer");
    assert_eq!(first.json()["attachments"], json!([]));
    assert_eq!(guest.post(&path, body.clone()).await.expect(200).read::<Message>(), message);
    let other = json!({ "content": "goodbye", "client_id": client_id });
    guest.post(&path, other.clone()).await.problem(409, "conflict");
    let edited = guest.patch(&format!("/messages/{}", message.id), json!({ "content": "goodbye" })).await.expect(200);
    assert_eq!(guest.post(&path, body).await.expect(200).read::<Message>(), edited.read::<Message>());
    guest.post(&path, other).await.problem(409, "conflict");

    for number in 0..2 {
        let answer = guest.post(&path, json!({ "content": "no client id" })).await.expect(201).json();
        assert_eq!((&answer["seq"], &answer["client_id"]), (&json!(number + 2), &Value::Null));
    }
    let ours = app.say(chat.id, "from the admin").await;
    assert_eq!((ours.seq, ours.sender_id, ours.sender_name.as_str()), (4, app.data.admin.id.into(), "Admin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_checked() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/messages", chat.id));
    for content in ["", "  \n", "\0", &"x".repeat(8_001)] {
        let problem = guest.post(&path, json!({ "content": content })).await.problem(422, "invalid");
        assert_eq!(problem["field"], "content");
    }
    for body in [
        json!({}),
        json!({ "content": null }),
        json!({ "content": "a", "client_id": "mine" }),
        json!({ "content": "a", "attachment_ids": [fresh()] }),
    ] {
        guest.post(&path, body).await.problem(422, "invalid");
    }
    guest.post(&path, json!({ "content": "🙂".repeat(8_000) })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_paged_backwards_without_gap_or_repeat() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 120).await;
    for limit in [1, 7, 50, 120, 200] {
        let mut seen: Vec<i64> = Vec::new();
        let mut before = String::new();
        loop {
            let path = format!("/conversations/{}/messages?limit={limit}{before}", chat.id);
            let page = app.admin().get(&path).await.expect(200).json();
            assert_eq!(members(&page), ["epoch", "head", "items", "next_before_seq"]);
            assert_eq!(page["head"], 121);
            let seqs: Vec<_> =
                page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_i64().unwrap()).collect();
            assert!(seqs.len() <= limit && seqs.is_sorted());
            seen.splice(0..0, seqs);
            match page["next_before_seq"].as_i64() {
                Some(seq) => before = format!("&before_seq={seq}"),
                None => break,
            }
        }
        assert!(seen.iter().copied().eq(1..=120), "limit {limit}");
    }
    let path = format!("/conversations/{}/messages", chat.id);
    let page = app.admin().get(&path).await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_before_seq"]), (50, &json!(71)));
    assert_eq!(page["items"][0].as_object().map(|item| item.len()), Some(MESSAGE.len()));
    assert_eq!(page["epoch"], json!(app.service.epoch()));
    for query in ["limit=0", "limit=x", "before_seq=x", "after_rev=x", "before_seq=1&after_rev=1"] {
        app.admin().get(&format!("{path}?{query}")).await.problem(422, "invalid");
    }
    for query in ["before_seq=1", "before_seq=-5", "after_rev=121", "after_rev=9999"] {
        let page = app.admin().get(&format!("{path}?{query}")).await.expect(200).json();
        assert_eq!((&page["items"], &page["next_before_seq"]), (&json!([]), &Value::Null), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_after_a_rev_are_in_the_order_of_revs() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 30).await;
    let first =
        app.api(&chat.chat_id).get(&format!("/conversations/{}/messages?limit=200", chat.id)).await.json()["items"][0]
            ["id"]
            .as_str()
            .unwrap()
            .to_owned();
    app.admin().patch(&format!("/messages/{first}"), json!({ "content": "changed" })).await.expect(200);
    let mut revs = Vec::new();
    let mut after = 0;
    loop {
        let path = format!("/conversations/{}/messages?limit=8&after_rev={after}", chat.id);
        let page = app.admin().get(&path).await.expect(200).json();
        let part: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["rev"].as_i64().unwrap()).collect();
        let Some(last) = part.last() else { break };
        after = *last;
        revs.extend(part);
    }
    assert!(revs.into_iter().eq(3..=32), "the first message has moved to the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn editing_and_deleting() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, admin) = (app.api(&chat.chat_id), app.admin());
    let theirs = app.post(&chat.chat_id, chat.id, "120 cm").await;
    let ours = app.say(chat.id, "noted").await;
    let (their_path, our_path) = (format!("/messages/{}", theirs.id), format!("/messages/{}", ours.id));

    let edited: Message = guest.patch(&their_path, json!({ "content": "140 cm" })).await.expect(200).read();
    assert_eq!((edited.content.as_str(), edited.seq, edited.rev), ("140 cm", 1, 4));
    admin.patch(&their_path, json!({ "content": "160 cm" })).await.problem(403, "forbidden");
    guest.patch(&our_path, json!({ "content": "paid" })).await.problem(403, "forbidden");
    guest.delete(&our_path).await.problem(403, "forbidden");
    guest.patch(&their_path, json!({ "content": "" })).await.problem(422, "invalid");
    guest.patch(&their_path, json!({})).await.problem(422, "invalid");

    let deleted: Message = admin.delete(&their_path).await.expect(200).read();
    assert_eq!((deleted.content.as_str(), deleted.rev, deleted.deleted_at.is_some()), ("", 5, true));
    assert_eq!(guest.delete(&their_path).await.expect(200).read::<Message>(), deleted);
    guest.patch(&their_path, json!({ "content": "back" })).await.problem(404, "not_found");
    let page = guest.get(&format!("/conversations/{}/messages", chat.id)).await.json();
    assert_eq!(page["items"][0], json!(deleted), "it keeps its place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_conversation_is_read_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/messages", chat.id));
    let body = json!({ "content": "in time", "client_id": fresh() });
    let message: Message = guest.post(&path, body.clone()).await.expect(201).read();
    app.close(chat.id).await;
    for by in [&guest, &app.admin()] {
        by.post(&path, json!({ "content": "too late" })).await.problem(409, "closed");
    }
    let message_path = format!("/messages/{}", message.id);
    guest.patch(&message_path, json!({ "content": "changed" })).await.problem(409, "closed");
    guest.delete(&message_path).await.problem(409, "closed");
    guest.post(&path, body).await.expect(200);
    guest.get(&path).await.expect(200);
    guest.post(&format!("/conversations/{}/read", chat.id), json!({ "seq": 1 })).await.expect(204);
    app.reopen(chat.id).await;
    guest.post(&path, json!({ "content": "thank you" })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_moves_the_receipt_and_the_unread_count() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 5).await;
    let guest = app.api(&chat.chat_id);
    let (path, read) = (format!("/conversations/{}", chat.id), format!("/conversations/{}/read", chat.id));
    for (seq, unread) in [(0, 5), (2, 3), (1, 3), (999, 0), (3, 0)] {
        guest.post(&read, json!({ "seq": seq })).await.expect(204);
        assert_eq!(guest.get(&path).await.json()["unread"], unread, "after reading {seq}");
    }
    guest.post(&read, json!({ "seq": -1 })).await.problem(422, "invalid");
    guest.post(&read, json!({})).await.problem(422, "invalid");
    assert_eq!(app.admin().get(&path).await.json()["head"], 6, "reading is no change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_messages_length_is_that_of_the_stored_text() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/messages", chat.id);
    let lines = format!("{}x", "1234567\r\n".repeat(1_000));
    let long = &lines[..lines.len() - 2];
    let stored: Message = app.admin().post(&path, json!({ "content": long })).await.expect(201).read();
    assert_eq!(stored.content.chars().count(), 7_999);
    let full = format!("{}\r\n", "x\r\n".repeat(4_000));
    let stored: Message = app.admin().post(&path, json!({ "content": full })).await.expect(201).read();
    assert_eq!(stored.content.chars().count(), 7_999);
    let browser = app.guest_browser(&chat).await;
    let exact = format!("{}yz", "x\r\n".repeat(3_999));
    browser.submit(&format!("/chat/{}", chat.id), &[("content", &exact)]).await.expect(303);
    let over = format!("{exact}!");
    browser.submit(&format!("/chat/{}", chat.id), &[("content", &over)]).await.expect(422);
    for invisible in ["\u{200b}", "\u{3164}\u{2800}", "\u{202e}\u{2066}", "\u{e0041}"] {
        app.admin().post(&path, json!({ "content": invisible })).await.problem(422, "invalid");
    }
}
