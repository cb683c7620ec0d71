//! Refusals, e-mails and documents use the language of the request.

use bespoken::{protocol::ServerFrame, settings::Limits};
use reqwest::{Method, RequestBuilder, header};
use serde_json::json;

use crate::support::*;

const GERMAN: &str = "de-DE,de;q=0.9,en;q=0.5";

/// The answers to the same request without a word about the language, and to a browser that asks for German.
async fn in_both(request: impl Fn() -> RequestBuilder) -> [Answer; 2] {
    let german = request().header(header::ACCEPT_LANGUAGE, GERMAN);
    [Answer::to(request()).await, Answer::to(german).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_refused_in_the_language_of_its_page() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let sign_in = || {
        let form = browser.form("/login", &[("email", "nobody@example.com"), ("password", "wrong")]);
        form.header(header::ORIGIN, &app.url)
    };
    let [english, german] = in_both(sign_in).await.map(|page| page.expect(401).text);
    assert!(english.contains(r#"<html lang="en""#) && german.contains(r#"<html lang="de""#), "{german}");
    assert!(english.contains("This e-mail address and password do not belong together."), "{english}");
    assert!(german.contains("Diese E-Mail-Adresse und dieses Passwort gehören nicht zusammen."), "{german}");

    // Refused before the server knows the person.
    let from_elsewhere = || browser.form("/login", &[]).header(header::ORIGIN, "http://example.com");
    let [english, german] = in_both(from_elsewhere).await.map(|refused| refused.problem(403, "forbidden"));
    assert_eq!((&english["title"], &german["title"]), (&json!("Not allowed"), &json!("Nicht erlaubt")));
    assert_ne!(english["detail"], german["detail"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_and_functions_refuse_in_the_language_that_is_asked_for() {
    let app = TestApp::start().await;
    let (admin, nobody) = (app.admin(), app.nobody());
    let [english, german] = in_both(|| admin.request(Method::GET, "/conversations?limit=0"))
        .await
        .map(|refused| refused.problem(422, "invalid"));
    assert_eq!((&english["title"], &english["detail"]), (&json!("Not valid"), &json!("The limit must be at least 1.")));
    assert_eq!(
        (&german["title"], &german["detail"]),
        (&json!("Nicht gültig"), &json!("limit muss mindestens 1 sein."))
    );

    let [english, german] =
        in_both(|| nobody.request(Method::GET, "/requests")).await.map(|refused| refused.problem(401, "unauthorized"));
    assert_eq!(
        (&english["detail"], &german["detail"]),
        (&json!("Please sign in."), &json!("Bitte melden Sie sich an."))
    );

    let long = json!({ "customer_name": "x".repeat(101) });
    let [english, german] = in_both(|| admin.request(Method::POST, "/conversations").json(&long))
        .await
        .map(|refused| refused.problem(422, "invalid"));
    assert_eq!(english["detail"], "Names can be up to 100 characters long.");
    assert_eq!(german["detail"], "Namen dürfen bis zu 100 Zeichen lang sein.");

    let browser = app.admin_browser().await;
    let unknown = json!({ "id": uuid::Uuid::nil(), "before": null });
    let load = || browser.http.post(format!("{}/api/load_chat", app.url)).json(&unknown).header("origin", &app.url);
    let [english, german] = in_both(load).await.map(|refused| refused.expect(404).json());
    assert_eq!(english["message"], "There is nothing here, or you may not see it.");
    assert_eq!(german["message"], "Hier ist nichts, oder Sie dürfen es nicht sehen.");
    let misunderstood = || browser.http.post(format!("{}/api/load_chat", app.url)).json(&json!({}));
    let [english, german] =
        in_both(|| misunderstood().header("origin", &app.url)).await.map(|refused| refused.expect(422).json());
    assert_eq!(english["message"], "The server does not understand this request.");
    assert_eq!(german["message"], "Der Server versteht diesen Aufruf nicht.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_speaks_the_language_of_its_handshake() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let token = format!("Bearer {}", chat.chat_id);
    for (language, unknown, empty) in [
        ("en", "The server does not understand this frame.", "Please write some text."),
        (GERMAN, "Der Server versteht diesen Frame nicht.", "Bitte schreiben Sie etwas Text."),
    ] {
        let headers = [("authorization", token.as_str()), ("accept-language", language)];
        let mut ws = Ws::connect(&app.url, &headers).await.unwrap();
        let message = |frame| match frame {
            ServerFrame::Error { message, .. } => Some(message),
            _ => None,
        };
        ws.send_text("{}").await;
        assert_eq!(ws.wait("an error", message).await, unknown);
        // This one waits for the database first.
        ws.say(chat.id, "").await;
        assert_eq!(ws.wait("an error", message).await, empty);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_speaks_the_language_of_the_page_that_asked_for_it() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    app.customer("Owner").await;
    let browser = app.browser();
    let send = async |path, fields: &[(&str, &str)], language: &str| {
        let form = browser.form(path, fields).header(header::ORIGIN, &app.url);
        Answer::to(form.header(header::ACCEPT_LANGUAGE, language)).await
    };

    send("/forgot", &[("email", "owner@example.com")], GERMAN).await.expect(200);
    let mail = mails.next().await;
    assert!(mail.text.contains("hat ein neues Passwort für Ihr Konto bei Workshop angefordert"), "{}", mail.text);
    assert!(mail.text.contains("Guten Tag,") && !mail.text.contains("Hello"), "{}", mail.text);
    app.service.check_password_reset(&mail.secret(), std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap();
    send("/forgot", &[("email", "owner@example.com")], "en").await.expect(200);
    assert!(mails.next().await.text.contains("asked for a new password for your account at Workshop"));

    let fields = [("name", "New"), ("email", "new@example.com"), ("password", PASSWORD)];
    send("/register", &fields, GERMAN).await.expect(303);
    let mail = mails.next().await;
    assert!(mail.text.contains("Um zu bestätigen, dass es Ihre ist,"), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcript_speaks_the_language_that_is_asked_for() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (edited, gone) = (app.say(chat.id, "Soon").await, app.say(chat.id, "Never").await);
    let admin = app.admin();
    admin.patch(&format!("/messages/{}", edited.id), json!({ "content": "Tomorrow" })).await.expect(200);
    admin.delete(&format!("/messages/{}", gone.id)).await.expect(200);
    app.close(chat.id).await;

    let path = format!("/conversations/{}/transcript", chat.id);
    let [english, german] =
        in_both(|| admin.request(Method::GET, &path)).await.map(|transcript| transcript.expect(200).text);
    for part in ["Chat with Oak table\nOpened 2", "\nClosed 2", " UTC, edited)\n  Tomorrow", "\n  (deleted)\n"] {
        assert!(english.contains(part), "{part} in {english}");
    }
    for part in
        ["Chat mit Oak table\nEröffnet: 2", "\nGeschlossen: 2", " UTC, bearbeitet)\n  Tomorrow", "\n  (gelöscht)\n"]
    {
        assert!(german.contains(part), "{part} in {german}");
    }
    let page = format!("{path}?format=html");
    let [english, german] =
        in_both(|| admin.request(Method::GET, &page)).await.map(|transcript| transcript.expect(200).text);
    assert!(english.contains("<html lang=\"en\">") && english.contains("<h1>Chat with Oak table</h1>"), "{english}");
    assert!(german.contains("<html lang=\"de\">") && german.contains("<h1>Chat mit Oak table</h1>"), "{german}");
}
