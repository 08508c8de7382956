//! `POST /api/retention/query`: who came, and who came back.

use analytics::Analytics;
use bz_testkit::{Client, Tenant, TestApp};
use serde_json::{Value, json};

use crate::support::{event, send};

async fn ask(client: &Client, retention: Value, timezone: &str) -> Value {
    let range = json!({ "from": "2026-02-09", "to": "2026-02-22" });
    let asked = json!({ "retention": retention, "range": range, "timezone": timezone });
    client
        .post("/api/retention/query", asked)
        .await
        .assert_status(200)
        .json()
}

fn by(actor: &str, n: usize, name: &str, ts: &str) -> Value {
    let mut event = event(n, name, ts);
    event["actor_id"] = json!(actor);
    event["session_id"] = json!(format!("{actor}-{}", &ts[..10]));
    event
}

/// The counts of the `n`th cohort.
fn counts(grid: &Value, n: usize) -> Vec<i64> {
    let cells = grid["cohorts"][n]["cells"].as_array().unwrap().iter();
    cells.map(|cell| cell["count"].as_i64().unwrap()).collect()
}

/// Weeks begin on Monday: 9, 16, 23 February and 2 March, which is today.
async fn visited(app: &TestApp<Analytics>) {
    let events = [
        by("ada", 0, "signup", "2026-02-09T00:00:00Z"),
        by("ada", 1, "visit", "2026-02-16T08:00:00Z"),
        by("ada", 2, "visit", "2026-02-16T09:00:00Z"),
        by("ada", 3, "visit", "2026-03-02T08:00:00Z"),
        by("bob", 4, "signup", "2026-02-15T23:59:59Z"),
        by("bob", 5, "visit", "2026-02-22T23:59:59Z"),
        by("cyd", 6, "signup", "2026-02-17T12:00:00Z"),
        by("cyd", 7, "signup", "2026-02-24T12:00:00Z"),
        // Nobody knows who.
        event(8, "signup", "2026-02-10T12:00:00Z"),
    ];
    send(&app.acme.member, &events).await;
}

#[tokio::test]
async fn people_are_counted_once_in_each_week_in_which_they_come_back() {
    let app = TestApp::<Analytics>::start().await;
    visited(&app).await;
    let asked =
        json!({ "start": { "event": "signup" }, "back": { "event": "visit" }, "periods": 4 });
    let grid = ask(&app.acme.viewer, asked, "UTC").await;
    assert_eq!(
        (&grid["cohorts"][0]["cohort"], &grid["cohorts"][1]["cohort"]),
        (&json!("2026-02-09"), &json!("2026-02-16"))
    );
    assert_eq!(counts(&grid, 0), [2, 2, 0, 1]);
    assert_eq!(counts(&grid, 1), [1, 0, 0]);
    let last = &grid["cohorts"][0]["cells"][3];
    assert_eq!(
        (&last["rate"], &last["complete"]),
        (&json!("0.5"), &json!(false))
    );
    // With no name, whatever somebody does counts.
    let grid = ask(
        &app.acme.viewer,
        json!({ "start": { "event": "signup" }, "periods": 2 }),
        "UTC",
    )
    .await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![2, 2, 0], vec![1, 1, 0])
    );
}

#[tokio::test]
async fn who_comes_for_the_first_time_is_of_one_cohort() {
    let app = TestApp::<Analytics>::start().await;
    let events = [
        by("ada", 0, "visit", "2026-02-03T12:00:00Z"),
        by("ada", 1, "visit", "2026-02-10T12:00:00Z"),
        by("bob", 2, "visit", "2026-02-10T12:00:00Z"),
        by("bob", 3, "visit", "2026-02-17T12:00:00Z"),
    ];
    send(&app.acme.member, &events).await;
    let grid = ask(
        &app.acme.viewer,
        json!({ "first_time": true, "periods": 1 }),
        "UTC",
    )
    .await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![1, 1], vec![0, 0])
    );
    let grid = ask(&app.acme.viewer, json!({ "periods": 1 }), "UTC").await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![2, 1], vec![1, 0])
    );
    let grid = ask(
        &app.acme.viewer,
        json!({ "periods": 1, "count_by": "session" }),
        "UTC",
    )
    .await;
    assert_eq!(counts(&grid, 0), [2, 0]);
}

#[tokio::test]
async fn a_week_begins_where_the_time_zone_says() {
    let app = TestApp::<Analytics>::start().await;
    visited(&app).await;
    let asked =
        json!({ "start": { "event": "signup" }, "back": { "event": "visit" }, "periods": 1 });
    // Bob came on the 16th in India and was back on the 23rd; Ada came on the 9th.
    let grid = ask(&app.acme.viewer, asked.clone(), "Asia/Kolkata").await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![1, 1], vec![2, 1])
    );
    // In New York both came a day earlier.
    let grid = ask(&app.acme.viewer, asked, "America/New_York").await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![1, 1], vec![1, 0])
    );
}

#[tokio::test]
async fn other_tenants_and_those_without_the_right_see_nobody() {
    let app = TestApp::<Analytics>::start().await;
    visited(&app).await;
    let grid = ask(&app.globex.owner, json!({ "periods": 1 }), "UTC").await;
    assert_eq!(
        (counts(&grid, 0), counts(&grid, 1)),
        (vec![0, 0], vec![0, 0])
    );
    assert_eq!(grid["cohorts"][0]["cells"][0]["rate"], Value::Null);
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    let asked = json!({ "retention": {}, "range": { "preset": "last_month" } });
    nobody
        .post("/api/retention/query", &asked)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    let filter = json!([{ "dimension": "props", "operator": "in", "values": ["x"] }]);
    for (retention, pointer) in [
        (json!({ "granularity": "hour" }), "/retention/granularity"),
        (json!({ "periods": 0 }), "/retention/periods"),
        (
            json!({ "start": { "event": "" } }),
            "/retention/start/event",
        ),
        (
            json!({ "back": { "filters": filter } }),
            "/retention/back/filters/0/dimension",
        ),
        (json!({ "count_by": "company" }), "/retention/count_by"),
    ] {
        let asked = json!({ "retention": retention, "range": { "preset": "last_month" } });
        let refused = app.acme.viewer.post("/api/retention/query", asked).await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
}
