//! Counts: by quarter of an hour, by local day of the tenant's zones, by dimension; and the same once more from the events.

use analytics::{Analytics, tracking};
use bz_testkit::{NOW, TestApp};
use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::support::{event, overview, send, stored_and_counted};

/// Every row of both rollups of acme, as text, with all that was sent.
pub(crate) async fn rollups(app: &TestApp<Analytics>) -> [Vec<String>; 2] {
    tracking::fold_all(&app.core).await.unwrap();
    let mut admin = app.database.admin().await;
    let mut rows = [Vec::new(), Vec::new()];
    for (rows, table) in rows.iter_mut().zip(["rollup_15m", "rollup_day"]) {
        let sql =
            format!("SELECT r::text FROM analytics.{table} AS r WHERE tenant_id = $1 ORDER BY 1");
        *rows = sqlx::query_scalar(&sql)
            .bind(app.acme.id().as_uuid())
            .fetch_all(&mut admin)
            .await
            .unwrap();
    }
    rows
}

/// Counts by local day of a zone, dimension and value, as `(day, value, count, amount)`.
async fn days(
    app: &TestApp<Analytics>,
    zone: &str,
    dim: &str,
    name: &str,
) -> Vec<(String, String, i64, i64)> {
    sqlx::query_as(
        "SELECT day::text, value, sum(cnt)::bigint, sum(amount_minor)::bigint FROM analytics.counts_day \
         WHERE tenant_id = $1 AND zone = $2 AND dim = $3 AND name = $4 GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .bind(app.acme.id().as_uuid())
    .bind(zone)
    .bind(dim)
    .bind(name)
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap()
}

fn day(day: &str, value: &str, count: i64, amount: i64) -> (String, String, i64, i64) {
    (day.to_owned(), value.to_owned(), count, amount)
}

pub(crate) async fn add_zone(app: &TestApp<Analytics>, zone: Tz) {
    let scope = app.acme.tenant.scope();
    let mut tx = app.db().tenant(&scope).await.unwrap();
    assert!(tracking::zones::want(&mut tx, zone).await.unwrap());
    tx.commit().await.unwrap();
    tracking::zones::build(&app.core, &scope).await.unwrap();
}

/// The days of [`many`]: some until now, and some around the end of summer time in the Americas and Australia.
const WINDOWS: [i64; 2] = [0, 120];
const WINDOW: i64 = 45;

/// Events in every quarter of an hour of the windows, with all that can be counted.
pub(crate) fn many(count: usize, first: usize) -> Vec<Value> {
    let of = |list: &[&str], n: usize| list[n % list.len()].to_owned();
    (first..first + count)
        .map(|n| {
            let ago = (n as i64 * 7919) % (WINDOW * 24 * 60) + WINDOWS[n % 2] * 24 * 60;
            let ago = TimeDelta::minutes(ago);
            let mut event = event(
                n,
                &of(&["page_view", "click", "sale"], n),
                &(NOW - ago).to_rfc3339(),
            );
            event["source"] = json!(of(&["google", "direct", "mail"], n / 2));
            event["path"] = json!(format!("/p/{}", n * n % 317));
            event["actor_id"] = json!(format!("actor-{}", n % 97));
            if n.is_multiple_of(3) {
                event["country"] = json!(of(&["DE", "IN", "US"], n / 5));
                event["value_minor"] = json!(n % 1000);
                event["currency"] = json!(of(&["EUR", "INR"], n / 7));
            }
            event
        })
        .collect()
}

#[tokio::test]
async fn events_are_counted_by_each_dimension_they_have() {
    let app = TestApp::<Analytics>::start().await;
    let mut batch = Vec::new();
    for (n, source, device) in [
        (0, json!("google"), json!("mobile")),
        (1, json!("google"), json!("")),
        (2, json!("direct"), json!("mobile")),
        (3, Value::Null, Value::Null),
    ] {
        let mut event = event(n, "sale", "2026-03-02T08:07:00Z");
        event["source"] = source;
        event["device"] = device;
        event["value_minor"] = json!(100 + n);
        event["currency"] = json!("EUR");
        batch.push(event);
    }
    send(&app.acme.member, &batch).await;
    send(&app.acme.member, &batch).await;
    let on = |value, count, amount| day("2026-03-02", value, count, amount);
    assert_eq!(days(&app, "UTC", "", "sale").await, [on("", 4, 406)]);
    assert_eq!(
        days(&app, "UTC", "source", "sale").await,
        [on("direct", 1, 102), on("google", 2, 201)]
    );
    assert_eq!(
        days(&app, "UTC", "device", "sale").await,
        [on("mobile", 2, 202)]
    );
    assert!(days(&app, "UTC", "path", "sale").await.is_empty());
}

#[tokio::test]
async fn the_two_hundred_first_values_are_counted_by_themselves_and_the_others_together() {
    let app = TestApp::<Analytics>::start().await;
    let with_path = |n: usize| {
        let mut event = event(n, "page_view", "2026-03-02T08:07:00Z");
        event["path"] = json!(format!("/{n:04}"));
        event
    };
    let batch: Vec<_> = (0..150).map(with_path).collect();
    send(&app.acme.member, &batch).await;
    let batch: Vec<_> = (100..400).map(with_path).collect();
    send(&app.acme.member, &batch).await;
    let counted = days(&app, "UTC", "path", "page_view").await;
    assert_eq!(counted.len(), 201);
    assert_eq!(counted[0], day("2026-03-02", "(other)", 200, 0));
    assert!(
        counted[1..]
            .iter()
            .all(|(_, path, count, _)| *count == 1 && path < &"/0200".to_owned())
    );

    let before = rollups(&app).await;
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, before);
}

