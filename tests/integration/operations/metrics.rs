//! `/metrics`: its counts, and its readers.

use bespoken::settings::MetricsAccess;
use reqwest::Method;
use serde_json::json;

use crate::support::*;

async fn metrics(api: &Api) -> String {
    Answer::to(api.request_to(Method::GET, "/metrics")).await.expect(200).text
}

/// The value of a sample.
#[track_caller]
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in\n{metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_counted() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let nobody = app.nobody();
    let before = metrics(&nobody).await;
    for sample in ["sockets", "rooms", "waiting_writes", "ack_seconds_count", "sends_total{outcome=\"stored\"}"] {
        assert_eq!(value(&before, &format!("bespoken_{sample}")), 0.0, "{sample}");
    }
    assert_eq!(value(&before, &format!("bespoken_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);

    let (mut guest, _admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    let client_id = guest.say(chat.id, "Hello").await;
    guest.ack(client_id).await;
    guest.say_as(client_id, chat.id, "Hello").await;
    guest.ack(client_id).await;
    let message = app.say(chat.id, "Good morning").await;
    let edit = guest.edit(chat.id, message.id, "mine").await;
    assert_eq!(guest.refused().await.client_id, Some(edit));
    app.close(chat.id).await;
    let path = format!("/conversations/{}/messages", chat.id);
    app.admin().post(&path, json!({ "content": "too late" })).await.expect(409);

    let after = metrics(&nobody).await;
    for (sample, expected) in [
        ("sockets", 2.0),
        ("rooms", 1.0),
        ("sends_total{outcome=\"stored\"}", 2.0),
        ("sends_total{outcome=\"repeated\"}", 1.0),
        ("sends_total{outcome=\"closed\"}", 1.0),
        ("sends_total{outcome=\"forbidden\"}", 0.0),
        ("ack_seconds_count", 2.0),
        ("http_requests_total{route=\"socket\",status=\"1xx\"}", 2.0),
        ("http_requests_total{route=\"api\",status=\"4xx\"}", 1.0),
        ("socket_closes_total{code=\"4008\"}", 0.0),
    ] {
        assert_eq!(value(&after, &format!("bespoken_{sample}")), expected, "{sample}");
    }
    for sample in ["database_commit_seconds_count", "database_read_seconds_count", "database_batch_size_sum"] {
        let sample = format!("bespoken_{sample}");
        assert!(value(&after, &sample) > value(&before, &sample), "{sample}");
    }

    // A link that dies closes its sockets.
    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    guest.closed().await;
    assert_eq!(value(&metrics(&nobody).await, "bespoken_socket_closes_total{code=\"1008\"}"), 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_read_them() {
    for access in [None, Some(MetricsAccess::Local), Some(MetricsAccess::Token), Some(MetricsAccess::Public)] {
        for is_public_url in [false, true] {
            let app = TestApp::with_settings(|settings| {
                settings.metrics = access;
                settings.public_url = is_public_url.then(|| "https://chat.example.com".to_owned());
            })
            .await;
            // Where the test's own requests go; the public URL is somebody else's.
            let url = format!("http://{}", app.address);
            let body = json!({ "customer_name": "Oak table" });
            let chat = Api::new(&url, Sign::Token(app.data.token.clone())).post("/conversations", body).await;
            let link = chat.expect(201).json()["link"].as_str().unwrap().to_owned();
            let get = async |sign: Sign, header: Option<&str>| {
                let mut request = Api::new(&url, sign).request_to(Method::GET, "/metrics");
                if let Some(name) = header {
                    request = request.header(name, "203.0.113.7");
                }
                Answer::to(request).await.status
            };
            let is_local = access == Some(MetricsAccess::Local) || (access.is_none() && !is_public_url);
            let is_public = access == Some(MetricsAccess::Public);
            let status = |is_allowed| if is_allowed { 200 } else { 401 };
            let setting = format!("{access:?}, {is_public_url}");
            assert_eq!(get(Sign::Token(app.data.token.clone()), None).await, 200, "{setting}");
            assert_eq!(get(Sign::Nothing, None).await, status(is_local || is_public), "{setting}");
            for header in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
                assert_eq!(get(Sign::Nothing, Some(header)).await, status(is_public), "{header}, {setting}");
            }
            let guest = Sign::Token(link.split_once("chatId=").unwrap().1.to_owned());
            assert_eq!(get(guest, Some("via")).await, status(is_public), "{setting}");
            app.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_format_is_the_one_asked_for() {
    let app = TestApp::start().await;
    let get = || app.nobody().request_to(Method::GET, "/metrics");
    let plain = Answer::to(get()).await;
    assert!(plain.header("content-type").starts_with("text/plain; version=0.0.4"));
    let open = Answer::to(get().header("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.1")).await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(open.text.ends_with("# EOF\n"), "{}", open.text);
}
