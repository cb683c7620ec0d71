//! Files of custom requests; requests edited and withdrawn by their customers.

use bespoken::{
    domain::{Attachment, CustomRequest, RequestId, RequestStatus},
    protocol::{ClientFrame, ServerFrame},
};
use reqwest::Method;
use serde_json::json;

use crate::support::*;

async fn files(api: &Api, request: RequestId) -> Vec<String> {
    let request: CustomRequest = api.get(&format!("/requests/{request}")).await.expect(200).read();
    request.attachments.into_iter().map(|file| file.name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_request_is_stored_once_and_outlives_a_restart() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let mut admin = app.admin_socket().await;
    admin.send(ClientFrame::FollowRequests).await;
    admin.settled().await;
    let request = app.request(owner.user.id, "Shelf").await.id;
    let path = format!("/requests/{request}");
    let put = owner.api.upload(&format!("{path}/attachments"), "alcove.pdf", "text/html", b"%PDF-1.7 plan").await;
    let file: Attachment = put.expect(201).read();
    assert_eq!((&*file.name, &*file.media_type, file.size_bytes), ("alcove.pdf", "application/pdf", 13));
    // One for the request itself, one for its file.
    for _ in 0..2 {
        let changed = |frame| matches!(frame, ServerFrame::Request { id, .. } if id == request).then_some(());
        admin.wait("a change of the request", changed).await;
    }
    let again = owner.api.upload(&format!("{path}/attachments"), "alcove.pdf", "text/html", b"%PDF-1.7 plan").await;
    assert_eq!(again.expect(201).read::<Attachment>(), file, "the same file again");
    assert_eq!(app.stored_files().len(), 1);
    let other = owner.api.upload(&format!("{path}/attachments"), "alcove.pdf", "text/html", b"%PDF-1.7 flat").await;
    assert_ne!(other.expect(201).read::<Attachment>().id, file.id, "another content");

    let app = app.stop().await.start().await;
    let shown: CustomRequest = app.admin().get(&path).await.expect(200).read();
    assert_eq!((shown.attachments.len(), &shown.attachments[0]), (2, &file));
    let fetched = app.admin().request(Method::GET, &format!("/attachments/{}", file.id)).send().await.unwrap();
    assert_eq!(fetched.headers()["content-disposition"], "attachment; filename*=UTF-8''alcove.pdf");
    assert_eq!(in_time("the file", fetched.bytes()).await.unwrap(), &b"%PDF-1.7 plan"[..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_form_takes_files_and_loses_nothing_when_it_is_sent_twice() {
    let app = TestApp::with(|limits| limits.attachment_bytes = 1_000_000).await;
    let owner = app.customer("Owner").await;
    let browser = app.browser();
    browser.sign_in(owner.user.email.as_str(), PASSWORD).await.expect(303);
    let fields = |key: &'static str| {
        [("form_key", key), ("title", "Shelf"), ("description", "For the alcove"), ("budget", "680"), ("wanted_on", "")]
    };
    let first = fields("0190a5a0-0000-7000-8000-000000000001");
    let drawings: [(&str, &str, &[u8]); 2] = [("a.txt", "text/plain", b"one"), ("b.txt", "text/plain", b"two")];
    let mut places = Vec::new();
    for _ in 0..2 {
        let answer = browser.submit_files("/requests/new", &first, &drawings).await.expect(303);
        places.push(answer.header("location").to_owned());
    }
    assert_eq!(places[0], places[1], "sent twice, it is one request");
    let id: RequestId = places[0].strip_prefix("/requests/").unwrap().parse().unwrap();
    assert_eq!(files(&app.admin(), id).await, ["a.txt", "b.txt"]);
    let page = browser.get(&places[0]).await.expect(200);
    assert!(page.text.contains("a.txt") && page.text.contains("b.txt"));

    // No file was chosen, and a browser without scripts sends an empty part.
    let second = fields("0190a5a0-0000-7000-8000-000000000002");
    let answer = browser.submit_files("/requests/new", &second, &[("", "text/plain", b"")]).await.expect(303);
    let bare: RequestId = answer.header("location").strip_prefix("/requests/").unwrap().parse().unwrap();
    assert!(files(&app.admin(), bare).await.is_empty());

    // A wrong field comes back with everything typed; nothing is stored.
    let mut wrong = fields("0190a5a0-0000-7000-8000-000000000003");
    wrong[3].1 = "a lot";
    let answer = browser.submit_files("/requests/new", &wrong, &drawings).await.expect(422);
    assert!(answer.text.contains("For the alcove") && answer.text.contains("a lot"));

    // A file that is too large does not undo the request, whose page shows the reason.
    let third = fields("0190a5a0-0000-7000-8000-000000000004");
    let large = vec![b'x'; 1_000_001];
    let answer = browser
        .submit_files(
            "/requests/new",
            &third,
            &[("ok.txt", "text/plain", b"fine"), ("large.txt", "text/plain", &large)],
        )
        .await
        .expect(413);
    assert!(answer.text.contains("Files can have up to") && answer.text.contains("ok.txt"), "{}", answer.text);
    let all = app.admin().get("/requests").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);

    // More files, from the request's page.
    let add = |file: (&'static str, &'static str, &'static [u8])| {
        let browser = &browser;
        let path = format!("{}/files", places[0]);
        async move { browser.submit_files(&path, &[], &[file]).await }
    };
    add(("c.txt", "text/plain", b"three")).await.expect(303);
    add(("", "text/plain", b"")).await.expect(422);
    assert_eq!(files(&app.admin(), id).await, ["a.txt", "b.txt", "c.txt"]);
    app.admin().patch(&format!("/requests/{id}"), json!({ "status": "done" })).await.expect(200);
    add(("d.txt", "text/plain", b"four")).await.expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_edits_and_withdraws_a_new_request() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let request = app.request(owner.user.id, "Shelf").await;
    let path = format!("/requests/{}", request.id);
    let edited: CustomRequest =
        owner.api.patch(&path, json!({ "title": "Wide shelf", "budget_cents": 70_000 })).await.expect(200).read();
    assert_eq!((&*edited.title, &edited.description), ("Wide shelf", &request.description));
    assert_eq!((edited.budget_cents, edited.edited_at.is_some()), (Some(70_000), true));
    let cleared: CustomRequest = owner.api.patch(&path, json!({ "budget_cents": null })).await.expect(200).read();
    assert_eq!((&*cleared.title, cleared.budget_cents), ("Wide shelf", None));
    owner.api.patch(&path, json!({ "title": "" })).await.problem(422, "invalid");
    owner.api.patch(&path, json!({})).await.problem(422, "invalid");
    owner.api.patch(&path, json!({ "title": "A", "status": "declined" })).await.problem(422, "invalid");
    owner.api.patch(&path, json!({ "status": "done" })).await.problem(403, "forbidden");
    app.admin().patch(&path, json!({ "title": "A" })).await.problem(403, "forbidden");

    let browser = app.browser();
    browser.sign_in(owner.user.email.as_str(), PASSWORD).await.expect(303);
    let page = browser.get(&format!("{path}/edit")).await.expect(200);
    assert!(page.text.contains("Wide shelf"));
    let fields = [("title", "Corner shelf"), ("description", "Of ash"), ("budget", "1.5"), ("wanted_on", "")];
    browser.submit(&format!("{path}/edit"), &fields).await.expect(303);
    let shown: CustomRequest = app.admin().get(&path).await.read();
    assert_eq!((&*shown.title, &*shown.description, shown.budget_cents), ("Corner shelf", "Of ash", Some(150)));

    browser.submit(&format!("{path}/withdraw"), &[]).await.expect(303);
    let shown: CustomRequest = app.admin().get(&path).await.read();
    assert_eq!(shown.status, RequestStatus::Declined);
    assert!(browser.get(&path).await.expect(200).text.contains("Withdrawn"));
    browser.submit(&format!("{path}/edit"), &fields).await.expect(409);
    owner.api.patch(&path, json!({ "title": "Late" })).await.problem(409, "conflict");
}
