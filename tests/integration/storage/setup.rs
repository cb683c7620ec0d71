use super::world::*;

pub async fn the_first_admin_is_made_once(backend: impl Backend) {
    let store = backend.store();
    assert!(!store.has_admin().await.unwrap());
    let attempts: Vec<_> = (0..8)
        .map(|n| {
            let store = backend.store();
            let new = new_user(&format!("admin{n}@example.com"), "First", Role::Admin);
            tokio::spawn(async move { store.create_first_admin(new).await.unwrap() })
        })
        .collect();
    let mut made = Vec::new();
    for attempt in attempts {
        made.extend(attempt.await.unwrap());
    }
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].role, Role::Admin);
    assert!(store.has_admin().await.unwrap());
    assert_eq!(store.find_user_by_email(&made[0].email).await.unwrap().unwrap().0, made[0]);
}

pub async fn the_first_admin_needs_a_free_email(backend: impl Backend) {
    let store = backend.store();
    store.create_user(new_user("ben@example.com", "Ben", Role::Customer)).await.unwrap();
    let new = new_user("ben@example.com", "Ben", Role::Admin);
    assert_err!(store.create_first_admin(new).await, StoreError::EmailTaken);
    assert!(!store.has_admin().await.unwrap());
}

pub async fn the_first_admin_uses_up_the_secret(backend: impl Backend) {
    let store = backend.store();
    let secret = hash();
    store.put_setup_secret(secret).await.unwrap();
    // The first is an admin, regardless of the requested role.
    let first = store.create_first_admin(new_user("ada@example.com", "Ada", Role::Customer)).await.unwrap().unwrap();
    assert_eq!(first.role, Role::Admin);
    assert!(!store.is_setup_secret(secret).await.unwrap());
}
