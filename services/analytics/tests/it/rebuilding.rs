//! `POST /api/analytics/rollup-rebuilds` and the job behind it.

use std::time::Duration;

use analytics::{Analytics, tracking};
use bz_testkit::{Client, TestApp, wait_until};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    boards::{card, create, path},
    metrics::ask,
    rollups::{add_zone, many, rebuild_all, rollups},
    support::{event, overview, send, stored_and_counted},
};

const PATIENCE: Duration = Duration::from_secs(60);
const REBUILDS: &str = "/api/analytics/rollup-rebuilds";

/// Orders a rebuild; answers where to see how far it is.
async fn ordered(client: &Client) -> String {
    let ordered = client.post(REBUILDS, json!({})).await.assert_status(202);
    let path = ordered.header("location").unwrap().to_owned();
    assert_eq!(
        path,
        format!("{REBUILDS}/{}", ordered.json()["id"].as_str().unwrap())
    );
    path
}

async fn done(client: &Client, path: &str) -> Value {
    let is_done = async || client.get(path).await.json()["status"] == "succeeded";
    wait_until(is_done, PATIENCE).await;
    client.get(path).await.assert_status(200).json()
}

/// What acme's dashboards show: the overview, one of its own, and numbers by dimension.
async fn shown(app: &TestApp<Analytics>, board: &Value) -> Value {
    let viewer = &app.acme.viewer;
    let data = viewer.get(&format!("{}/data", path(board))).await.json();
    let tiles = data["tiles"].as_array().unwrap().iter();
    let tiles: Vec<&Value> = tiles
        .map(|tile| &tile["frame"])
        .inspect(|frame| assert!(frame.is_object()))
        .map(|frame| &frame["rows"])
        .collect();
    let asked = ask(
        viewer,
        json!({
            "metrics": ["events.count", "events.actors"], "dimensions": ["name"], "granularity": "day",
            "range": { "preset": "last_30_days" }, "timezone": "Asia/Kathmandu", "totals": true
        }),
    );
    let asked = asked.await;
    json!({
        "overview": overview(viewer, "days=365").await["metrics"],
        "tiles": tiles, "rows": asked["rows"], "totals": asked["totals"],
    })
}

/// Acme with events, a zone of its own and a dashboard.
async fn with_events() -> (TestApp<Analytics>, Value) {
    let app = TestApp::<Analytics>::start().await;
    add_zone(&app, Tz::Asia__Kathmandu).await;
    for batch in many(1_500, 0).chunks(500) {
        send(&app.acme.member, batch).await;
    }
    send(&app.globex.member, &many(100, 0)).await;
    let board = json!({
        "name": "Visits",
        "tiles": [card("events", "events.count", (0, 0)), card("people", "events.actors", (3, 0))]
    });
    let board = create(&app.acme.member, board).await;
    (app, board)
}

/// The `n`th visit of today: each is of another actor.
fn visit(n: usize) -> Value {
    let mut visit = event(n, "page_view", "2026-03-02T08:07:00Z");
    visit["actor_id"] = json!(format!("actor-{n}"));
    visit["session_id"] = json!(format!("visit-{n}"));
    visit
}

/// Kind, name and bytes of acme's sketches.
async fn sketches(app: &TestApp<Analytics>) -> Vec<(String, String, Vec<u8>)> {
    sqlx::query_as("SELECT kind, name, sketch FROM analytics.unique_sketches WHERE tenant_id = $1 ORDER BY 1, 2")
        .bind(app.acme.id().as_uuid())
        .fetch_all(&mut app.database.admin().await)
        .await
        .unwrap()
}

async fn run(app: &TestApp<Analytics>, sql: &str) {
    let mut admin = app.database.admin().await;
    sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
}

/// Counts that are wrong in every way: too large, gone, and of a day on which nothing happened.
fn damage(app: &TestApp<Analytics>) -> String {
    let acme = format!("tenant_id = '{}'", app.acme.id());
    format!(
        "UPDATE analytics.rollup_15m SET cnt = cnt + 7, amount_minor = amount_minor + 100 WHERE {acme};
         DELETE FROM analytics.rollup_day WHERE {acme} AND zone = 'UTC';
         DELETE FROM analytics.unique_sketches WHERE {acme} AND name = 'click';
         INSERT INTO analytics.rollup_15m (tenant_id, dim, name, bucket, value, currency, cnt, amount_minor)
           VALUES ('{id}', '', 'page_view', '2025-12-12T12:00:00Z', '', '', 3, 0);
         INSERT INTO analytics.rollup_day (tenant_id, zone, dim, name, day, value, currency, cnt, amount_minor)
           VALUES ('{id}', 'Asia/Kathmandu', '', 'page_view', '2025-12-01', '', '', 3, 0);
         UPDATE analytics.tenant_data SET version = version + 1 WHERE {acme}",
        id = app.acme.id()
    )
}

