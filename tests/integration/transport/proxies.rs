//! The address of a client behind a proxy, which counts wrong tokens.

use reqwest::Method;

use crate::support::*;

const FORWARDED_FOR: &str = "x-forwarded-for";

async fn guess(app: &TestApp, header: &str, value: &str) -> u16 {
    let request = app.api("a wrong token").request(Method::GET, "/conversations").header(header, value);
    Answer::to(request).await.status
}

async fn start(trusted: &str) -> TestApp {
    TestApp::with_settings(|settings| {
        settings.limits.link_guesses = 3;
        settings.trusted_proxies = trusted.parse().unwrap();
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guesser_behind_a_proxy_does_not_lock_out_others() {
    for header in [FORWARDED_FOR, "forwarded"] {
        let app = start("127.0.0.0/8, 10.0.0.0/8").await;
        let client = |address: &str| match header {
            FORWARDED_FOR => address.to_owned(),
            _ => format!("for={address};proto=https"),
        };
        for _ in 0..3 {
            assert_eq!(guess(&app, header, &client("192.0.2.1")).await, 401);
        }
        assert_eq!(guess(&app, header, &client("192.0.2.1")).await, 429);
        // Regardless of forged values in front of it, and for each trusted proxy.
        let forged = format!("{}, {}, {}", client("198.51.100.7"), client("192.0.2.1"), client("10.0.0.7"));
        assert_eq!(guess(&app, header, &forged).await, 429);
        assert_eq!(guess(&app, header, &client("192.0.2.2")).await, 401, "others are not held back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_forge_its_address() {
    for (trusted, header) in [("", FORWARDED_FOR), ("", "forwarded"), ("192.0.2.0/24", FORWARDED_FOR)] {
        let app = start(trusted).await;
        let mut statuses = Vec::new();
        for last in 1..=4 {
            let value = if header == FORWARDED_FOR { format!("192.0.2.{last}") } else { format!("for=192.0.2.{last}") };
            statuses.push(guess(&app, header, &value).await);
        }
        assert_eq!(statuses, [401, 401, 401, 429], "{trusted} {header}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_proxies_that_makes_no_sense_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let output = run_program(dir.path(), &["serve", "--trusted-proxies", "10.0.0.0/8,proxy.example"], "").await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("proxy.example is neither an IP address nor a network"));
}
