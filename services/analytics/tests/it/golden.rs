//! Real files, with numbers that were computed from them without this code.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use serde_json::{Value, json};

use crate::source_support::{import, packed, read, shared, upload_source};

const PATIENCE: Duration = Duration::from_secs(600);

/// Sends a file that the worker loads.
async fn load(app: &TestApp<Analytics>, source: &str, file: Vec<u8>) -> Value {
    let answer = import(&app.acme.member, &format!("source_id={source}"), file)
        .await
        .assert_status(202)
        .json();
    let path = format!(
        "/api/analytics/imports/{}",
        answer["run"]["id"].as_str().unwrap()
    );
    let run = async || app.acme.viewer.get(&path).await.assert_status(200).json();
    wait_until(
        async || {
            !matches!(
                run().await["status"].as_str().unwrap(),
                "queued" | "running"
            )
        },
        PATIENCE,
    )
    .await;
    let run = run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    answer
}

#[tokio::test]
async fn the_online_retail_set_has_the_numbers_that_are_known_of_it() {
    let Some(file) = shared("online_retail_2010-12_2011-03.csv") else {
        return;
    };
    let mut app = TestApp::<Analytics>::start().await;
    app.start_jobs();
    let reading =
        json!({ "currency": "GBP", "timezone": "Europe/London", "cancelled_prefix": "C" });
    let source = upload_source(&app.acme.owner, "orders", reading).await;
    // Packed; that the same file twice is the same orders is tested with the other set, which is smaller.
    let answer = load(&app, &source, packed(&file)).await;
    assert_eq!(
        (&answer["rows_total"], &answer["left_out"]),
        (&json!(110_127), &json!([]))
    );
    retail_numbers(&app).await;
}

async fn retail_numbers(app: &TestApp<Analytics>) {
    let by_month = "SELECT to_char(ordered_at AT TIME ZONE 'Europe/London', 'YYYY-MM') AS month, sum(gross_minor) AS gross, \
                      count(*) FILTER (WHERE is_order) AS orders, sum(refund_minor) AS refunds, \
                      count(DISTINCT customer) FILTER (WHERE is_order) AS customers \
                    FROM analytics.orders GROUP BY 1 ORDER BY 1";
    let months = read(app, by_month).await;
    let known = |place: usize| {
        let month = &months[place];
        [
            &month["gross"],
            &month["orders"],
            &month["refunds"],
            &month["customers"],
        ]
        .map(|n| n.as_i64().unwrap())
    };
    assert_eq!(known(0), [82_374_614, 1_559, 7_478_912, 885]);
    assert_eq!(known(1), [69_136_456, 1_086, 13_136_430, 741]);
    assert_eq!(known(2)[..2], [52_363_189, 1_100]);
    assert_eq!(known(3)[..2], [10_095_655, 203]);
    let lines = "SELECT count(*), sum(amount_minor) AS net FROM analytics.order_lines";
    assert_eq!(
        read(app, lines).await,
        json!([{ "count": 110_127, "net": 190_610_558 }])
    );
    let countries = "SELECT dims ->> 'country' AS country, sum(gross_minor) AS gross FROM analytics.orders \
                     GROUP BY 1 ORDER BY 2 DESC LIMIT 3";
    assert_eq!(
        read(app, countries).await,
        json!([
            { "country": "United Kingdom", "gross": 180_729_207 },
            { "country": "Netherlands", "gross": 5_840_755 },
            { "country": "EIRE", "gross": 4_791_283 },
        ])
    );
    let returning = "WITH buyers AS (SELECT DISTINCT customer, to_char(ordered_at AT TIME ZONE 'Europe/London', 'YYYY-MM') AS month \
                                     FROM analytics.orders WHERE is_order AND customer IS NOT NULL) \
                     SELECT b.month, count(*) FROM buyers AS b JOIN buyers AS d ON d.customer = b.customer AND d.month = '2010-12' \
                     GROUP BY 1 ORDER BY 1";
    let again: Vec<i64> = read(app, returning)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|month| month["count"].as_i64().unwrap())
        .collect();
    assert_eq!(again, [885, 324, 286, 73]);
}

#[tokio::test]
async fn the_cdnow_set_has_the_numbers_that_are_known_of_it() {
    let Some(file) = shared("cdnow_master.txt") else {
        return;
    };
    let mut app = TestApp::<Analytics>::start().await;
    app.start_jobs();
    let reading = json!({
        "currency": "USD", "delimiter": "blanks", "date_format": "%Y%m%d",
        "mapping": { "date": "ordered_at", "number_of_cds": "quantity", "dollar_value": "amount" }
    });
    let source = upload_source(&app.acme.owner, "orders", reading).await;
    load(&app, &source, file.clone()).await;
    cdnow_numbers(&app).await;
    // Rows of the same content are different orders; the same file again is the same orders.
    load(&app, &source, file).await;
    cdnow_numbers(&app).await;
}

async fn cdnow_numbers(app: &TestApp<Analytics>) {
    let sums = "SELECT count(*) AS orders, count(*) FILTER (WHERE is_order) AS counted, count(DISTINCT customer) AS customers, \
                  sum(units) AS units, sum(gross_minor) AS revenue, count(*) FILTER (WHERE gross_minor = 0) AS free \
                FROM analytics.orders";
    assert_eq!(
        read(app, sums).await,
        json!([{
            "orders": 69_659, "counted": 69_659, "customers": 23_570, "units": 167_881, "revenue": 250_031_563, "free": 80
        }])
    );
    let cohorts = "WITH firsts AS (SELECT customer, min(date_trunc('month', ordered_at AT TIME ZONE 'UTC')) AS cohort \
                                   FROM analytics.orders GROUP BY 1) \
                   SELECT to_char(cohort, 'YYYY-MM') AS cohort, count(DISTINCT customer) AS size, \
                     count(DISTINCT customer) FILTER (WHERE ordered_at AT TIME ZONE 'UTC' >= cohort + interval '1 month' \
                                                        AND ordered_at AT TIME ZONE 'UTC' < cohort + interval '2 months') AS next \
                   FROM firsts JOIN analytics.orders USING (customer) GROUP BY 1 ORDER BY 1";
    assert_eq!(
        read(app, cohorts).await,
        json!([
            { "cohort": "1997-01", "size": 7_846, "next": 1_157 },
            { "cohort": "1997-02", "size": 8_476, "next": 1_312 },
            { "cohort": "1997-03", "size": 7_248, "next": 1_032 },
        ])
    );
}
