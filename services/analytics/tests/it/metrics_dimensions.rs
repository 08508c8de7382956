//! Events by their dimensions: from the counts of one, one by one where two meet or a value is not counted by itself; and
//! who was there.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::metrics::{ask, keys, rows, values};
use crate::support::{event, send};

/// 900 events of ten days; some without a source or a device.
fn visits() -> Vec<Value> {
    (0..900_usize)
        .map(|n| {
            let ago = TimeDelta::minutes((n as i64 * 7919) % (10 * 24 * 60));
            let mut one = event(
                n,
                if n.is_multiple_of(4) {
                    "sale"
                } else {
                    "page_view"
                },
                &(bz_testkit::NOW - ago).to_rfc3339(),
            );
            let source = [None, Some("google"), Some("bing"), Some("news")][n % 4 * (n % 3) % 4];
            let device = [Some("mobile"), Some("desktop"), None][n % 3];
            one["source"] = json!(source);
            one["device"] = json!(device);
            one["actor_id"] = json!(format!("actor-{}", n * n % 97));
            one["session_id"] = json!(format!("visit-{}", n % 211));
            one
        })
        .collect()
}

/// Groups as they are answered: keys and numbers, in order.
fn told(frame: &Value) -> Vec<(Vec<String>, Vec<String>)> {
    let text = |values: Vec<Option<&str>>| {
        values
            .into_iter()
            .map(|value| value.unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    let mut told: Vec<_> = rows(frame)
        .iter()
        .map(|row| (text(keys(row)), text(values(row))))
        .collect();
    told.sort();
    told
}

/// The same from the events: `groups` and `numbers` are SQL.
async fn raw(
    app: &TestApp<Analytics>,
    groups: &str,
    numbers: &str,
    condition: &str,
) -> Vec<(Vec<String>, Vec<String>)> {
    let sql = format!(
        "SELECT ARRAY[{groups}]::text[] AS keys, ARRAY[{numbers}]::text[] FROM analytics.tracked_events \
         WHERE tenant_id = $1 AND ts >= '2026-02-25T00:00:00Z' AND ts < '2026-03-02T00:00:00Z' AND {condition} GROUP BY 1 ORDER BY 1"
    );
    let mut found: Vec<(Vec<String>, Vec<String>)> = sqlx::query_as(&sql)
        .bind(Tenant::Acme.id().as_uuid())
        .fetch_all(&mut app.database.admin().await)
        .await
        .unwrap();
    found.sort();
    found
}

fn question(metrics: &Value, dimensions: &Value, filters: &Value) -> Value {
    json!({ "metrics": metrics, "dimensions": dimensions, "filters": filters, "range": { "from": "2026-02-25", "to": "2026-03-01" } })
}

#[tokio::test]
async fn one_dimension_is_read_from_counts_and_what_has_no_value_is_there_too() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &visits()).await;
    let filter = |dimension: &str, operator: &str, values: &[&str]| json!([{ "dimension": dimension, "operator": operator, "values": values }]);
    for (dimensions, filters, groups, condition) in [
        (json!(["source"]), json!([]), "coalesce(source, '')", "true"),
        (json!(["device"]), json!([]), "coalesce(device, '')", "true"),
        (
            json!(["source", "name"]),
            json!([]),
            "coalesce(source, ''), name",
            "true",
        ),
        (
            json!(["name"]),
            filter("source", "in", &["google", "bing"]),
            "name",
            "source IN ('google', 'bing')",
        ),
        (
            json!(["source"]),
            filter("source", "not_in", &["google"]),
            "coalesce(source, '')",
            "source IS DISTINCT FROM 'google'",
        ),
        (
            json!(["name"]),
            filter("source", "in", &[""]),
            "name",
            "source IS NULL",
        ),
        (
            json!(["name"]),
            filter("source", "contains", &["OO"]),
            "name",
            "source LIKE '%oo%'",
        ),
    ] {
        for (zone, source) in [("UTC", "rollup_day"), ("Etc/GMT", "rollup_15m")] {
            let mut question = question(&json!(["events.count"]), &dimensions, &filters);
            question["timezone"] = json!(zone);
            let frame = ask(&app.acme.viewer, question).await;
            assert_eq!(frame["meta"]["source"], source);
            assert_eq!(
                told(&frame),
                raw(&app, groups, "count(*)", condition).await,
                "{dimensions} {filters} {zone}"
            );
        }
    }
}

