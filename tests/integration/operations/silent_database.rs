//! A balancer and a customer while the database says nothing.

use std::time::Duration;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_reports_a_silent_database_and_its_return_within_five_seconds() {
    let Some(database) = TestDatabase::create().await else { return };
    let (silence, url) = database.behind_silence().await;
    let app = TestApp::on(Database::Postgres(database), |settings| settings.database.database_url = url).await;
    let browser = Browser::new(&app.url);
    browser.get("/readyz").await.expect(200);
    silence.fall(true);
    for _ in 0..2 {
        let told = tokio::time::timeout(Duration::from_secs(5), browser.get("/readyz")).await;
        let told = told.expect("the truth in time").expect(503);
        assert!(told.text.contains("the database does not answer"), "{}", told.text);
    }
    browser.get("/healthz").await.expect(200);
    silence.end();
    in_time("it is ready again", async { while browser.get("/readyz").await.status != 200 {} }).await;
    let chat = in_time("a chat", app.open("Oak table")).await;
    app.say(chat.id, "Good morning").await;
}
