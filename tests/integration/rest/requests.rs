//! Custom requests, and the conversation of each.

use std::collections::HashSet;

use bespoken::domain::{Conversation, ConversationKind, CustomRequest, RequestStatus};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_makes_a_request() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let body = json!({ "title": " Oak table ", "description": "For six.\r\nRound edges.", "budget_cents": 120_050,
        "wanted_on": "2028-02-29" });
    let made = owner.api.post("/requests", body).await.expect(201);
    assert_eq!(members(&made.json()), sorted(REQUEST));
    let request: CustomRequest = made.read();
    assert_eq!((request.customer_id, &*request.customer_name), (owner.user.id, "Owner"));
    assert_eq!((&*request.title, &*request.description), ("Oak table", "For six.\nRound edges."));
    assert_eq!((request.budget_cents, request.wanted_on.as_deref()), (Some(120_050), Some("2028-02-29")));
    assert_eq!((request.status, request.conversation_id, request.unread), (RequestStatus::New, None, 0));
    let path = format!("/requests/{}", request.id);
    for api in [&owner.api, &app.admin()] {
        assert_eq!(api.get(&path).await.expect(200).read::<CustomRequest>(), request);
        let list = api.get("/requests").await.expect(200).json();
        assert_eq!(members(&list), ["items", "next_cursor"]);
        assert_eq!((&list["items"], &list["next_cursor"]), (&json!([made.json()]), &Value::Null));
    }
    let bare = json!({ "title": "Chair", "description": "Of ash", "budget_cents": null, "wanted_on": "" });
    let bare = owner.api.post("/requests", bare).await.expect(201).json();
    assert_eq!((&bare["budget_cents"], &bare["wanted_on"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_needs_sound_fields() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let with = |name: &str, value: Value| {
        let mut body = json!({ "title": "Chair", "description": "Of ash", "customer_id": owner.user.id });
        body[name] = value;
        body
    };
    for api in [&owner.api, &app.admin()] {
        for (name, value) in [
            ("title", json!("")),
            ("title", json!(" \n ")),
            ("title", json!("a\nb")),
            ("title", json!("x".repeat(121))),
            ("description", json!(" ")),
            ("description", json!("x".repeat(8_001))),
            ("description", json!("a\u{0}b")),
            ("budget_cents", json!(-1)),
            ("budget_cents", json!(1_000_000_000_001_i64)),
            ("wanted_on", json!("tomorrow")),
            ("wanted_on", json!("2026-02-30")),
            ("wanted_on", json!("24.12.2026")),
        ] {
            let problem = api.post("/requests", with(name, value)).await.problem(422, "invalid");
            assert_eq!(problem["field"], name, "{problem}");
        }
        for body in [json!({}), json!([]), with("title", json!(7)), with("budget_cents", json!(1.5))] {
            api.post("/requests", body).await.problem(422, "invalid");
        }
        api.post("/requests", with("title", json!("é".repeat(120)))).await.expect(201);
    }
    for customer in [json!(null), json!(uuid::Uuid::now_v7()), json!(app.data.admin.id)] {
        let problem = app.admin().post("/requests", with("customer_id", customer)).await.problem(422, "invalid");
        assert_eq!(problem["field"], "customer_id", "{problem}");
    }
    assert_eq!(app.admin().get("/requests").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_filtered_sorted_and_paged() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let mut made = Vec::new();
    for (title, wanted_on) in [
        ("b & c = 100% #1", Some("2027-05-01")),
        ("B & C = 100% #1", None),
        ("_a_\"b\"", Some("2027-05-01")),
        ("Älteste Bank", Some("2026-12-24")),
        ("a/b?c+d", None),
    ] {
        let body = json!({ "title": title, "description": "Of oak", "wanted_on": wanted_on });
        made.push(owner.api.post("/requests", body).await.expect(201).read::<CustomRequest>());
    }
    app.admin().patch(&format!("/requests/{}", made[0].id), json!({ "status": "done" })).await.expect(200);

    let order = |sort: &str| match sort {
        "newest" => vec![4, 3, 2, 1, 0],
        "wanted" => vec![3, 0, 2, 1, 4],
        "title" => vec![2, 4, 3, 0, 1],
        // It was changed last; only their ids distinguish the others.
        _ => vec![0, 4, 3, 2, 1],
    };
    for sort in ["activity", "newest", "wanted", "title"] {
        let expected: Vec<_> = order(sort).into_iter().map(|place| made[place].id).collect();
        for limit in [1, 2, 5, 50] {
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut query = vec![("sort", sort.to_owned()), ("limit", limit.to_string())];
                query.extend(cursor.map(|cursor| ("cursor", cursor)));
                let page = Answer::to(owner.api.request(reqwest::Method::GET, &with_query("/requests", &query))).await;
                let page = page.expect(200).json();
                let items: Vec<CustomRequest> = serde_json::from_value(page["items"].clone()).unwrap();
                assert!(items.len() <= limit);
                seen.extend(items.into_iter().map(|request| request.id));
                cursor = page["next_cursor"].as_str().map(str::to_owned);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "by {sort}, {limit} at a time");
        }
    }
    let count = async |query: &str| {
        let list = app.admin().get(&format!("/requests?{query}")).await.expect(200).json();
        list["items"].as_array().unwrap().len()
    };
    assert_eq!((count("status=done").await, count("status=new").await, count("status=in_progress").await), (1, 4, 0));
    assert_eq!((count("q=100%25").await, count("q=%C3%84LTESTE").await, count("q=owner@").await), (2, 1, 5));
    assert_eq!((count("limit=100000").await, count("q=").await), (5, 5));
    let long = format!("q={}", "x".repeat(201));
    for query in [
        "status=lost",
        "sort=colour",
        "limit=0",
        "limit=-1",
        "limit=x",
        "cursor=x",
        "cursor=",
        "cursor=_",
        "cursor=1_2",
        &format!("cursor={}_x", made[0].id),
        &format!("cursor={}_x&sort=newest", made[0].id),
        &long,
    ] {
        app.admin().get(&format!("/requests?{query}")).await.problem(422, "invalid");
    }
}

/// A path with a query, encoded.
fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap().join(path).unwrap();
    url.query_pairs_mut().extend_pairs(query);
    format!("{}?{}", url.path(), url.query().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_for_their_customer_and_admins() {
    let app = TestApp::start().await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let request = app.request(owner.user.id, "Table").await;
    let chat = app.open("Guest").await;
    let guest = app.api(&chat.chat_id);
    let path = format!("/requests/{}", request.id);
    for stranger in [&other.api, &guest] {
        stranger.get(&path).await.problem(404, "not_found");
        stranger.patch(&path, json!({ "status": "done" })).await.problem(404, "not_found");
        stranger.post(&format!("{path}/conversation"), json!({})).await.problem(404, "not_found");
        assert_eq!(stranger.get("/requests").await.expect(200).json()["items"], json!([]));
    }
    let new = json!({ "title": "Chair", "description": "Of ash", "customer_id": owner.user.id });
    guest.post("/requests", new.clone()).await.problem(403, "forbidden");
    let own: CustomRequest = other.api.post("/requests", new).await.expect(201).read();
    assert_eq!(own.customer_id, other.user.id, "nobody makes one for somebody else");

    owner.api.patch(&path, json!({ "status": "done" })).await.problem(403, "forbidden");
    for body in [json!({}), json!({ "status": "lost" }), json!({ "status": null })] {
        app.admin().patch(&path, body).await.problem(422, "invalid");
    }
    let changed: CustomRequest = app.admin().patch(&path, json!({ "status": "declined" })).await.expect(200).read();
    assert_eq!(changed.status, RequestStatus::Declined);
    for id in ["1", "new", &fresh().to_string()] {
        app.admin().get(&format!("/requests/{id}")).await.problem(404, "not_found");
        app.admin().patch(&format!("/requests/{id}"), json!({ "status": "done" })).await.problem(404, "not_found");
        app.admin().post(&format!("/requests/{id}/conversation"), json!({})).await.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_open_the_conversation_at_once_get_the_same_one() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let request = app.request(owner.user.id, "Table").await;
    let (_, second) = app.other_admin().await;
    let callers = [owner.api.clone(), app.admin(), app.api(&second)];
    let path = format!("/requests/{}/conversation", request.id);
    let answers = join_all((0..50).map(|n| {
        let (api, path) = (callers[n % 3].clone(), path.clone());
        async move { api.post(&path, json!({})).await }
    }))
    .await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 49], vec![201]].concat());
    let ids: HashSet<_> = answers.iter().map(|answer| answer.read::<Conversation>().id).collect();
    assert_eq!(ids.len(), 1);
    let list = owner.api.get("/conversations?kind=request").await.expect(200).json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["head"]), (1, &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conversation_of_a_request_is_one_like_any_other() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let request = app.request(owner.user.id, "Table").await;
    let path = format!("/requests/{}", request.id);
    app.admin().patch(&path, json!({ "status": "in_progress" })).await.expect(200);
    let mut opened = owner.api.post(&format!("{path}/conversation"), Value::Null).await.expect(201).json();
    let event = opened.as_object_mut().unwrap().remove("last_event");
    assert_eq!(event, Some(json!({ "status_set": "in_progress" })), "it begins with what the request went through");
    assert_eq!(members(&opened), sorted(CONVERSATION));
    let opened: Conversation = serde_json::from_value(opened).unwrap();
    assert_eq!((opened.kind, opened.request_id), (ConversationKind::Request, Some(request.id)));
    assert_eq!((opened.head, opened.last_seq, opened.unread), (2, 1, 1));
    let again = app.admin().post(&format!("{path}/conversation"), json!({})).await.expect(200);
    assert_eq!(again.json()["id"], json!(opened.id));
    assert_eq!(again.json().get("link"), None, "no link is made unasked");

    let messages = format!("/conversations/{}/messages", opened.id);
    owner.api.post(&messages, json!({ "content": "Is it ready?" })).await.expect(201);
    let shown: CustomRequest = app.admin().get(&path).await.read();
    assert_eq!((shown.conversation_id, shown.unread), (Some(opened.id), 1));
    assert_eq!(shown.last_message.as_deref(), Some("Is it ready?"));

    let items = owner.api.get(&messages).await.expect(200).json()["items"].clone();
    let line = &items[0];
    assert_eq!((&line["system"], &line["content"]), (&json!(true), &json!("Status set to “In progress”.")));
    assert_eq!(line["event"], json!({ "status_set": "in_progress" }));
    assert_eq!((items[1].get("system"), items[1].get("event")), (None, None), "told only where it is true");
    for api in [&owner.api, &app.admin()] {
        let path = format!("/messages/{}", line["id"].as_str().unwrap());
        api.patch(&path, json!({ "content": "Status set to “Done”." })).await.problem(403, "forbidden");
        api.delete(&path).await.problem(403, "forbidden");
    }
    app.close(opened.id).await;
    app.admin().patch(&path, json!({ "status": "done" })).await.expect(200);
    assert_eq!(owner.api.get(&messages).await.json()["items"].as_array().unwrap().len(), 3, "told after the closing");
    owner.api.post(&messages, json!({ "content": "Thank you" })).await.problem(409, "closed");
}
