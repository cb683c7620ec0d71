//! Errors follow RFC 9457.

use reqwest::{Method, header};
use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_is_not_found() {
    let app = TestApp::start().await;
    for path in ["", "/", "/nothing", "/conversations/", "/conversations/a/b/c", "/messages"] {
        app.admin().get(path).await.problem(404, "not_found");
        app.nobody().get(path).await.problem(404, "not_found");
        app.admin().post(path, json!({})).await.problem(404, "not_found");
    }
    app.browser().get("/api/nothing").await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}", chat.id);
    for (method, path) in [(Method::PUT, path.as_str()), (Method::DELETE, "/conversations")] {
        let answer = Answer::to(app.admin().request(method, path)).await;
        answer.problem(405, "forbidden");
        assert!(answer.header("allow").contains("GET"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_none_is_invalid() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/messages", chat.id);
    let post = || app.admin().request(Method::POST, &path);
    Answer::to(post()).await.problem(422, "invalid");
    Answer::to(post().body("{}")).await.problem(422, "invalid");
    let post_json = || post().header(header::CONTENT_TYPE, "application/json");
    Answer::to(post_json().body("{")).await.problem(422, "invalid");
    Answer::to(post_json().body(vec![0xff])).await.problem(422, "invalid");
    Answer::to(post().form(&[("content", "a form")])).await.problem(422, "invalid");
    // A list of the members, in the order in which the server happens to know them.
    Answer::to(post().json(&json!(["a list", fresh(), [], null]))).await.problem(422, "invalid");
    Answer::to(app.admin().request(Method::POST, "/conversations").json(&json!(["Ada", null, null])))
        .await
        .problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_large_a_body_is_rejected_with_the_reason() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/messages", chat.id);
    for bytes in [300_000, 3_000_000] {
        app.admin().post(&path, json!({ "content": "x".repeat(bytes) })).await.problem(413, "too_large");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_answers_are_neither_cached_nor_sniffed() {
    let app = TestApp::start().await;
    for answer in [app.admin().get("/conversations").await, app.nobody().get("/conversations").await] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}
