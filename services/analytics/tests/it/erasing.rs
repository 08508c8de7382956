//! `DELETE /api/events?actor_id=` and the job behind it.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use serde_json::{Value, json};

use crate::support::{event, metric, overview, send, stored_and_counted};

const PATIENCE: Duration = Duration::from_secs(30);

fn by(n: usize, actor: &str, ts: &str) -> Value {
    let mut event = event(n, "page_view", ts);
    event["actor_id"] = json!(actor);
    event["path"] = json!("/pricing");
    event
}

async fn number(app: &TestApp<Analytics>, sql: &str) -> i64 {
    let mut admin = app.database.admin().await;
    sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
}

#[tokio::test]
async fn what_an_actor_did_is_gone_from_events_counts_and_sketches() {
    let mut app = TestApp::<Analytics>::start().await;
    let batch = [
        by(0, "ada", "2026-03-02T08:00:00Z"),
        by(1, "bob", "2026-03-02T08:00:00Z"),
        by(2, "ada", "2025-06-01T23:59:59Z"),
        by(3, "ada lovelace", "2025-06-01T23:59:59Z"),
    ];
    send(&app.acme.member, &batch).await;
    send(&app.globex.member, &batch).await;
    let ordered = app
        .acme
        .owner
        .delete("/api/events?actor_id=ada")
        .await
        .assert_status(202);
    let path = ordered.header("location").unwrap().to_owned();
    assert_eq!(
        (&ordered.json()["status"], &ordered.json()["deleted"]),
        (&json!("queued"), &json!(0))
    );
    app.start_jobs();
    let done = async || app.acme.owner.get(&path).await.json()["status"] == "succeeded";
    wait_until(done, PATIENCE).await;
    let seen = app.acme.owner.get(&path).await.json();
    assert_eq!(
        (&seen["deleted"], seen["finished_at"].is_string()),
        (&json!(2), true)
    );
    assert_eq!(stored_and_counted(&app).await.0, 2);
    let overview = overview(&app.acme.viewer, "days=365").await;
    assert_eq!(metric(&overview, "other_events")["total"], 2);
    let acme = format!("tenant_id = '{}'", app.acme.id());
    for (what, sql, expected) in [
        (
            "days",
            "SELECT sum(cnt)::bigint FROM analytics.counts_day WHERE dim = 'path' AND",
            2,
        ),
        (
            "quarters",
            "SELECT sum(cnt)::bigint FROM analytics.counts_15m WHERE dim = '' AND",
            2,
        ),
        (
            "sketches",
            "SELECT count(*) FROM analytics.unique_sketches WHERE name = '' AND",
            2,
        ),
        (
            "the order's own memory",
            "SELECT count(actor_id) FROM analytics.event_erasures WHERE",
            0,
        ),
    ] {
        assert_eq!(
            number(&app, &format!("{sql} {acme}")).await,
            expected,
            "{what}"
        );
    }
    let theirs = format!(
        "SELECT count(*) FROM analytics.tracked_events WHERE tenant_id = '{}'",
        app.globex.id()
    );
    assert_eq!(number(&app, &theirs).await, 4);

    // Who comes back is counted again, though this process had seen them on that day before.
    send(&app.acme.member, &[by(5, "ada", "2026-03-02T08:01:00Z")]).await;
    let sketches: Vec<Vec<u8>> = sqlx::query_scalar(&format!(
        "SELECT sketch FROM analytics.unique_sketches WHERE name = '' AND day = '2026-03-02' AND {acme}"
    ))
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    let actors = analytics::tracking::estimate(sketches.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(actors.round(), 2.0);
}

#[tokio::test]
async fn ordering_twice_does_no_harm_and_nobody_is_somebody_with_nothing() {
    let mut app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &[by(0, "ada", "2026-03-02T08:00:00Z")]).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        let ordered = app
            .acme
            .owner
            .delete("/api/events?actor_id=ada")
            .await
            .assert_status(202);
        paths.push(ordered.header("location").unwrap().to_owned());
    }
    app.start_jobs();
    let mut deleted = 0;
    for path in &paths {
        let done = async || app.acme.owner.get(path).await.json()["status"] == "succeeded";
        wait_until(done, PATIENCE).await;
        deleted += app.acme.owner.get(path).await.json()["deleted"]
            .as_i64()
            .unwrap();
    }
    assert_eq!((deleted, stored_and_counted(&app).await), (1, (0, 0)));
}

#[tokio::test]
async fn erasing_needs_an_actor_and_the_permission() {
    let app = TestApp::<Analytics>::start().await;
    app.acme
        .viewer
        .delete("/api/events?actor_id=ada")
        .await
        .assert_problem(403, "forbidden");
    for query in ["", "?actor_id=", "?actor=ada"] {
        let refused = app.acme.owner.delete(&format!("/api/events{query}")).await;
        refused.assert_problem(422, "validation_failed");
    }
    let long = "a".repeat(201);
    let refused = app
        .acme
        .owner
        .delete(&format!("/api/events?actor_id={long}"))
        .await;
    refused.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn an_order_of_another_tenant_is_not_found() {
    let app = TestApp::<Analytics>::start().await;
    let ordered = app
        .globex
        .owner
        .delete("/api/events?actor_id=ada")
        .await
        .assert_status(202);
    let path = ordered.header("location").unwrap().to_owned();
    app.acme
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.globex.owner.get(&path).await.assert_status(200);
}