#[tokio::test]
async fn dashboards_are_the_same_after_everything_was_counted_again() {
    let (mut app, board) = with_events().await;
    let (before, counted) = (shown(&app, &board).await, rollups(&app).await);
    let order = ordered(&app.acme.owner).await;
    let queued = app.acme.owner.get(&order).await.json();
    assert_eq!(
        [&queued["status"], &queued["percent"], &queued["reached"]],
        [&json!("queued"), &json!(0), &Value::Null]
    );
    app.start_jobs();
    let seen = done(&app.acme.owner, &order).await;
    assert_eq!(
        (&seen["percent"], seen["finished_at"].is_string()),
        (&json!(100), true)
    );
    assert_eq!(seen["created_by"], queued["created_by"]);
    app.stop_jobs().await;
    assert_eq!(shown(&app, &board).await, before);
    assert_eq!(rollups(&app).await, counted);
}

/// The version of the tenant's data, and how often it was counted again.
async fn versions(app: &TestApp<Analytics>, tenant: Uuid) -> (i64, i64) {
    sqlx::query_as("SELECT version, rebuilds FROM analytics.tenant_data WHERE tenant_id = $1")
        .bind(tenant)
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn thousands_of_people_are_as_many_after_everything_was_counted_again() {
    let mut app = TestApp::<Analytics>::start().await;
    for batch in 0..4 {
        let visits: Vec<_> = (0..1_000).map(|n| visit(batch * 1_000 + n)).collect();
        send(&app.acme.member, &visits).await;
    }
    let people = async || {
        let asked = json!({ "metrics": ["events.actors"], "range": { "preset": "last_7_days" }, "granularity": "day" });
        ask(&app.acme.viewer, asked).await["rows"].clone()
    };
    let (before, sketches) = (people().await, sketches(&app).await);
    // One that is gone is made again of the people in the events, in whichever order.
    run(
        &app,
        "DELETE FROM analytics.unique_sketches WHERE name = '' AND kind = 'session'",
    )
    .await;
    let order = ordered(&app.acme.owner).await;
    app.start_jobs();
    done(&app.acme.owner, &order).await;
    app.stop_jobs().await;
    let people = ask(
        &app.acme.viewer,
        json!({ "metrics": ["events.actors"], "range": { "preset": "last_7_days" }, "granularity": "day" }),
    );
    assert_eq!(people.await["rows"], before);
    let again = self::sketches(&app).await;
    let kept = |all: &[(String, String, Vec<u8>)]| -> Vec<_> {
        let kept = all
            .iter()
            .filter(|(kind, name, _)| kind == "actor" || !name.is_empty());
        kept.cloned().collect()
    };
    assert_eq!(
        (again.len(), kept(&again)),
        (sketches.len(), kept(&sketches))
    );
    let made = again
        .iter()
        .find(|(kind, name, _)| kind == "session" && name.is_empty());
    let off = tracking::estimate([made.unwrap().2.as_slice()]).unwrap() / 4_000.0 - 1.0;
    assert!(off.abs() < 0.03, "{off}");
}

#[tokio::test]
async fn what_is_right_is_neither_locked_nor_written_when_it_is_counted_again() {
    let (mut app, _) = with_events().await;
    tracking::fold_all(&app.core).await.unwrap();
    let written = async || {
        let sql = "SELECT array_agg(xmin::text || ctid::text ORDER BY ctid)::text FROM analytics.rollup_15m";
        sqlx::query_scalar::<_, String>(sql)
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap()
    };
    let acme = app.acme.id().as_uuid();
    let before = (versions(&app, acme).await, written().await);
    rebuild_all(&app).await;
    assert_eq!((versions(&app, acme).await, written().await), before);
    let order = ordered(&app.acme.owner).await;
    app.start_jobs();
    done(&app.acme.owner, &order).await;
    app.stop_jobs().await;
    assert_eq!(versions(&app, acme).await, before.0);
}

#[tokio::test]
async fn counts_that_were_wrong_are_right_afterwards_and_nobody_elses_are_touched() {
    let (mut app, board) = with_events().await;
    let (before, counted) = (shown(&app, &board).await, rollups(&app).await);
    run(&app, &damage(&app)).await;
    assert_ne!(shown(&app, &board).await, before);
    let globex = app.globex.id().as_uuid();
    let theirs = versions(&app, globex).await;
    let order = ordered(&app.acme.owner).await;
    app.start_jobs();
    done(&app.acme.owner, &order).await;
    app.stop_jobs().await;
    assert_eq!(rollups(&app).await, counted);
    assert_eq!(shown(&app, &board).await, before);
    assert_eq!(versions(&app, globex).await, theirs);
}

#[tokio::test]
async fn who_orders_while_one_is_not_done_gets_that_one_and_afterwards_a_new_one() {
    let (mut app, _) = with_events().await;
    let owner = &app.acme.owner;
    let (one, other, third) = tokio::join!(ordered(owner), ordered(owner), ordered(owner));
    assert!(one == other && other == third);
    // Each tenant has its own.
    assert_ne!(ordered(&app.globex.owner).await, one);
    app.start_jobs();
    done(&app.acme.owner, &one).await;
    assert_ne!(ordered(&app.acme.owner).await, one);
}

#[tokio::test]
async fn events_that_come_while_everything_is_counted_again_count_once() {
    let (mut app, _) = with_events().await;
    let order = ordered(&app.acme.owner).await;
    app.start_jobs();
    for batch in many(1_000, 1_500).chunks(50) {
        send(&app.acme.member, batch).await;
    }
    done(&app.acme.owner, &order).await;
    app.stop_jobs().await;
    let counted = rollups(&app).await;
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, counted);
    assert_eq!(stored_and_counted(&app).await.0, 2_500);
}

