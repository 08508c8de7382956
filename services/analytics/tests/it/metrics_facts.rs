//! Numbers of facts: quotients of sums, totals, currencies, and what may not be added.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::metrics::{ask, keys, rows, table, values};

/// Stores facts of acme: dataset, day, currency, dimensions, measures.
pub(crate) async fn facts(admin: &mut PgConnection, facts: &[(&str, &str, &str, Value, Value)]) {
    for (dataset, day, currency, dims, measures) in facts {
        sqlx::query(
            "INSERT INTO analytics.facts (tenant_id, dataset, day, source_id, entity, currency, dims, measures, loaded_at) \
             VALUES ($1, $2, $3::date, '019cad9c-2a40-7000-8000-0000000000aa', md5($5::text), $4, $5, $6, now())",
        )
        .bind(Tenant::Acme.id().as_uuid())
        .bind(dataset)
        .bind(day)
        .bind(currency)
        .bind(dims)
        .bind(measures)
        .execute(&mut *admin)
        .await
        .unwrap();
    }
}

pub(crate) fn ad(campaign: &str, device: &str) -> Value {
    json!({ "campaign": campaign, "device": device })
}

pub(crate) fn spent(cost: i64, value: i64, clicks: i64) -> Value {
    json!({ "cost": cost, "conversion_value": value, "clicks": clicks, "impressions": clicks * 50 })
}

#[tokio::test]
async fn a_quotient_is_that_of_the_sums_in_rows_and_totals() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let g = "google-ads";
    facts(
        &mut admin,
        &[
            (
                g,
                "2026-02-09",
                "EUR",
                ad("Brand", "mobile"),
                spent(10_000, 50_000, 7),
            ),
            (
                g,
                "2026-02-10",
                "EUR",
                ad("Brand", "mobile"),
                spent(90_000, 90_000, 0),
            ),
            (
                g,
                "2026-02-10",
                "EUR",
                ad("Shoes", "desktop"),
                spent(0, 0, 3),
            ),
            (
                g,
                "2026-02-11",
                "EUR",
                ad("Shoes", "desktop"),
                spent(25_050, 0, 1),
            ),
            // Not in the range.
            (
                g,
                "2026-02-12",
                "EUR",
                ad("Shoes", "desktop"),
                spent(1, 1, 1),
            ),
        ],
    )
    .await;
    let question = json!({
        "metrics": ["google-ads.cost", "google-ads.roas", "google-ads.cpc", "google-ads.cost_share"], "dimensions": ["campaign"],
        "range": { "from": "2026-02-09", "to": "2026-02-11" }, "totals": true, "order": [{ "by": "campaign" }]
    });
    let frame = ask(&app.acme.viewer, question.clone()).await;
    let told = table(&frame);
    assert_eq!(
        told,
        [
            (
                vec![Some("Brand")],
                vec![
                    Some("1000"),
                    Some("1.4"),
                    Some("142.857142857143"),
                    Some("0.799680127949")
                ]
            ),
            (
                vec![Some("Shoes")],
                vec![
                    Some("250.5"),
                    Some("0"),
                    Some("62.625"),
                    Some("0.200319872051")
                ]
            ),
        ]
    );
    // 1,400 by 1,250.50, and not the mean of 1.4 and 0.
    assert_eq!(
        values(&frame["totals"]),
        [
            Some("1250.5"),
            Some("1.119552179128"),
            Some("113.681818181818"),
            Some("1")
        ]
    );
    assert_eq!(frame["columns"][1]["currency"], "EUR");
    assert_eq!(frame["meta"]["source"], "facts");
    assert_eq!(frame["meta"]["complete_until"], "2026-02-12T00:00:00Z");

    // With a limit, the totals are still those of all rows.
    let mut limited = question;
    limited["limit"] = json!(1);
    limited["order"] = json!([{ "by": "google-ads.roas", "descending": true }]);
    let frame = ask(&app.acme.viewer, limited).await;
    assert_eq!(
        (
            rows(&frame).len(),
            keys(&rows(&frame)[0]),
            &frame["meta"]["truncated"]
        ),
        (1, vec![Some("Brand")], &json!(true))
    );
    assert_eq!(values(&frame["totals"])[0], Some("1250.5"));
}

