//! The log: the lines that identify a request, and the secrets that it must never contain.

use serde_json::Value;

use crate::support::*;

/// All lines of the server itself, and the warnings of its libraries.
const ALL: (&str, &str) = ("RUST_LOG", "warn,bespoken=trace");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_identifies_requests_and_contains_no_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let password = "a password that nobody may read";
    let args = ["admin", "create", "--email", "admin@example.com", "--name", "Admin"];
    succeeded(&run_program(dir.path(), &args, password).await);
    let token = succeeded(&run_program(dir.path(), &["token", "create", "--email", "admin@example.com"], "").await);
    let token = token.trim();

    for format in ["json", "text"] {
        let server = Program::serve(dir.path(), &["--log-format", format], &[ALL]).await;
        let browser = Browser::new(&server.url);
        let cookie = browser.sign_in("admin@example.com", password).await.expect(303).cookie();
        browser.sign_in("admin@example.com", "a password that is wrong").await.expect(401);
        let api = Api::new(&server.url, Sign::Token(token.to_owned()));
        let body = serde_json::json!({ "customer_name": "Wilhelmina Example", "customer_email": "w@example.com" });
        let chat = api.post("/conversations", body).await.expect(201).json();
        let chat_id = chat["link"].as_str().unwrap().split_once("chatId=").unwrap().1.to_owned();
        let opened = Browser::new(&server.url).get(&format!("/chat?chatId={chat_id}")).await.expect(303);
        let mut guest = Ws::with_token(&server.url, &chat_id).await.unwrap();
        let room = serde_json::from_value(chat["id"].clone()).unwrap();
        guest.join(room).await;
        guest.post(room, "walnut with brass feet").await;
        api.get("/search?q=walnut").await.expect(200);
        let named = api.request(reqwest::Method::GET, "/conversations").header("x-request-id", "from-the-proxy");
        assert_eq!(Answer::to(named).await.header("x-request-id"), "from-the-proxy");

        let log = server.stop().await;
        for id in ["from-the-proxy", opened.header("x-request-id"), &guest.connection_id.to_string()] {
            assert!(log.contains(id), "{id} is missing in\n{log}");
        }
        let cookie = cookie.split_once('=').unwrap().1;
        for secret in [
            password,
            "a password that is wrong",
            token,
            cookie,
            &chat_id,
            "chatId",
            "walnut",
            "Wilhelmina",
            "w@example.com",
            opened.cookie().split_once('=').unwrap().1,
        ] {
            assert!(!log.contains(secret), "{secret} stands in\n{log}");
        }
        if format == "json" {
            let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
            let named = |line: &&Value| line["span"]["request_id"] == "from-the-proxy";
            let answered = lines.iter().find(named).unwrap();
            assert_eq!(
                (&answered["status"], &answered["span"]["path"]),
                (&200.into(), &"/api/v1/conversations".into())
            );
        }
    }
}
