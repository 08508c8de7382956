//! Numbers of deals: when they were made, when they closed, which are open.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::metrics::{ask, keys, rows, values};

async fn deal(
    admin: &mut PgConnection,
    id: &str,
    owner: &str,
    amount: i64,
    probability: i16,
    created: &str,
    closed: Option<(&str, &str)>,
) {
    sqlx::query(
        "INSERT INTO analytics.deals (tenant_id, source, deal_id, pipeline, stage, owner, currency, amount_minor, probability, outcome, \
           created_at, closed_at, loaded_at) \
         VALUES ($1, 'crm', $2, 'sales', 'talk', $3, 'EUR', $4, $5, $6, $7::timestamptz, $8::timestamptz, now())",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(id)
    .bind(owner)
    .bind(amount)
    .bind(probability)
    .bind(closed.map_or("open", |(outcome, _)| outcome))
    .bind(created)
    .bind(closed.map(|(_, at)| at))
    .execute(admin)
    .await
    .unwrap();
}

#[tokio::test]
async fn deals_are_won_when_they_close_and_open_at_the_end_of_a_period() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    deal(
        &mut admin,
        "1",
        "ada",
        100_000,
        100,
        "2026-01-01T00:00:00Z",
        Some(("won", "2026-01-11T00:00:00Z")),
    )
    .await;
    deal(
        &mut admin,
        "2",
        "ada",
        300_000,
        100,
        "2026-01-05T00:00:00Z",
        Some(("won", "2026-02-04T00:00:00Z")),
    )
    .await;
    deal(
        &mut admin,
        "3",
        "bob",
        50_000,
        0,
        "2026-01-20T00:00:00Z",
        Some(("lost", "2026-02-10T00:00:00Z")),
    )
    .await;
    deal(
        &mut admin,
        "4",
        "bob",
        80_000,
        25,
        "2026-02-01T00:00:00Z",
        None,
    )
    .await;
    sqlx::query("INSERT INTO analytics.deal_stages (tenant_id, source, deal_id, stage, entered_at) VALUES ($1, 'crm', '4', 'demo', '2026-02-02T00:00:00Z'), ($1, 'crm', '4', 'talk', '2026-02-03T00:00:00Z'), ($1, 'crm', '2', 'demo', '2026-01-06T00:00:00Z')")
        .bind(Tenant::Acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    let question = |metrics: Value, more: Value| {
        let mut question = json!({ "metrics": metrics, "range": { "from": "2026-01-01", "to": "2026-02-28" }, "totals": true });
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question
    };
    let metrics = json!([
        "deals.created",
        "deals.won",
        "deals.won_amount",
        "deals.win_rate",
        "deals.sales_cycle",
        "deals.open",
        "deals.weighted_pipeline",
        "deals.velocity"
    ]);
    let frame = ask(
        &app.acme.viewer,
        question(metrics, json!({ "granularity": "month" })),
    )
    .await;
    let told: Vec<Vec<Option<&str>>> = rows(&frame)
        .iter()
        .chain([&frame["totals"]])
        .map(values)
        .collect();
    assert_eq!(
        told,
        [
            // At the end of January deals 2 and 3 were open: 3,000 at 100 % and 500 at 0 %. Velocity 2 * 1 * 1,000 / 10.
            vec![
                Some("3"),
                Some("1"),
                Some("1000"),
                Some("1"),
                Some("10"),
                Some("2"),
                Some("3000"),
                Some("200")
            ],
            vec![
                Some("1"),
                Some("1"),
                Some("3000"),
                Some("0.5"),
                Some("30"),
                Some("1"),
                Some("200"),
                Some("50")
            ],
            vec![
                Some("4"),
                Some("2"),
                Some("4000"),
                Some("0.666666666667"),
                Some("20"),
                Some("1"),
                Some("200"),
                Some("66.666666666667")
            ],
        ]
    );
    let stages = ask(
        &app.acme.viewer,
        question(
            json!(["deals.stage_entries"]),
            json!({ "dimensions": ["stage"] }),
        ),
    )
    .await;
    let told: Vec<(Option<&str>, Option<&str>)> = rows(&stages)
        .iter()
        .map(|row| (keys(row)[0], values(row)[0]))
        .collect();
    assert_eq!(told, [(Some("demo"), Some("2")), (Some("talk"), Some("1"))]);
    let owners = ask(
        &app.acme.viewer,
        question(
            json!(["deals.won_amount", "deals.win_rate", "deals.open"]),
            json!({ "dimensions": ["owner"] }),
        ),
    )
    .await;
    let told: Vec<(Option<&str>, Vec<Option<&str>>)> = rows(&owners)
        .iter()
        .map(|row| (keys(row)[0], values(row)))
        .collect();
    assert_eq!(
        told,
        [
            (Some("ada"), vec![Some("4000"), Some("1"), Some("0")]),
            (Some("bob"), vec![Some("0"), Some("0"), Some("1")])
        ]
    );
}