pub(crate) async fn rebuild_all(app: &TestApp<Analytics>) {
    for ago in WINDOWS {
        let last = (NOW - TimeDelta::days(ago)).date_naive();
        let first = last - TimeDelta::days(WINDOW);
        let days = first.iter_days().take_while(|day| *day <= last);
        tracking::rebuild(app.db(), &app.acme.tenant.scope(), days)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn counts_made_again_from_the_events_are_the_same() {
    let app = TestApp::<Analytics>::start().await;
    add_zone(&app, Tz::Asia__Kathmandu).await;
    add_zone(&app, Tz::America__New_York).await;
    for batch in many(3_000, 0).chunks(500) {
        send(&app.acme.member, batch).await;
    }
    let before = rollups(&app).await;
    assert!(before[0].len() > 3_000 && before[1].len() > 2_000);
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, before);
}

#[tokio::test]
async fn what_a_batch_brought_is_counted_from_its_commit_and_once_after_it_is_folded() {
    let app = TestApp::<Analytics>::start().await;
    for batch in many(300, 0).chunks(100) {
        send(&app.acme.member, batch).await;
    }
    send(&app.globex.member, &many(10, 0)).await;
    let of_all = async || {
        let mut admin = app.database.admin().await;
        sqlx::query_as::<_, (i64, i64, i64)>(
            "SELECT (SELECT count(*) FROM analytics.rollup_deltas), \
                    (SELECT sum(cnt)::bigint FROM analytics.counts_15m WHERE dim = ''), \
                    (SELECT sum(cnt)::bigint FROM analytics.counts_day WHERE dim = '' AND zone = 'UTC')",
        )
        .fetch_one(&mut admin)
        .await
        .unwrap()
    };
    let seen = async || overview(&app.acme.viewer, "days=365").await["metrics"].clone();
    let before = seen().await;
    assert_eq!(of_all().await, (4, 310, 310));
    // Two who fold at once take turns.
    let (one, other) = tokio::join!(tracking::fold_all(&app.core), tracking::fold_all(&app.core));
    one.unwrap();
    other.unwrap();
    assert_eq!(of_all().await, (0, 310, 310));
    assert_eq!(seen().await, before);
}

#[tokio::test]
async fn a_tenant_whose_counts_cannot_be_added_keeps_no_other_from_it() {
    let app = TestApp::<Analytics>::start().await;
    // Whoever comes first is in the way of the other.
    let (first, other) = if app.acme.id() < app.globex.id() {
        (&app.acme, &app.globex)
    } else {
        (&app.globex, &app.acme)
    };
    for tenant in [first, other] {
        send(&tenant.member, &many(10, 0)).await;
    }
    let mut admin = app.database.admin().await;
    sqlx::query("UPDATE analytics.rollup_deltas SET counts[1] = 0, counts[2] = 9223372036854775807, buckets[2] = buckets[1], \
                 dims[2] = dims[1], names[2] = names[1], vals[2] = vals[1], currencies[2] = currencies[1], counts[3] = 9, \
                 buckets[3] = buckets[1], dims[3] = dims[1], names[3] = names[1], vals[3] = vals[1], currencies[3] = currencies[1] \
                 WHERE tenant_id = $1")
        .bind(first.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    assert!(tracking::fold_all(&app.core).await.is_err());
    let left: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT tenant_id FROM analytics.rollup_deltas")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, [first.id().as_uuid()]);
}

#[tokio::test]
async fn batches_that_come_while_others_are_folded_and_counted_again_count_once() {
    let app = TestApp::<Analytics>::start().await;
    let member = app.acme.member.clone();
    let sending = tokio::spawn(async move {
        for batch in many(2_000, 0).chunks(40) {
            send(&member, batch).await;
        }
    });
    while !sending.is_finished() {
        tracking::fold_all(&app.core).await.unwrap();
        let scope = app.acme.tenant.scope();
        tracking::rebuild(app.db(), &scope, [NOW.date_naive()])
            .await
            .unwrap();
    }
    sending.await.unwrap();
    let folded = rollups(&app).await;
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, folded);
    assert_eq!(stored_and_counted(&app).await.0, 2_000);
}

#[tokio::test]
async fn an_event_that_is_days_late_is_in_the_right_day_of_every_zone() {
    let app = TestApp::<Analytics>::start().await;
    for zone in [
        Tz::Asia__Kathmandu,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
    ] {
        add_zone(&app, zone).await;
    }
    send(
        &app.acme.member,
        &[event(0, "page_view", "2026-03-02T08:00:00Z")],
    )
    .await;
    // Eleven days late, and 2026-02-19 or 2026-02-20 by where one is.
    send(
        &app.acme.member,
        &[event(1, "page_view", "2026-02-19T18:20:00Z")],
    )
    .await;
    for (zone, late, today) in [
        ("UTC", "2026-02-19", "2026-03-02"),
        ("Asia/Kathmandu", "2026-02-20", "2026-03-02"),
        ("America/New_York", "2026-02-19", "2026-03-02"),
        ("Australia/Lord_Howe", "2026-02-20", "2026-03-02"),
    ] {
        assert_eq!(
            days(&app, zone, "", "page_view").await,
            [day(late, "", 1, 0), day(today, "", 1, 0)],
            "{zone}"
        );
    }
}

#[tokio::test]
async fn a_count_that_differs_from_the_events_is_found_and_repaired() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &many(500, 0)).await;
    let (scope, before) = (app.acme.tenant.scope(), rollups(&app).await);
    assert!(!tracking::reconcile(&app.core, &scope, NOW).await.unwrap());
    let damage = "UPDATE analytics.rollup_15m SET cnt = cnt + 1 WHERE dim = '' AND bucket >= '2026-03-02T08:00:00Z'";
    let damaged = sqlx::query(damage)
        .execute(&mut app.database.admin().await)
        .await;
    assert!(damaged.unwrap().rows_affected() > 0);
    let mut hours = Vec::new();
    for ago in 0..2 {
        let hour = NOW - TimeDelta::hours(ago);
        hours.push(tracking::reconcile(&app.core, &scope, hour).await.unwrap());
    }
    assert!(hours.contains(&true));
    assert_eq!(rollups(&app).await, before);
}

