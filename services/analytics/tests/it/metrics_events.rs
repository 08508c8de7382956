//! Numbers of events against the events themselves, in zones whose days are kept and in others.

use analytics::{Analytics, tracking};
use bz_testkit::{Tenant, TestApp};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::metrics::{ask, keys, rows, values};
use crate::support::{event, send};

/// Events over the 390 days before now, in every quarter of an hour, some with an amount.
fn many() -> Vec<Value> {
    const NAMES: [&str; 4] = ["lead.created", "lead.converted", "page_view", "sale"];
    (0..4000)
        .map(|n| {
            let ago = TimeDelta::minutes((n as i64 * 7919) % (390 * 24 * 60));
            let name = NAMES[n * n % 11 % NAMES.len()];
            let mut one = event(n, name, &(bz_testkit::NOW - ago).to_rfc3339());
            if name == "sale" {
                one["value_minor"] = json!(n * 37 % 5000);
                one["currency"] = json!("EUR");
            }
            one
        })
        .collect()
}

/// Has the days of zones counted.
async fn keep_zones(app: &TestApp<Analytics>, zones: &[Tz]) {
    let scope = app.acme.tenant.scope();
    for zone in zones {
        let mut tx = app.db().tenant(&scope).await.unwrap();
        assert!(tracking::zones::want(&mut tx, *zone).await.unwrap());
        tx.commit().await.unwrap();
    }
    tracking::zones::build(&app.core, &scope).await.unwrap();
}

/// Counts events themselves, from the instant of a local time to that of another.
async fn raw(
    admin: &mut PgConnection,
    zone: &str,
    from: &str,
    until: &str,
) -> (i64, i64, i64, String) {
    sqlx::query_as(
        "SELECT count(*), count(*) FILTER (WHERE name = 'lead.created'), count(*) FILTER (WHERE name = 'lead.converted'), \
                trim_scale(coalesce(sum(value_minor), 0)::numeric / 100)::text \
         FROM analytics.tracked_events \
         WHERE tenant_id = $1 AND ts >= $3::timestamp AT TIME ZONE $2 AND ts < $4::timestamp AT TIME ZONE $2",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(zone)
    .bind(from)
    .bind(until)
    .fetch_one(admin)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_piece_of_time_has_the_events_that_lie_in_it() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &many()).await;
    let mut admin = app.database.admin().await;
    keep_zones(&app, &[Tz::Asia__Kolkata, Tz::America__New_York]).await;
    for (zone, granularity, from, to, source) in [
        ("UTC", "day", "2026-02-01", "2026-03-01", "rollup_day"),
        (
            "Asia/Kolkata",
            "day",
            "2026-02-01",
            "2026-03-02",
            "rollup_day",
        ),
        (
            "America/New_York",
            "week",
            "2025-10-20",
            "2025-11-16",
            "rollup_day",
        ),
        (
            "America/New_York",
            "month",
            "2025-09-01",
            "2026-02-28",
            "rollup_day",
        ),
        (
            "Asia/Kathmandu",
            "day",
            "2026-02-01",
            "2026-03-02",
            "rollup_15m",
        ),
        (
            "Australia/Lord_Howe",
            "day",
            "2025-09-25",
            "2025-10-15",
            "rollup_15m",
        ),
        (
            "Australia/Lord_Howe",
            "quarter",
            "2025-04-01",
            "2025-12-31",
            "rollup_15m",
        ),
        (
            "Pacific/Kiritimati",
            "year",
            "2025-01-01",
            "2026-03-02",
            "rollup_15m",
        ),
    ] {
        let frame = ask(
            &app.acme.viewer,
            json!({ "metrics": ["events.count", "events.leads_created", "events.lead_conversion_rate", "events.amount"],
                    "range": { "from": from, "to": to }, "timezone": zone, "granularity": granularity, "totals": true }),
        )
        .await;
        assert_eq!(frame["meta"]["source"], source, "{zone}");
        let mut begins: Vec<String> = rows(&frame)
            .iter()
            .map(|row| keys(row)[0].unwrap().to_owned())
            .collect();
        let after = to
            .parse::<chrono::NaiveDate>()
            .unwrap()
            .succ_opt()
            .unwrap()
            .to_string();
        begins.push(after.clone());
        let all: Vec<(&Value, &str, &str)> = rows(&frame)
            .iter()
            .zip(begins.windows(2))
            .map(|(row, ends)| (row, ends[0].as_str(), ends[1].as_str()))
            .chain([(&frame["totals"], from, after.as_str())])
            .collect();
        for (row, from, until) in all {
            let (count, leads, converted, amount) = raw(&mut admin, zone, from, until).await;
            let told = values(row);
            assert_eq!(
                told[0],
                Some(count.to_string().as_str()),
                "count of {from} in {zone}"
            );
            assert_eq!(
                told[1],
                Some(leads.to_string().as_str()),
                "leads of {from} in {zone}"
            );
            assert_eq!(told[3], Some(amount.as_str()), "amount of {from} in {zone}");
            let rate: Option<f64> = told[2].map(|rate| rate.parse().unwrap());
            let expected = (leads > 0).then(|| converted as f64 / leads as f64);
            assert!(
                rate.is_some() == expected.is_some()
                    && (rate.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-9,
                "rate of {from} in {zone}: {rate:?}, {expected:?}"
            );
        }
        assert_eq!(frame["columns"][4]["currency"], "EUR");
    }
}

#[tokio::test]
async fn hours_of_a_day_on_which_the_clock_changes_are_all_there_once() {
    let app = TestApp::<Analytics>::start().await;
    // In Berlin the clock shows 02:00 to 03:00 twice on 26 October 2025.
    let batch: Vec<Value> = (0..100)
        .map(|n| {
            let start: DateTime<chrono::Utc> = "2025-10-25T22:00:00Z".parse().unwrap();
            event(
                n,
                "page_view",
                &(start + TimeDelta::minutes(15 * n as i64)).to_rfc3339(),
            )
        })
        .collect();
    send(&app.acme.member, &batch).await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["events.page_views"], "range": { "from": "2025-10-26", "to": "2025-10-26" },
                "timezone": "Europe/Berlin", "granularity": "hour" }),
    )
    .await;
    assert_eq!(rows(&frame).len(), 25);
    assert!(
        rows(&frame).iter().all(|row| values(row) == [Some("4")]),
        "{frame}"
    );
    assert_eq!(keys(&rows(&frame)[2]), [Some("2025-10-26T02:00:00+02:00")]);
    assert_eq!(keys(&rows(&frame)[3]), [Some("2025-10-26T02:00:00+01:00")]);
}

