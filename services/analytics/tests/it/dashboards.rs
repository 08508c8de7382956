//! `GET /api/dashboards/overview`: days of a time zone, and the period before.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::support::{event, metric, overview, send};

/// The metrics, and the events they count.
const METRICS: [(&str, &str); 5] = [
    ("leads_created", "lead.created"),
    ("todos_created", "todo.created"),
    ("todos_completed", "todo.completed"),
    ("users_registered", "user.registered"),
    ("other_events", ""),
];

/// The days with something, as `(date, count)`.
fn busy_days(metric: &Value) -> Vec<(String, i64)> {
    let days = metric["per_day"].as_array().unwrap().iter();
    days.map(|day| {
        (
            day["date"].as_str().unwrap().to_owned(),
            day["count"].as_i64().unwrap(),
        )
    })
    .filter(|(_, count)| *count > 0)
    .collect()
}

#[tokio::test]
async fn a_day_begins_and_ends_in_the_time_zone_that_was_asked_for() {
    let app = TestApp::<Analytics>::start().await;
    // Midnight in India is at 18:30 UTC: two events within one hour of UTC are on different days there.
    let batch = [
        event(0, "lead.created", "2026-03-01T18:29:59Z"),
        event(1, "lead.created", "2026-03-01T18:30:00Z"),
        event(2, "lead.created", "2026-03-02T05:00:00Z"),
    ];
    send(&app.acme.member, &batch).await;
    let days = async |zone: &str| {
        let seen = overview(&app.acme.viewer, &format!("days=3&time_zone={zone}")).await;
        busy_days(&metric(&seen, "leads_created"))
    };
    let day = |date: &str, count| (date.to_owned(), count);
    assert_eq!(
        days("Asia/Kolkata").await,
        [day("2026-03-01", 1), day("2026-03-02", 2)]
    );
    assert_eq!(
        days("UTC").await,
        [day("2026-03-01", 2), day("2026-03-02", 1)]
    );
    // Nepal's midnight is at 18:15 UTC.
    assert_eq!(days("Asia/Kathmandu").await, [day("2026-03-02", 3)]);
}

#[tokio::test]
async fn every_number_has_its_change_against_as_many_days_before() {
    let app = TestApp::<Analytics>::start().await;
    let batch = [
        // The day before the previous range does not count; the range is 25 to 27 February.
        event(0, "lead.created", "2026-02-24T23:59:59Z"),
        event(1, "lead.created", "2026-02-25T00:00:00Z"),
        event(2, "lead.created", "2026-02-27T23:59:59Z"),
        // 28 February to 2 March.
        event(3, "lead.created", "2026-02-28T00:00:00Z"),
        event(4, "lead.created", "2026-03-01T12:00:00Z"),
        event(5, "lead.created", "2026-03-02T08:59:59Z"),
        event(6, "todo.created", "2026-02-27T12:00:00Z"),
        event(7, "user.registered", "2026-03-02T00:00:00Z"),
        event(8, "page_view", "2026-03-02T00:00:00Z"),
    ];
    send(&app.acme.member, &batch).await;
    let seen = overview(&app.acme.viewer, "days=3").await;
    assert_eq!(
        (&seen["range"], &seen["previous_range"], &seen["time_zone"]),
        (
            &json!({ "from": "2026-02-28", "to": "2026-03-02" }),
            &json!({ "from": "2026-02-25", "to": "2026-02-27" }),
            &json!("UTC")
        )
    );
    for (key, total, before, percent, direction, new) in [
        ("leads_created", 3, 2, json!(50.0), "up", false),
        ("todos_created", 0, 1, json!(-100.0), "down", false),
        ("todos_completed", 0, 0, json!(0.0), "flat", false),
        ("users_registered", 1, 0, Value::Null, "up", true),
        ("other_events", 1, 0, Value::Null, "up", true),
    ] {
        let metric = metric(&seen, key);
        let change = json!({ "percent": percent, "direction": direction, "new": new });
        let told = json!([metric["total"], metric["previous_total"], metric["change"]]);
        assert_eq!(told, json!([total, before, change]), "{key}");
    }
    assert_eq!(
        metric(&seen, "leads_created")["per_day"],
        json!([
            { "date": "2026-02-28", "count": 1 },
            { "date": "2026-03-01", "count": 1 },
            { "date": "2026-03-02", "count": 1 }
        ])
    );
}

