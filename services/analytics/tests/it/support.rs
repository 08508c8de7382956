//! Events to send, and numbers to look at.

use analytics::Analytics;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

/// The id of the `n`th event of a test.
pub(crate) fn id(n: usize) -> String {
    Uuid::from_u128(0x019c_ad9c_0000_7000_8000_0000_0000_0000 | n as u128).to_string()
}

/// The `n`th event of a test.
pub(crate) fn event(n: usize, name: &str, ts: &str) -> Value {
    json!({ "event_id": id(n), "name": name, "ts": ts })
}

/// `count` events of one name at one instant.
pub(crate) fn events(count: usize, name: &str, ts: &str) -> Vec<Value> {
    (0..count).map(|n| event(n, name, ts)).collect()
}

/// Sends events that are all taken.
pub(crate) async fn send(client: &Client, events: &[Value]) -> Value {
    let sent = client.post("/api/events", json!({ "events": events }));
    sent.await.assert_status(200).json()
}

/// The overview that a client sees; `query` is what stands behind the question mark.
pub(crate) async fn overview(client: &Client, query: &str) -> Value {
    let read = client.get(&format!("/api/dashboards/overview?{query}"));
    read.await.assert_status(200).json()
}

/// One metric of an overview.
pub(crate) fn metric(overview: &Value, key: &str) -> Value {
    let metrics = overview["metrics"].as_array().unwrap();
    let found = metrics.iter().find(|metric| metric["key"] == key);
    found.unwrap().clone()
}

/// How many events of acme are stored, and how many its counts have, read past row-level security.
pub(crate) async fn stored_and_counted(app: &TestApp<Analytics>) -> (i64, i64) {
    let mut admin = app.database.admin().await;
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM analytics.tracked_events WHERE tenant_id = $1), \
                (SELECT coalesce(sum(cnt), 0)::bigint FROM analytics.counts_15m WHERE tenant_id = $1)",
    )
    .bind(app.acme.id().as_uuid())
    .fetch_one(&mut admin)
    .await
    .unwrap()
}