/// The estimate of a kind over some days of a zone.
async fn uniques(app: &TestApp<Analytics>, zone: &str, kind: &str, name: &str) -> i64 {
    let sketches: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT sketch FROM analytics.unique_sketches WHERE tenant_id = $1 AND zone = $2 AND kind = $3 AND name = $4",
    )
    .bind(app.acme.id().as_uuid())
    .bind(zone)
    .bind(kind)
    .bind(name)
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    tracking::estimate(sketches.iter().map(Vec::as_slice))
        .unwrap()
        .round() as i64
}

#[tokio::test]
async fn actors_and_sessions_are_counted_once_over_days_also_after_a_rebuild() {
    let app = TestApp::<Analytics>::start().await;
    for batch in many(2_000, 0).chunks(400) {
        send(&app.acme.member, batch).await;
    }
    // A zone that comes later has the days before it, too.
    add_zone(&app, Tz::Asia__Kolkata).await;
    let mut visit = event(9_000, "page_view", "2026-03-02T08:00:00Z");
    visit["session_id"] = json!("visit-1");
    send(&app.acme.member, &[visit.clone()]).await;
    send(&app.acme.member, &[visit]).await;
    for _ in 0..2 {
        for zone in ["UTC", "Asia/Kolkata"] {
            assert_eq!(uniques(&app, zone, "actor", "").await, 97, "{zone}");
            assert_eq!(uniques(&app, zone, "actor", "sale").await, 97, "{zone}");
            assert_eq!(
                uniques(&app, zone, "session", "page_view").await,
                1,
                "{zone}"
            );
        }
        rebuild_all(&app).await;
    }
}

#[tokio::test]
async fn events_of_four_senders_at_once_are_counted_once_in_every_rollup() {
    let app = TestApp::<Analytics>::start().await;
    add_zone(&app, Tz::Asia__Kolkata).await;
    let mut sending = tokio::task::JoinSet::new();
    for sender in 0..4_usize {
        let member = app.acme.member.clone();
        sending.spawn(async move {
            let mut accepted = 0;
            let mut batches: Vec<Vec<Value>> = many(6_000, 0)
                .chunks(1_000)
                .map(<[Value]>::to_vec)
                .collect();
            batches.rotate_left(sender);
            for batch in &batches {
                accepted += send(&member, batch).await["accepted"].as_u64().unwrap();
            }
            accepted
        });
    }
    assert_eq!(sending.join_all().await.iter().sum::<u64>(), 6_000);
    let before = rollups(&app).await;
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM analytics.tracked_events")
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap();
    assert_eq!(stored, 6_000);
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, before);
}