#[tokio::test]
async fn a_period_that_is_not_over_is_compared_with_as_much_of_the_one_before() {
    let app = TestApp::<Analytics>::start().await;
    // Now is Monday, 09:00 UTC.
    let batch = [
        event(0, "page_view", "2026-03-02T08:59:00Z"),
        event(1, "page_view", "2026-03-01T08:59:00Z"),
        event(2, "page_view", "2026-03-01T09:00:00Z"),
        event(3, "page_view", "2026-02-28T10:00:00Z"),
        event(4, "page_view", "2026-02-27T08:00:00Z"),
    ];
    send(&app.acme.member, &batch).await;
    let question = |from: &str, zone: &str| {
        json!({ "metrics": ["events.page_views"], "range": { "from": from, "to": "2026-03-02" }, "timezone": zone,
                "compare": "previous_period" })
    };
    for (from, zone, current, previous, source) in [
        ("2026-03-02", "UTC", "1", "1", "mixed"),
        // Two days against 27 February and the 28th up to nine.
        ("2026-03-01", "UTC", "3", "1", "mixed"),
        ("2026-03-02", "Etc/GMT", "1", "1", "rollup_15m"),
    ] {
        let frame = ask(&app.acme.viewer, question(from, zone)).await;
        let row = &rows(&frame)[0];
        assert_eq!(
            (values(row)[0], row["previous"][0].as_str()),
            (Some(current), Some(previous)),
            "{from} {zone}"
        );
        assert_eq!(
            (
                &frame["compared"]["like_for_like"],
                frame["meta"]["source"].as_str()
            ),
            (&json!(true), Some(source))
        );
    }
    // A period that is over is compared with the whole one before.
    let over = json!({ "metrics": ["events.page_views"], "range": { "from": "2026-03-01", "to": "2026-03-01" }, "compare": "previous_period" });
    let frame = ask(&app.acme.viewer, over).await;
    assert_eq!(
        (
            values(&rows(&frame)[0]),
            &rows(&frame)[0]["previous"],
            &frame["compared"]["like_for_like"]
        ),
        (vec![Some("2")], &json!(["1"]), &json!(false))
    );
}

#[tokio::test]
async fn events_are_told_apart_by_name_and_days_to_come_have_no_number() {
    let app = TestApp::<Analytics>::start().await;
    let batch = [
        event(0, "a", "2026-03-01T08:00:00Z"),
        event(1, "b", "2026-03-01T08:00:00Z"),
        event(2, "b", "2026-03-02T08:00:00Z"),
        event(3, "c", "2026-03-02T08:00:00Z"),
    ];
    send(&app.acme.member, &batch).await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["events.count"], "dimensions": ["name"], "granularity": "day",
                "range": { "from": "2026-03-01", "to": "2026-03-03" },
                "filters": [{ "dimension": "name", "operator": "not_in", "values": ["c"] }] }),
    )
    .await;
    let told: Vec<(Vec<Option<&str>>, Option<&str>)> = rows(&frame)
        .iter()
        .map(|row| (keys(row), values(row)[0]))
        .collect();
    assert_eq!(
        told,
        [
            (vec![Some("2026-03-01"), Some("a")], Some("1")),
            (vec![Some("2026-03-01"), Some("b")], Some("1")),
            (vec![Some("2026-03-02"), Some("b")], Some("1")),
            (vec![Some("2026-03-02"), Some("a")], Some("0")),
            (vec![Some("2026-03-03"), Some("a")], None),
            (vec![Some("2026-03-03"), Some("b")], None),
        ]
    );
}
