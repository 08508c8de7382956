//! When a tenant is gone for good, its conversations go.

use std::time::Duration;

use bz_kernel::platform;
use bz_testkit::{IdentityFeed, Tenant, TestApp, rows_of, wait_until};
use chatbot::Chatbot;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(20);

async fn cursor(app: &TestApp<Chatbot>) -> Option<String> {
    sqlx::query_scalar("SELECT cursor FROM chat.feed_cursors WHERE source = 'identity'")
        .fetch_optional(&mut app.database.admin().await)
        .await
        .unwrap()
}

async fn following(before: &TestApp<Chatbot>, feed: &IdentityFeed) -> TestApp<Chatbot> {
    let mut app = TestApp::<Chatbot>::builder()
        .beside(before)
        .sibling(&platform::IDENTITY, &feed.url)
        .env("CHAT_LLM", "off")
        .start()
        .await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn a_deleted_tenants_conversations_go_and_the_other_tenants_stay_and_once_more_does_no_harm()
{
    let chat = TestApp::<Chatbot>::builder()
        .env("CHAT_LLM", "off")
        .start()
        .await;
    for owner in [&chat.acme.owner, &chat.globex.owner] {
        let said = owner.post("/api/chat", json!({ "message": "hello" }));
        said.await.assert_status(200);
    }
    let others = rows_of(&chat.database, "chat", Tenant::Globex).await;
    let messages = others
        .iter()
        .find(|(table, _)| table == "messages")
        .unwrap();
    assert!(messages.1 > 0, "{others:?}");

    let feed = IdentityFeed::of(&chat.database).await;
    let mut first = following(&chat, &feed).await;
    feed.tell_deleted(Tenant::Acme).await;
    let gone = async || {
        let rows = rows_of(&chat.database, "chat", Tenant::Acme).await;
        rows.iter().all(|(_, count)| *count == 0)
    };
    wait_until(gone, PATIENCE).await;
    wait_until(async || cursor(&first).await.is_some(), PATIENCE).await;
    first.stop_jobs().await;
    assert_eq!(
        rows_of(&chat.database, "chat", Tenant::Globex).await,
        others
    );

    let forget = "DELETE FROM chat.feed_cursors";
    sqlx::query(forget)
        .execute(&mut chat.database.admin().await)
        .await
        .unwrap();
    let second = following(&chat, &feed).await;
    wait_until(async || cursor(&second).await.is_some(), PATIENCE).await;
    assert_eq!(
        rows_of(&chat.database, "chat", Tenant::Globex).await,
        others
    );
}
