//! `POST /api/metrics/query` and `GET /api/metrics/catalog`: who may ask, and what cannot be asked.

use analytics::Analytics;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::support::{event, send};

/// Asks a question that can be answered.
pub(crate) async fn ask(client: &Client, question: Value) -> Value {
    let asked = client.post("/api/metrics/query", question);
    asked.await.assert_status(200).json()
}

/// What is wrong with a question: pointers and codes.
async fn faults(client: &Client, question: Value) -> Vec<(String, String)> {
    let asked = client.post("/api/metrics/query", question).await;
    let problem = asked.assert_problem(422, "validation_failed").json();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            ["pointer", "code"].map(|member| error[member].as_str().unwrap_or("").to_owned())
        })
        .map(|[pointer, code]| (pointer, code))
        .collect()
}

/// The metrics of a row.
pub(crate) fn values(row: &Value) -> Vec<Option<&str>> {
    row["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_str)
        .collect()
}

/// The time and the dimensions of a row.
pub(crate) fn keys(row: &Value) -> Vec<Option<&str>> {
    row["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_str)
        .collect()
}

/// Keys and values of a row.
type Row<'a> = (Vec<Option<&'a str>>, Vec<Option<&'a str>>);

pub(crate) fn table(frame: &Value) -> Vec<Row<'_>> {
    let rows = rows(frame).iter();
    rows.map(|row| (keys(row), values(row))).collect()
}

/// The rows of an answer.
pub(crate) fn rows(frame: &Value) -> &Vec<Value> {
    frame["rows"].as_array().unwrap()
}

#[tokio::test]
async fn a_number_is_answered_with_what_it_is_and_how_it_was_made() {
    let app = TestApp::<Analytics>::start().await;
    let batch = [
        event(0, "lead.created", "2026-03-02T08:00:00Z"),
        event(1, "lead.created", "2026-03-01T08:00:00Z"),
        event(2, "lead.converted", "2026-03-01T08:30:00Z"),
    ];
    send(&app.acme.member, &batch).await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["events.leads_created", "events.lead_conversion_rate"], "range": { "preset": "today" },
                "compare": "previous_period", "totals": true }),
    )
    .await;
    let mut columns = frame["columns"].clone();
    assert_eq!(
        columns.as_array_mut().unwrap().remove(0),
        json!({ "key": "events.leads_created", "label": "New leads", "kind": "metric", "unit": "count", "currency": null,
                "polarity": "up_is_good" })
    );
    assert_eq!(
        frame["rows"],
        json!([{ "keys": [], "values": ["1", "0"], "previous": ["1", "1"], "change": [
            { "percent": "0", "points": null, "direction": "flat", "good": null, "note": null },
            { "percent": null, "points": "-100", "direction": "down", "good": false, "note": null }
        ] }])
    );
    assert_eq!(frame["totals"], frame["rows"][0]);
    assert_eq!(
        frame["compared"],
        json!({ "from": "2026-03-01", "to": "2026-03-01", "like_for_like": true, "until": "2026-03-01T09:00:00Z" })
    );
    let mut meta = frame["meta"].clone();
    meta.as_object_mut()
        .unwrap()
        .retain(|name, _| name != "data_version" && name != "source");
    assert_eq!(
        meta,
        json!({ "from": "2026-03-02", "to": "2026-03-02", "timezone": "UTC", "as_of": "2026-03-02T09:00:00Z",
                "complete_until": "2026-03-02T08:00:00Z", "partial_period": true, "approximate": [],
                "truncated": false, "cached": false })
    );
}

