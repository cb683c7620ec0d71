//! `--demo`: a week that has passed.

use bespoken::{
    domain::{Conversation, ConversationStatus, CustomRequest, Message, RequestStatus, Timestamp},
    storage::now,
};
use serde::Deserialize;
use serde_json::json;

use crate::support::*;

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

const DAY_MS: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_shows_the_last_week_of_a_workshop() {
    for database in Database::each().await {
        let dir = tempfile::tempdir().unwrap();
        let url = match &database {
            Database::Sqlite => format!("sqlite://{}", dir.path().join("chat.db").display()),
            Database::Postgres(database) => database.url().await,
        };
        let program = Program::serve(dir.path(), &["--demo", "--database-url", &url], &[]).await;
        let token = ["token", "create", "--email", "admin@demo.invalid", "--database-url", &url];
        let token = succeeded(&run_program(dir.path(), &token, "").await).trim().to_owned();
        let api = Api::new(&program.url, Sign::Token(token));
        let is_past = |time: Timestamp| time <= now() && time.0 > now().0 - 8 * DAY_MS;

        let chats: Page<Conversation> = api.get("/conversations?limit=200").await.expect(200).read();
        let closed = chats.items.iter().filter(|chat| chat.status == ConversationStatus::Closed).count();
        let unread = chats.items.iter().filter(|chat| chat.unread > 0).count();
        assert_eq!((chats.items.len(), closed, unread), (10, 2, 2), "{}", database.name());
        let (mut pictures, mut days) = (0, std::collections::BTreeSet::new());
        for chat in &chats.items {
            assert!(is_past(chat.created_at) && is_past(chat.updated_at), "{chat:?}");
            let path = format!("/conversations/{}/messages", chat.id);
            let messages: Page<Message> = api.get(&path).await.expect(200).read();
            assert!(
                messages.items.is_sorted_by_key(|message| message.created_at),
                "{messages:?}",
                messages = messages.items
            );
            for message in &messages.items {
                assert!(is_past(message.created_at), "{message:?}");
                days.insert(message.created_at.date());
                for file in &message.attachments {
                    pictures += 1;
                    assert!(file.width.is_some() && file.size_bytes < 10_000, "{file:?}");
                    api.get(&format!("/attachments/{}?size=preview", file.id)).await.expect(200);
                }
            }
        }
        assert_eq!((pictures, days.len() >= 6), (2, true));

        let requests: Page<CustomRequest> = api.get("/requests").await.expect(200).read();
        let mut statuses: Vec<_> = requests.items.iter().map(|request| request.status.word()).collect();
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [RequestStatus::Done, RequestStatus::InProgress, RequestStatus::New].map(RequestStatus::word)
        );
        assert_eq!(requests.items.iter().map(|request| request.attachments.len()).sum::<usize>(), 1);
        assert!(requests.items.iter().all(|request| is_past(request.created_at) && is_past(request.updated_at)));

        // The clock is right again.
        let path = format!("/conversations/{}/messages", chats.items[0].id);
        let sent: Message = api.post(&path, json!({ "content": "Now" })).await.expect(201).read();
        assert!(now().0 - sent.created_at.0 < DAY_MS / 24, "{sent:?}");
        program.stop().await;
    }
}
