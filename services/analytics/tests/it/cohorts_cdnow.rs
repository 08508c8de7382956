//! Cohorts of real customers: CDNOW's, against answers that were computed elsewhere.

use std::path::Path;

use analytics::{Analytics, sources::orders::Order};
use bz_testkit::TestApp;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;

use crate::cohorts::{ask, cells, load, order};

/// The purchases of CDNOW's customers, each at half past midnight of its day in India: a day earlier by UTC.
fn cdnow() -> Option<Vec<Order>> {
    let file = |above: &Path| above.join("shared/data/analytics/cdnow_master.txt");
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(file)
        .find(|file| file.is_file());
    let Some(file) = found else {
        println!("skipped: no shared data");
        return None;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let purchase = |(n, line): (usize, &str)| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [customer, day, units, dollars] = cells[..] else {
            return None;
        };
        // The first line has the names.
        units.parse::<i64>().ok()?;
        let day = format!(
            "{}-{}-{}T00:30:00+05:30",
            day.get(..4)?,
            &day[4..6],
            &day[6..]
        );
        let at: DateTime<Utc> = day.parse::<DateTime<chrono::FixedOffset>>().ok()?.to_utc();
        // The file has rows that are alike and are purchases of their own: only the line tells them apart.
        let mut order = order(&n.to_string(), customer, "2026-01-01T00:00:00Z", 0);
        (order.ordered_at, order.units) = (at, units.parse().ok()?);
        order.gross_minor = dollars.replace('.', "").parse().ok()?;
        Some(order)
    };
    Some(text.lines().enumerate().filter_map(purchase).collect())
}

#[tokio::test]
async fn the_cohorts_of_cdnow_are_those_that_others_have_computed() {
    let Some(purchases) = cdnow() else { return };
    assert_eq!(purchases.len(), 69_659);
    let app = TestApp::<Analytics>::start().await;
    load(&app, purchases).await;
    let range = ("1997-01-01", "1997-03-31");
    let grid = ask(
        &app.acme.viewer,
        json!({ "periods": 17 }),
        range,
        "Asia/Kolkata",
    )
    .await;
    let known = [
        (
            "1997-01-01",
            [7_846, 1_157, 964, 810, 679, 736, 720],
            17,
            "113.0713",
        ),
        (
            "1997-02-01",
            [8_476, 1_312, 980, 783, 847, 786, 626],
            16,
            "104.6026",
        ),
        (
            "1997-03-01",
            [7_248, 1_032, 752, 756, 674, 564, 561],
            15,
            "100.2409",
        ),
    ];
    let mut revenue = Decimal::ZERO;
    for (n, (cohort, customers, last, ltv)) in known.iter().enumerate() {
        assert_eq!(grid["cohorts"][n]["cohort"], *cohort);
        assert_eq!(grid["cohorts"][n]["size"], customers[0]);
        let seen: Vec<i64> = cells(&grid, n, "customers")
            .iter()
            .map(|count| count.as_i64().unwrap())
            .collect();
        assert_eq!(seen[..7], customers[..], "{cohort}");
        let value: Decimal = cells(&grid, n, "ltv")[*last]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(value.round_dp(4).to_string(), *ltv, "{cohort}");
        let nets = cells(&grid, n, "net");
        revenue += nets
            .iter()
            .map(|net| net.as_str().unwrap().parse::<Decimal>().unwrap())
            .sum::<Decimal>();
    }
    assert_eq!(revenue.to_string(), "2500315.63");
    // By UTC every purchase is a day earlier, and 1 January is of another year.
    let moved = ask(&app.acme.viewer, json!({ "periods": 17 }), range, "UTC").await;
    assert_ne!(moved["cohorts"][0]["size"], 7_846);
}