#[tokio::test]
async fn one_whose_process_died_goes_on_from_the_day_that_was_reached() {
    let (mut app, _) = with_events().await;
    let counted = rollups(&app).await;
    let order = ordered(&app.acme.owner).await;
    run(&app, &damage(&app)).await;
    run(
        &app,
        "UPDATE analytics.event_erasures SET status = 'running', reached = '2025-12-31' WHERE kind = 'rebuild'",
    )
    .await;
    let halfway = app.acme.owner.get(&order).await.json();
    let percent = halfway["percent"].as_u64().unwrap();
    assert!((20..60).contains(&percent), "{halfway}");
    app.start_jobs();
    done(&app.acme.owner, &order).await;
    app.stop_jobs().await;
    let [quarters, _] = rollups(&app).await;
    let old = |rows: &[String]| -> Vec<String> {
        let old = rows.iter().filter(|row| row.contains("2025-1"));
        old.cloned().collect()
    };
    assert_eq!(old(&quarters), old(&counted[0]));
    assert_ne!(quarters, counted[0]);
}

#[tokio::test]
async fn it_is_for_who_manages_counts_and_another_tenants_order_is_not_found() {
    let app = TestApp::<Analytics>::start().await;
    let order = ordered(&app.acme.owner).await;
    for client in [&app.acme.member, &app.acme.viewer] {
        let refused = client.post(REBUILDS, json!({})).await;
        refused.assert_problem(403, "forbidden");
        client.get(&order).await.assert_problem(403, "forbidden");
    }
    let theirs = app.globex.owner.get(&order).await;
    theirs.assert_problem(404, "not_found");
    // An order to erase is none to count again, and the other way round.
    let erasure = app.acme.owner.delete("/api/events?actor_id=ada").await;
    let id = erasure.assert_status(202).json()["id"].clone();
    let id = id.as_str().unwrap();
    let none = app.acme.owner.get(&format!("{REBUILDS}/{id}")).await;
    none.assert_problem(404, "not_found");
    let id = order.rsplit('/').next().unwrap();
    let none = app.acme.owner.get(&format!("/api/event-erasures/{id}"));
    none.await.assert_problem(404, "not_found");
    let bad = app.acme.owner.get(&format!("{REBUILDS}/nothing")).await;
    assert!(bad.status.is_client_error(), "{}", bad.describe());
}
