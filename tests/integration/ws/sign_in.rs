//! Authentication of sockets.

use bespoken::domain::ParticipantKind;

use crate::support::*;

async fn refused(url: &str, headers: &[(&'static str, &str)]) -> Answer {
    match Ws::connect(url, headers).await {
        Ok(ws) => panic!("let in as {:?}", ws.user),
        Err(answer) => answer,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_needs_the_origin_of_this_server() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let cookie = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let (cookie, url) = (cookie.as_str(), app.url.as_str());

    let ws = Ws::connect(url, &[("cookie", cookie), ("origin", url)]).await.unwrap();
    assert_eq!(ws.user.kind, ParticipantKind::Guest);
    let other_port = format!("{url}1");
    let named = url.replace("127.0.0.1", "localhost");
    let secure = url.replace("http:", "https:");
    let prefixed = format!("{url}.example.com");
    for origin in ["http://example.com", "null", &other_port, &named, &secure, &prefixed, ""] {
        refused(url, &[("cookie", cookie), ("origin", origin)]).await.problem(403, "forbidden");
    }
    refused(url, &[("cookie", cookie)]).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_without_credentials_are_rejected() {
    let app = TestApp::start().await;
    let url = app.url.as_str();
    refused(url, &[]).await.problem(401, "unauthorized");
    refused(url, &[("origin", url)]).await.problem(401, "unauthorized");
    refused(url, &[("cookie", "bespoken=made-up"), ("origin", url)]).await.problem(401, "unauthorized");
    refused(url, &[("origin", "http://example.com")]).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_needs_no_origin() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let url = app.url.as_str();
    let admin = format!("Bearer {}", app.data.token);
    let guest = format!("bearer {}", chat.chat_id.to_uppercase());
    let ws = Ws::connect(url, &[("authorization", &admin)]).await.unwrap();
    assert_eq!(ws.user.kind, ParticipantKind::Admin);
    let ws = Ws::connect(url, &[("authorization", &guest)]).await.unwrap();
    assert_eq!(ws.user.kind, ParticipantKind::Guest);
    let foreign = [("authorization", admin.as_str()), ("origin", "http://example.com")];
    assert!(Ws::connect(url, &foreign).await.is_ok(), "no browser sends a token by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_rejected_despite_a_valid_cookie() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let cookie = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let url = app.url.as_str();
    for header in ["Bearer made-up", "Bearer", "Bearer ", "Basic YTpi", &format!("Bearer {}", fresh())] {
        refused(url, &[("authorization", header)]).await.problem(401, "unauthorized");
        refused(url, &[("authorization", header), ("cookie", &cookie), ("origin", url)])
            .await
            .problem(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_with_an_account_is_welcome() {
    use bespoken::domain::Role;
    let app = TestApp::start().await;
    let user = app.service.create_user("customer@example.com", "Customer", PASSWORD, Role::Customer).await.unwrap();
    let cookie = app.browser().sign_in("customer@example.com", PASSWORD).await.expect(303).cookie();
    let ws = Ws::with_cookie(&app.url, &cookie).await.unwrap();
    assert_eq!((ws.user.kind, ws.user.id), (ParticipantKind::Customer, user.id.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_upgrade_there_is_nothing_to_see() {
    let app = TestApp::start().await;
    let answer = app.browser().get("/ws").await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
}
