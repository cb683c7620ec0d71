use super::world::*;

async fn listed(world: &World, since: Timestamp, limit: i64) -> Vec<(Timestamp, Timestamp)> {
    world.store.list_first_answers(&world.admin, since, limit).await.unwrap()
}

pub async fn first_answers_are_listed_once_for_each_chat(world: World) {
    let long_ago = Timestamp(0);
    // Greeted before they asked, then answered twice.
    let greeted = world.room("Ada").await;
    world.post(&world.admin, greeted.id, "Welcome").await;
    let asked = world.post(&greeted.guest, greeted.id, "Is it ready?").await;
    world.post(&greeted.guest, greeted.id, "Hello?").await;
    let answer = world.post(&world.admin, greeted.id, "It is.").await;
    world.post(&world.admin, greeted.id, "And oiled.").await;
    let first = (asked.created_at, answer.created_at);
    assert_eq!(listed(&world, long_ago, 10).await, [first]);

    // A line of the server is no answer.
    let cleo = world.customer("Cleo").await;
    let request = world.request(&cleo, "Table").await;
    let about = world.open(&cleo, request.id).await;
    let asked = world.post(&cleo, about, "Which wood?").await;
    world.set_request(&world.admin, request.id, RequestStatus::InProgress).await;
    assert_eq!(listed(&world, long_ago, 10).await, [first]);
    let answer = world.post(&world.admin, about, "Oak.").await;
    let second = (asked.created_at, answer.created_at);
    assert_eq!(listed(&world, long_ago, 10).await, [second, first], "latest chats first");
    assert_eq!(listed(&world, long_ago, 1).await, [second]);

    // Waiting, and never asked.
    let waiting = world.room("Ben").await;
    world.post(&waiting.guest, waiting.id, "Anybody there?").await;
    let told = world.room("Dora").await;
    world.post(&world.admin, told.id, "It is ready.").await;
    assert_eq!(listed(&world, long_ago, 10).await, [second, first]);
    assert_eq!(listed(&world, in_an_hour(), 10).await, []);

    for outsider in [&cleo, &greeted.guest] {
        let listed = world.store.list_first_answers(outsider, long_ago, 10).await;
        assert!(matches!(listed, Err(StoreError::Forbidden)), "{listed:?}");
    }
}