#[tokio::test]
async fn filters_choose_by_value_by_part_and_by_what_is_missing() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let day = "2026-02-10";
    let g = "google-ads";
    facts(
        &mut admin,
        &[
            (g, day, "EUR", ad("Brand", "mobile"), json!({ "clicks": 1 })),
            (
                g,
                day,
                "EUR",
                ad("Brand shoes", "desktop"),
                json!({ "clicks": 2 }),
            ),
            (
                g,
                day,
                "EUR",
                ad("100%_'", "desktop"),
                json!({ "clicks": 4 }),
            ),
            (
                g,
                day,
                "EUR",
                json!({ "device": "mobile" }),
                json!({ "clicks": 8 }),
            ),
            (
                "facebook-ads",
                day,
                "EUR",
                ad("Brand", "mobile"),
                json!({ "clicks": 16 }),
            ),
        ],
    )
    .await;
    let clicks = async |filters: Value| {
        let frame = ask(
            &app.acme.viewer,
            json!({ "metrics": ["google-ads.clicks", "paid-media.clicks"], "range": { "from": day, "to": day }, "filters": filters }),
        )
        .await;
        values(&rows(&frame)[0])
            .into_iter()
            .map(|value| value.unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let filter = |dimension: &str, operator: &str, values: &[&str]| json!({ "dimension": dimension, "operator": operator, "values": values });
    for (filters, google, all) in [
        (json!([]), "15", "31"),
        (json!([filter("campaign", "in", &["Brand"])]), "1", "17"),
        (
            json!([filter("campaign", "not_in", &["Brand", ""])]),
            "6",
            "6",
        ),
        (json!([filter("campaign", "in", &[""])]), "8", "8"),
        (
            json!([filter("campaign", "contains", &["BRAND"])]),
            "3",
            "19",
        ),
        (json!([filter("campaign", "contains", &["%_'"])]), "4", "4"),
        (
            json!([
                filter("campaign", "contains", &["brand"]),
                filter("platform", "in", &["google-ads"])
            ]),
            "3",
            "3",
        ),
        (
            json!([filter("platform", "not_in", &["google-ads"])]),
            "0",
            "16",
        ),
    ] {
        assert_eq!(clicks(filters.clone()).await, [google, all], "{filters}");
    }
}

#[tokio::test]
async fn blended_metrics_are_sums_over_platforms_and_told_apart_by_them() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let day = "2026-02-10";
    facts(
        &mut admin,
        &[
            (
                "google-ads",
                day,
                "EUR",
                json!({}),
                json!({ "cost": 10_000, "conversion_value": 40_000 }),
            ),
            (
                "facebook-ads",
                day,
                "EUR",
                json!({}),
                json!({ "cost": 30_000, "purchase_value": 20_000 }),
            ),
            ("budget", day, "EUR", json!({}), json!({ "amount": 80_000 })),
        ],
    )
    .await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["paid-media.spend", "paid-media.roas", "paid-media.spend_share"], "dimensions": ["platform"],
                "range": { "from": day, "to": day }, "totals": true }),
    )
    .await;
    let told = table(&frame);
    assert_eq!(
        told,
        [
            (
                vec![Some("facebook-ads")],
                vec![Some("300"), Some("0.666666666667"), Some("0.75")]
            ),
            (
                vec![Some("google-ads")],
                vec![Some("100"), Some("4"), Some("0.25")]
            ),
        ]
    );
    assert_eq!(
        values(&frame["totals"]),
        [Some("400"), Some("1.5"), Some("1")]
    );
    let pacing = json!({ "metrics": ["paid-media.pacing"], "range": { "from": day, "to": day } });
    assert_eq!(
        values(&rows(&ask(&app.acme.viewer, pacing).await)[0]),
        [Some("0.5")]
    );
}

#[tokio::test]
async fn amounts_of_two_currencies_are_not_added() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let day = "2026-02-10";
    let g = "google-ads";
    facts(
        &mut admin,
        &[
            (
                g,
                day,
                "EUR",
                ad("A", "x"),
                json!({ "cost": 12_345, "clicks": 10 }),
            ),
            (
                g,
                day,
                "JPY",
                ad("B", "x"),
                json!({ "cost": 12_345, "clicks": 5 }),
            ),
            // An amount of nothing is in every currency.
            (
                g,
                day,
                "USD",
                ad("C", "x"),
                json!({ "cost": 0, "clicks": 2 }),
            ),
        ],
    )
    .await;
    let question = |more: Value| {
        let mut question = json!({ "metrics": ["google-ads.cost", "google-ads.cpc", "google-ads.clicks"], "range": { "from": day, "to": day }, "totals": true });
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question
    };
    let refused = app
        .acme
        .viewer
        .post("/api/metrics/query", question(json!({})))
        .await;
    let problem = refused.assert_problem(422, "validation_failed").json();
    assert_eq!(problem["errors"][0]["code"], "mixed_currencies");
    assert!(
        problem["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("EUR, JPY"),
        "{problem}"
    );

    let apart = ask(
        &app.acme.viewer,
        question(json!({ "dimensions": ["currency"], "order": [{ "by": "currency" }] })),
    )
    .await;
    let told = table(&apart);
    assert_eq!(
        told,
        [
            (
                vec![Some("EUR")],
                vec![Some("123.45"), Some("12.345"), Some("10")]
            ),
            // A yen has no smaller unit.
            (
                vec![Some("JPY")],
                vec![Some("12345"), Some("2469"), Some("5")]
            ),
            (vec![Some("USD")], vec![Some("0"), Some("0"), Some("2")]),
        ]
    );
    assert_eq!(values(&apart["totals"]), [None, None, Some("17")]);
    let one =
        json!({ "filters": [{ "dimension": "currency", "operator": "in", "values": ["JPY"] }] });
    let frame = ask(&app.acme.viewer, question(one)).await;
    assert_eq!(
        (
            values(&rows(&frame)[0])[0],
            &frame["columns"][0]["currency"]
        ),
        (Some("12345"), &json!("JPY"))
    );
    // What is not money is counted whatever the currency.
    let clicks = json!({ "metrics": ["google-ads.clicks"], "range": { "from": day, "to": day } });
    assert_eq!(
        values(&rows(&ask(&app.acme.viewer, clicks).await)[0]),
        [Some("17")]
    );
}