#[tokio::test]
async fn without_data_there_is_nothing_of_what_is_counted_and_no_quotient() {
    let app = TestApp::<Analytics>::start().await;
    let frame = ask(
        &app.globex.viewer,
        json!({ "metrics": ["events.count", "google-ads.roas", "orders.customers", "deals.open"],
                "range": { "from": "2026-03-01", "to": "2026-03-02" }, "granularity": "day", "totals": true }),
    )
    .await;
    let nothing = vec![Some("0"), None, Some("0"), Some("0")];
    for row in rows(&frame).iter().chain([&frame["totals"]]) {
        assert_eq!(values(row), nothing, "{row}");
    }
    assert_eq!(rows(&frame).len(), 2);
    let broken_down = json!({ "metrics": ["google-ads.cost"], "dimensions": ["campaign"], "range": { "preset": "last_7_days" } });
    assert_eq!(rows(&ask(&app.globex.viewer, broken_down).await).len(), 0);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_every_fault_and_what_to_change() {
    let app = TestApp::<Analytics>::start().await;
    let range = json!({ "from": "2026-03-01", "to": "2026-03-02" });
    let with = |more: Value| {
        let mut question = json!({ "metrics": ["events.count"], "range": range.clone() });
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question
    };
    for (more, pointer, code) in [
        (
            json!({ "metrics": ["events.cuont"] }),
            "/metrics/0",
            "unknown_metric",
        ),
        (json!({ "metrics": [] }), "/metrics", "invalid_length"),
        (
            json!({ "metrics": ["events.count", "events.count"] }),
            "/metrics/1",
            "repeated",
        ),
        (
            json!({ "dimensions": ["keyword"] }),
            "/dimensions/0",
            "unknown_dimension",
        ),
        (
            json!({ "dimensions": ["name", "name"] }),
            "/dimensions/1",
            "repeated",
        ),
        (
            json!({ "metrics": ["events.count", "google-ads.cost"], "dimensions": ["path"] }),
            "/dimensions/0",
            "unknown_dimension",
        ),
        (
            json!({ "filters": [{ "dimension": "color", "operator": "in", "values": ["red"] }] }),
            "/filters/0/dimension",
            "unknown_dimension",
        ),
        (
            json!({ "filters": [{ "dimension": "path", "operator": "in", "values": [] }] }),
            "/filters/0/values",
            "invalid_length",
        ),
        (
            json!({ "range": { "from": "2026-03-02", "to": "2026-03-01" } }),
            "/range",
            "invalid_range",
        ),
        (
            json!({ "range": { "from": "0001-01-01", "to": "2026-03-01" } }),
            "/range",
            "out_of_range",
        ),
        (
            json!({ "range": { "from": "2001-01-01", "to": "2026-03-01" } }),
            "/range",
            "out_of_range",
        ),
        (
            json!({ "compare": { "custom": { "from": "2026-02-02", "to": "2026-02-01" } } }),
            "/compare/custom",
            "invalid_range",
        ),
        (
            json!({ "timezone": "Europe/Atlantis" }),
            "/timezone",
            "unknown_time_zone",
        ),
        (json!({ "limit": 0 }), "/limit", "out_of_range"),
        (json!({ "limit": 10_001 }), "/limit", "out_of_range"),
        (
            json!({ "order": [{ "by": "time" }] }),
            "/order/0/by",
            "unknown_column",
        ),
        (
            json!({ "order": [{ "by": "events.amount" }] }),
            "/order/0/by",
            "unknown_column",
        ),
        (
            json!({ "metrics": ["google-ads.cost"], "granularity": "hour" }),
            "/granularity",
            "not_by_hour",
        ),
        (
            json!({ "range": { "from": "2020-01-01", "to": "2026-03-01" }, "granularity": "hour" }),
            "/granularity",
            "too_many_pieces",
        ),
        (
            json!({ "metrics": ["facebook-ads.frequency"] }),
            "/metrics/0",
            "not_additive",
        ),
    ] {
        let told = faults(&app.acme.viewer, with(more.clone())).await;
        assert_eq!(told, [(pointer.to_owned(), code.to_owned())], "{more}");
    }
    for shape in [
        json!({ "range": { "preset": "last_eon" } }),
        json!({ "colour": 1 }),
        json!({ "granularity": "minute" }),
    ] {
        faults(&app.acme.viewer, with(shape)).await;
    }
    let several =
        json!({ "metrics": ["x", "events.count"], "range": range, "timezone": "?", "limit": 0 });
    assert_eq!(faults(&app.acme.viewer, several).await.len(), 3);
}

#[tokio::test]
async fn a_misspelt_metric_is_answered_with_the_ones_that_are_near() {
    let app = TestApp::<Analytics>::start().await;
    let asked = app.acme.viewer.post(
        "/api/metrics/query",
        json!({ "metrics": ["google-ads.roass"], "range": { "preset": "today" } }),
    );
    let problem = asked.await.assert_problem(422, "validation_failed").json();
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("did you mean google-ads.roas"),
        "{message}"
    );
}

#[tokio::test]
async fn the_catalogue_says_what_can_be_asked_and_how_it_is_made() {
    let app = TestApp::<Analytics>::start().await;
    let catalog = app
        .acme
        .viewer
        .get("/api/metrics/catalog")
        .await
        .assert_status(200)
        .json();
    let metrics = catalog["metrics"].as_array().unwrap();
    let metric = |key: &str| metrics.iter().find(|metric| metric["key"] == key).unwrap();
    let cpm = metric("google-ads.cpm");
    assert_eq!(
        cpm["formula"],
        json!({ "ratio": [{ "measure": "cost" }, { "measure": "impressions" }], "scale": "1000" })
    );
    assert_eq!(
        (
            &cpm["unit"],
            &cpm["polarity"],
            &cpm["additivity"],
            &cpm["measures"],
            &cpm["finest"]
        ),
        (
            &json!("money"),
            &json!("down_is_good"),
            &json!("ratio"),
            &json!(["google-ads:cost", "google-ads:impressions"]),
            &json!("day")
        )
    );
    for (key, additivity) in [
        ("events.count", "additive"),
        ("orders.net", "additive"),
        ("orders.customers", "distinct"),
        ("social-organic.follower_growth", "semi_additive"),
        ("paid-media.roas", "ratio"),
    ] {
        assert_eq!(metric(key)["additivity"], additivity, "{key}");
    }
    let families: std::collections::BTreeSet<&str> = metrics
        .iter()
        .map(|metric| metric["key"].as_str().unwrap().split('.').next().unwrap())
        .collect();
    for family in [
        "google-ads",
        "facebook-ads",
        "linkedin-ads",
        "tiktok-ads",
        "microsoft-ads",
        "ga4",
        "search-console",
        "orders",
        "ecommerce",
        "deals",
        "crm",
        "email",
        "social-organic",
        "local",
        "paid-media",
        "growth",
        "events",
    ] {
        assert!(families.contains(family), "{family}");
    }
}

#[tokio::test]
async fn every_metric_of_the_catalogue_can_be_asked_for() {
    let app = TestApp::<Analytics>::start().await;
    let catalog = app
        .acme
        .viewer
        .get("/api/metrics/catalog")
        .await
        .assert_status(200)
        .json();
    for metric in catalog["metrics"].as_array().unwrap() {
        let key = metric["key"].as_str().unwrap();
        let by = metric["dimensions"].as_array().unwrap().first().unwrap();
        let frame = ask(
            &app.acme.viewer,
            json!({ "metrics": [key], "range": { "from": "2026-03-01", "to": "2026-03-02" }, "granularity": "day",
                    "compare": "previous_period", "totals": true, "dimensions": [by] }),
        )
        .await;
        assert_eq!(frame["columns"][2]["key"], key);
    }
}