#[tokio::test]
async fn two_dimensions_are_counted_one_by_one() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &visits()).await;
    let frame = ask(
        &app.acme.viewer,
        question(
            &json!(["events.count", "events.page_views"]),
            &json!(["source", "device"]),
            &json!([]),
        ),
    )
    .await;
    assert_eq!(frame["meta"]["source"], "raw");
    let expected = raw(
        &app,
        "coalesce(source, ''), coalesce(device, '')",
        "count(*), count(*) FILTER (WHERE name = 'page_view')",
        "true",
    )
    .await;
    assert_eq!(told(&frame), expected);
    let mobile = json!([{ "dimension": "device", "operator": "in", "values": ["mobile"] }]);
    let frame = ask(
        &app.acme.viewer,
        question(&json!(["events.count"]), &json!(["source"]), &mobile),
    )
    .await;
    assert_eq!(
        told(&frame),
        raw(
            &app,
            "coalesce(source, '')",
            "count(*)",
            "device = 'mobile'"
        )
        .await
    );
}

#[tokio::test]
async fn a_value_that_is_counted_together_with_others_is_found_all_the_same() {
    let app = TestApp::<Analytics>::start().await;
    let batch: Vec<Value> = (0..250)
        .map(|n| {
            let mut one = event(n, "page_view", "2026-03-01T08:00:00Z");
            one["path"] = json!(format!("/{n:03}"));
            one
        })
        .collect();
    send(&app.acme.member, &batch).await;
    let of = async |operator: &str, value: &str| {
        let filter = json!([{ "dimension": "path", "operator": operator, "values": [value] }]);
        let frame = ask(
            &app.acme.viewer,
            question(&json!(["events.count"]), &json!([]), &filter),
        )
        .await;
        (
            values(&rows(&frame)[0])[0].unwrap().to_owned(),
            frame["meta"]["source"].as_str().unwrap().to_owned(),
        )
    };
    // The first 200 are counted by themselves.
    assert_eq!(
        of("in", "/001").await,
        ("1".to_owned(), "rollup_day".to_owned())
    );
    assert_eq!(of("in", "/249").await, ("1".to_owned(), "raw".to_owned()));
    assert_eq!(
        of("contains", "/24").await,
        ("10".to_owned(), "raw".to_owned())
    );
    assert_eq!(
        of("not_in", "/249").await,
        ("249".to_owned(), "raw".to_owned())
    );
    let frame = ask(
        &app.acme.viewer,
        question(&json!(["events.count"]), &json!(["path"]), &json!([])),
    )
    .await;
    assert_eq!(
        (
            rows(&frame).len(),
            keys(&rows(&frame)[0])[0],
            values(&rows(&frame)[0])[0]
        ),
        (201, Some("(other)"), Some("50"))
    );
}

#[tokio::test]
async fn who_comes_twice_is_counted_once_over_days_names_and_zones() {
    let app = TestApp::<Analytics>::start().await;
    send(&app.acme.member, &visits()).await;
    let metrics = json!(["events.actors", "events.sessions"]);
    let who = "count(DISTINCT actor_id), count(DISTINCT session_id)";
    for (dimensions, filters, groups, condition, approximate) in [
        (json!([]), json!([]), "", "true", true),
        (json!(["name"]), json!([]), "name", "true", true),
        (
            json!([]),
            json!([{ "dimension": "name", "operator": "in", "values": ["sale"] }]),
            "",
            "name = 'sale'",
            true,
        ),
        (
            json!(["source"]),
            json!([]),
            "coalesce(source, '')",
            "true",
            false,
        ),
    ] {
        let frame = ask(&app.acme.viewer, question(&metrics, &dimensions, &filters)).await;
        // Up to some 380 the sketches are exact.
        assert_eq!(
            told(&frame),
            raw(&app, groups, who, condition).await,
            "{dimensions} {filters}"
        );
        assert_eq!(
            frame["meta"]["approximate"].as_array().unwrap().len(),
            if approximate { 2 } else { 0 }
        );
    }
    let mut daily = question(&metrics, &json!([]), &json!([]));
    daily["granularity"] = json!("day");
    daily["totals"] = json!(true);
    let frame = ask(&app.acme.viewer, daily.clone()).await;
    let days = raw(&app, "(ts AT TIME ZONE 'UTC')::date", who, "true").await;
    assert_eq!(told(&frame), days);
    let all = raw(&app, "", who, "true").await;
    let totals: Vec<&str> = values(&frame["totals"])
        .into_iter()
        .map(Option::unwrap)
        .collect();
    assert_eq!(totals, all[0].1);
    // Not the sum of the days.
    assert_ne!(
        days.iter()
            .map(|(_, who)| who[0].parse::<i64>().unwrap())
            .sum::<i64>()
            .to_string(),
        all[0].1[0]
    );
    daily["timezone"] = json!("Etc/GMT");
    let elsewhere = ask(&app.acme.viewer, daily).await;
    assert_eq!(
        (told(&elsewhere), &elsewhere["meta"]["source"]),
        (days, &json!("raw"))
    );
}