/// Counts from the raw rows: of an event by its name, or of all that have no metric of their own, on the local days from
/// `from` to `to`.
async fn count_raw(admin: &mut PgConnection, name: &str, zone: &str, range: &Value) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM analytics.tracked_events \
         WHERE tenant_id = $1 AND (ts AT TIME ZONE $3)::date BETWEEN $4::date AND $5::date \
           AND (name = $2 OR $2 = '' AND name NOT IN ('lead.created', 'todo.created', 'todo.completed', 'user.registered'))",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(name)
    .bind(zone)
    .bind(range["from"].as_str().unwrap())
    .bind(range["to"].as_str().unwrap())
    .fetch_one(admin)
    .await
    .unwrap()
}

/// Events of all metrics over the 390 days before now, in every quarter of an hour. The clock changes of two springs and
/// an autumn are among these days.
fn a_year_and_more() -> Vec<Value> {
    const NAMES: [&str; 6] = [
        "lead.created",
        "todo.created",
        "todo.completed",
        "user.registered",
        "page_view",
        "click",
    ];
    (0..4000)
        .map(|n| {
            let ago = TimeDelta::minutes((n as i64 * 7919) % (390 * 24 * 60));
            let ts = (bz_testkit::NOW - ago).to_rfc3339();
            event(n, NAMES[n * n % 11 % NAMES.len()], &ts)
        })
        .collect()
}

#[tokio::test]
async fn the_numbers_are_those_of_the_raw_events() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &a_year_and_more()).await;
    let mut admin = app.database.admin().await;
    for (zone, days) in [
        ("UTC", 30),
        ("Asia/Kolkata", 7),
        ("America/New_York", 190),
        ("Australia/Lord_Howe", 365),
        ("Pacific/Kiritimati", 1),
    ] {
        let query = format!("days={days}&time_zone={zone}");
        let seen = overview(&app.acme.viewer, &query).await;
        for (key, name) in METRICS {
            let metric = metric(&seen, key);
            for (told, range) in [
                ("total", &seen["range"]),
                ("previous_total", &seen["previous_range"]),
            ] {
                let raw = count_raw(&mut admin, name, zone, range).await;
                assert_eq!(metric[told], raw, "{told} of {key} in {zone}");
            }
            for (date, count) in busy_days(&metric).into_iter().take(20) {
                let day = json!({ "from": date, "to": date });
                let raw = count_raw(&mut admin, name, zone, &day).await;
                assert_eq!(count, raw, "{key} on {date} in {zone}");
            }
        }
    }
}

#[tokio::test]
async fn without_events_every_day_is_there_with_nothing() {
    let app = TestApp::<Analytics>::start().await;
    let seen = overview(&app.acme.viewer, "").await;
    for metric in seen["metrics"].as_array().unwrap() {
        assert_eq!(metric["per_day"].as_array().unwrap().len(), 30);
        assert_eq!((&metric["total"], busy_days(metric).len()), (&json!(0), 0));
    }
    assert_eq!(seen["meta"]["as_of"], "2026-03-02T09:00:00Z");
}

#[tokio::test]
async fn days_and_time_zones_that_do_not_exist_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    for query in [
        "days=0",
        "days=366",
        "days=-1",
        "days=many",
        "time_zone=Europe/Atlantis",
        "time_zone=",
        "time_zone=%2B05:30",
        "zone=UTC",
    ] {
        let path = format!("/api/dashboards/overview?{query}");
        let refused = app.acme.viewer.get(&path).await;
        refused.assert_problem(422, "validation_failed");
    }
}
