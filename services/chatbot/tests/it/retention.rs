//! Conversations that have served their time are deleted, and no others.

use bz_service::retention::BATCH;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn old_conversations_go_with_everything_in_them_and_those_in_use_stay() {
    let world = World::start().await;
    let mut old = world.talk();
    old.ask("add a todo: call Ada").await;
    let elsewhere = world
        .chat
        .globex
        .owner
        .post("/api/chat", json!({ "message": "hello" }));
    elsewhere.await.assert_status(200);
    world.chat.clock.advance(TimeDelta::days(10));
    let mut used = world.talk();
    used.ask("hello").await;
    // The clock of tests begins on 2 March.
    let before: chrono::DateTime<chrono::Utc> = "2026-03-07T09:00:00Z".parse().unwrap();
    let mut tx = world.chat.db().system().await.unwrap();
    let gone: i64 = sqlx::query_scalar("SELECT chat.purge_conversations($1, $2)")
        .bind(before)
        .bind(BATCH)
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone, 2);
    let listed = world.chat.acme.owner.get("/api/conversations").await.json();
    let ids: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [&json!(used.conversation)]);
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM chat.actions) + (SELECT count(*) FROM chat.messages)",
    )
    .fetch_one(&mut world.chat.database.admin().await)
    .await
    .unwrap();
    assert_eq!(left, 2);
}
