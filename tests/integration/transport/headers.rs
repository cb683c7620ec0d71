//! Headers that a request must have, and those that every answer has.

use super::{ask, header, status};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_exactly_one_host() {
    let app = TestApp::start().await;
    for path in ["/", "/login", "/healthz", "/metrics", "/api/v1/conversations", "/ws", "/nothing", "/favicon.svg"] {
        let get = format!("GET {path} HTTP/1.1");
        for hosts in [
            &[][..],
            &["Host:"],
            &["Host: a b"],
            &["Host: me@h"],
            &["Host: a/b"],
            &["Host: h", "Host: h"],
            &["Host: \u{e9}"],
        ] {
            let answer = ask(app.address, &[&[&*get], hosts].concat()).await;
            assert_eq!(status(&answer), 400, "{path} {hosts:?}: {answer}");
        }
    }
    assert_eq!(status(&ask(app.address, &["GET http://h/ HTTP/1.1"]).await), 400);
    assert_eq!(status(&ask(app.address, &["GET / HTTP/1.0"]).await), 400);
    // As load balancers ask.
    assert_eq!(status(&ask(app.address, &["GET /healthz HTTP/1.0"]).await), 200);
    assert_eq!(status(&ask(app.address, &["GET /healthz HTTP/1.1", "Host: [::1]:80"]).await), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_excludes_other_sites_and_plain_http() {
    for is_https in [true, false] {
        let app = TestApp::with_settings(|settings| {
            settings.public_url = is_https.then(|| "https://chat.example.com".to_owned());
        })
        .await;
        let host = format!("Host: {}", app.address);
        let mut answers = Vec::new();
        for path in ["/", "/login", "/account", "/nothing", "/healthz", "/readyz", "/metrics", "/ws", "/pkg/none.js"] {
            answers.push(ask(app.address, &[&format!("GET {path} HTTP/1.1"), &host]).await);
        }
        for path in ["/api/v1/conversations", "/api/v1/openapi.json", "/api/none", "/docs/api"] {
            answers.push(ask(app.address, &[&format!("GET {path} HTTP/1.1"), &host]).await);
        }
        answers.push(ask(app.address, &["GET / HTTP/1.1"]).await);
        answers.push(ask(app.address, &["GET / HTTP/1.1", "Host: www.example.com"]).await);
        answers.push(ask(app.address, &["POST /login HTTP/1.1", &host, "Origin: http://evil.example"]).await);
        for answer in answers {
            for (name, value) in [
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(header(&answer, name), Some(value), "{answer}");
            }
            assert!(
                header(&answer, "permissions-policy").is_some_and(|policy| policy.contains("camera=()")),
                "{answer}"
            );
            let hsts = header(&answer, "strict-transport-security");
            assert_eq!(hsts, is_https.then_some("max-age=31536000"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_key_is_sixteen_bytes() {
    let app = TestApp::start().await;
    let sign = format!("Authorization: Bearer {}", app.data.token);
    let upgrade = async |keys: &[&str]| {
        let lines: Vec<_> = keys.iter().map(|key| format!("Sec-WebSocket-Key: {key}\r\n")).collect();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: h\r\n{sign}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\n{}\r\n",
            lines.concat()
        );
        status(&super::head(&mut super::sent(app.address, &request).await).await)
    };
    for key in ["AAAAAAAAAAAAAAAAAAAAAA==", "dGhlIHNhbXBsZSBub25jZQ==", "//////////++++++++++/w=="] {
        assert_eq!(upgrade(&[key]).await, 101, "{key}");
    }
    for key in [
        "",
        "x",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAB==",
        "AAAAAAAAAAAAAAAAAAAAA-==",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "dGhlIHNhbXBsZSBu b25jZQ==",
    ] {
        assert_eq!(upgrade(&[key]).await, 400, "{key}");
    }
    assert_eq!(upgrade(&[]).await, 400);
    assert_eq!(upgrade(&["AAAAAAAAAAAAAAAAAAAAAA==", "dGhlIHNhbXBsZSBub25jZQ=="]).await, 400);
}
