//! Numbers that may not be added over people or over time, and rows that are only in the period before.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::metrics::{ask, keys, rows, table, values};
use crate::metrics_facts::{ad, facts, spent};

#[tokio::test]
async fn reach_is_told_by_day_and_added_over_nothing() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let f = "facebook-ads";
    let reached =
        |reach: i64, impressions: i64| json!({ "reach": reach, "impressions": impressions });
    facts(
        &mut admin,
        &[
            (f, "2026-02-10", "", ad("A", "x"), reached(100, 250)),
            (f, "2026-02-11", "", ad("A", "x"), reached(80, 80)),
            (f, "2026-02-11", "", ad("B", "x"), reached(50, 100)),
        ],
    )
    .await;
    let range = json!({ "from": "2026-02-10", "to": "2026-02-12" });
    let question = json!({ "metrics": ["facebook-ads.reach", "facebook-ads.frequency", "facebook-ads.impressions"], "range": range, "granularity": "day", "totals": true });
    let frame = ask(&app.acme.viewer, question.clone()).await;
    let told: Vec<Vec<Option<&str>>> = rows(&frame).iter().map(values).collect();
    // On the 11th two campaigns reached people, some of them both.
    assert_eq!(
        told,
        [
            vec![Some("100"), Some("2.5"), Some("250")],
            vec![None, None, Some("180")],
            vec![None, None, Some("0")]
        ]
    );
    assert_eq!(values(&frame["totals"]), [None, None, Some("430")]);
    let mut by_campaign = question;
    by_campaign["dimensions"] = json!(["campaign"]);
    let frame = ask(&app.acme.viewer, by_campaign).await;
    let on_the_11th: Vec<(Option<&str>, Option<&str>)> = rows(&frame)
        .iter()
        .filter(|row| keys(row)[0] == Some("2026-02-11"))
        .map(|row| (keys(row)[1], values(row)[0]))
        .collect();
    assert_eq!(
        on_the_11th,
        [(Some("A"), Some("80")), (Some("B"), Some("50"))]
    );
}

#[tokio::test]
async fn followers_are_those_at_the_end_and_grow_from_those_at_the_beginning() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let s = "social-organic";
    let on = |network: &str| json!({ "network": network });
    let has = |followers: i64| json!({ "followers": followers, "posts": 1 });
    facts(
        &mut admin,
        &[
            (s, "2026-01-05", "", on("mastodon"), has(100)),
            (s, "2026-01-20", "", on("mastodon"), has(130)),
            (s, "2026-01-06", "", on("linkedin"), has(1_000)),
            (s, "2026-02-03", "", on("mastodon"), has(120)),
            (s, "2026-02-10", "", on("linkedin"), has(1_500)),
            (s, "2026-02-11", "", on("linkedin"), has(1_400)),
        ],
    )
    .await;
    let question = json!({ "metrics": ["social-organic.followers", "social-organic.follower_growth", "social-organic.posts"],
                           "range": { "from": "2026-01-01", "to": "2026-02-28" }, "totals": true });
    let mut monthly = question.clone();
    monthly["granularity"] = json!("month");
    let frame = ask(&app.acme.viewer, monthly).await;
    let told: Vec<Vec<Option<&str>>> = rows(&frame)
        .iter()
        .chain([&frame["totals"]])
        .map(values)
        .collect();
    assert_eq!(
        told,
        [
            vec![Some("1130"), Some("30"), Some("3")],
            vec![Some("1520"), Some("-100"), Some("3")],
            vec![Some("1520"), Some("420"), Some("6")],
        ]
    );
    let mut by_network = question;
    by_network["dimensions"] = json!(["network"]);
    let frame = ask(&app.acme.viewer, by_network).await;
    let told = table(&frame);
    assert_eq!(
        told,
        [
            (
                vec![Some("linkedin")],
                vec![Some("1400"), Some("400"), Some("3")]
            ),
            (
                vec![Some("mastodon")],
                vec![Some("120"), Some("20"), Some("3")]
            ),
        ]
    );
}

#[tokio::test]
async fn rows_that_are_only_in_the_period_before_are_answered_too() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let g = "google-ads";
    facts(
        &mut admin,
        &[
            (g, "2026-01-10", "EUR", ad("Old", "x"), spent(200, 0, 1)),
            (g, "2026-01-31", "EUR", ad("Both", "x"), spent(200, 0, 1)),
            (g, "2026-02-01", "EUR", ad("Both", "x"), spent(300, 0, 1)),
            (g, "2026-02-28", "EUR", ad("New", "x"), spent(100, 0, 1)),
        ],
    )
    .await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["google-ads.cost"], "dimensions": ["campaign"], "compare": "previous_period", "totals": true,
                "range": { "from": "2026-02-01", "to": "2026-02-28" } }),
    )
    .await;
    // The whole of January, which has three days more.
    assert_eq!(
        (&frame["compared"]["from"], &frame["compared"]["to"]),
        (&json!("2026-01-01"), &json!("2026-01-31"))
    );
    let told: Vec<Value> = rows(&frame)
        .iter()
        .chain([&frame["totals"]])
        .map(|row| {
            json!([
                row["keys"][0],
                row["values"][0],
                row["previous"][0],
                row["change"][0]["percent"],
                row["change"][0]["note"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["Both", "3", "2", "50", null]),
            json!(["New", "1", "0", null, "new"]),
            json!(["Old", "0", "2", "-100", null]),
            json!([null, "4", "4", "0", null]),
        ]
    );
}
