//! Pages that are opened under another name than the public URL.

use super::{ask, header, status};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_under_another_name_leads_to_the_public_url_and_nowhere_else() {
    let app = TestApp::start().await;
    let elsewhere = format!("Host: localhost:{}", app.address.port());
    for (target, path) in [
        ("/", "/"),
        ("/login?next=%2Faccount", "/login?next=%2Faccount"),
        ("/chat?chatId=made-up", "/chat?chatId=made-up"),
        ("/admin", "/admin"),
        ("/nothing", "/nothing"),
        ("//evil.example/", "//evil.example/"),
        ("http://evil.example/a", "/a"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(app.address, &[&format!("{method} {target} HTTP/1.1"), &elsewhere]).await;
            assert_eq!(status(&answer), 307, "{target}: {answer}");
            assert_eq!(header(&answer, "location"), Some(&*format!("{}{path}", app.url)));
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_and_load_balancers_come_by_any_name() {
    let app = TestApp::with_settings(|settings| settings.public_url = Some("https://chat.example.com".into())).await;
    let sign = format!("Authorization: Bearer {}", app.data.token);
    for host in [format!("Host: {}", app.address), "Host: www.example.com".into()] {
        for path in ["/healthz", "/readyz", "/api/v1/conversations", "/metrics", "/admin"] {
            let answer = ask(app.address, &[&format!("GET {path} HTTP/1.1"), &host, &sign]).await;
            assert_eq!(status(&answer), 200, "{path}: {answer}");
        }
        // What the page of an API says stays in place, too.
        let answer = ask(app.address, &["GET /api/v1/conversations HTTP/1.1", &host]).await;
        assert_eq!(status(&answer), 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_do_not_loop() {
    let app = TestApp::with_settings(|settings| {
        settings.public_url = Some("https://chat.example.com".into());
        settings.trusted_proxies = "127.0.0.1".parse().unwrap();
    })
    .await;
    let address = format!("Host: {}", app.address);
    // The proxy requests its upstream's name, or sends the wrong scheme.
    for lines in [
        ["GET /login HTTP/1.1", "Host: upstream", "Accept: */*"],
        ["GET /login HTTP/1.1", "Host: chat.example.com", "X-Forwarded-Proto: http"],
        ["GET /login HTTP/1.1", &address, "X-Forwarded-Host: upstream.example.com"],
    ] {
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(status(&ask(app.address, &lines).await));
        }
        assert_eq!(statuses, [307, 307, 307, 200, 200, 200], "{lines:?}");
    }
    // Neither are requests under the right name, or those whose proxy uses the address.
    for lines in [
        ["GET /login HTTP/1.1", "Host: chat.example.com", "X-Forwarded-Proto: https"],
        ["GET /login HTTP/1.1", "Host: chat.example.com", "Accept: */*"],
        ["GET /login HTTP/1.1", &address, "X-Forwarded-Host: chat.example.com"],
        ["GET /login HTTP/1.1", &address, "Accept: */*"],
    ] {
        assert_eq!(status(&ask(app.address, &lines).await), 200, "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_another_origin_is_rejected_with_the_public_url() {
    let app = TestApp::start().await;
    let named = app.url.replace("127.0.0.1", "localhost");
    let cookie = app.customer("Ada").await.cookie;
    let Err(answer) = Ws::connect(&app.url, &[("cookie", &cookie), ("origin", &named)]).await else {
        panic!("a socket from elsewhere was let in");
    };
    let problem = answer.problem(403, "forbidden");
    assert!(problem["detail"].as_str().unwrap().contains(&app.url), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listening_on_every_address_requires_a_public_url() {
    let dir = tempfile::tempdir().unwrap();
    let line = refused(&run_program(dir.path(), &["serve", "--listen", "0.0.0.0:0"], "").await);
    assert!(line.contains("--public-url"), "{line}");
    for url in ["http://0.0.0.0:3000", "http://[::]"] {
        let args = ["serve", "--listen", "127.0.0.1:0", "--public-url", url];
        let line = refused(&run_program(dir.path(), &args, "").await);
        assert!(line.contains("public URL"), "{line}");
    }
    assert!(!dir.path().join("data").exists(), "nothing was made");
}
