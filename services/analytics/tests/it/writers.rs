//! What sources write: facts by day, orders and deals.

use std::collections::{BTreeMap, BTreeSet};

use analytics::{
    Analytics,
    sources::{
        Load,
        deals::{self, Deal, Outcome},
        facts::{self, Fact},
        orders::{self, Order, OrderLine},
    },
};
use bz_tenant::{TenantScope, TenantTx};
use bz_testkit::{NOW, TestApp};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

fn load(n: u128) -> Load {
    Load {
        source_id: Uuid::from_u128(7),
        load_id: Uuid::from_u128(n),
        at: NOW,
    }
}

async fn tx(app: &TestApp<Analytics>) -> TenantTx {
    let scope = TenantScope::new(app.acme.id(), None);
    app.db().tenant(&scope).await.unwrap()
}

/// What a query past row-level security answers, as JSON.
async fn read(app: &TestApp<Analytics>, sql: &str) -> Value {
    let sql = format!("SELECT coalesce(jsonb_agg(q), '[]') FROM ({sql}) AS q");
    let mut admin = app.database.admin().await;
    sqlx::query_scalar(&sql)
        .fetch_one(&mut admin)
        .await
        .unwrap()
}

fn day(n: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, n).unwrap()
}

fn fact(n: u32, campaign: &str, cost: &str) -> Fact {
    Fact {
        day: day(n),
        currency: "EUR".into(),
        dims: BTreeMap::from([("campaign".into(), campaign.into())]),
        measures: BTreeMap::from([("cost".into(), cost.parse::<Decimal>().unwrap())]),
    }
}

async fn replace(app: &TestApp<Analytics>, n: u128, days: &[u32], rows: Vec<Fact>) {
    let mut tx = tx(app).await;
    let days: BTreeSet<NaiveDate> = days.iter().map(|n| day(*n)).collect();
    facts::replace(&mut tx, &load(n), "google-ads", &days, rows)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_day_of_facts_is_replaced_and_rows_of_the_same_thing_are_added_up() {
    let app = TestApp::<Analytics>::start().await;
    let first = vec![
        fact(1, "a", "100"),
        fact(1, "a", "0.5"),
        fact(1, "b", "7"),
        fact(2, "a", "1"),
    ];
    replace(&app, 1, &[1, 2], first).await;
    let sums = "SELECT day, dims ->> 'campaign' AS campaign, measures ->> 'cost' AS cost \
                FROM analytics.facts ORDER BY day, 2";
    let expected = json!([
        { "day": "2026-03-01", "campaign": "a", "cost": "100.5" },
        { "day": "2026-03-01", "campaign": "b", "cost": "7" },
        { "day": "2026-03-02", "campaign": "a", "cost": "1" },
    ]);
    assert_eq!(read(&app, sums).await, expected);

    // The platform restates the first day: campaign b is gone there, and nothing is added.
    replace(&app, 2, &[1], vec![fact(1, "a", "90")]).await;
    let expected = json!([
        { "day": "2026-03-01", "campaign": "a", "cost": "90" },
        { "day": "2026-03-02", "campaign": "a", "cost": "1" },
    ]);
    assert_eq!(read(&app, sums).await, expected);
    let version = read(&app, "SELECT version FROM analytics.tenant_data").await;
    assert_eq!(version, json!([{ "version": 2 }]));
}

fn order(id: &str, line: i32, amount: i64) -> Order {
    Order {
        order_id: id.into(),
        ordered_at: NOW,
        customer: Some("17850".into()),
        currency: "GBP".into(),
        units: 2,
        gross_minor: amount,
        discount_minor: 0,
        refund_minor: 0,
        tax_minor: 0,
        shipping_minor: 0,
        cost_minor: 0,
        is_order: true,
        dims: BTreeMap::from([("country".into(), "United Kingdom".into())]),
        lines: vec![OrderLine {
            line,
            product: "85123A".into(),
            description: "HEART".into(),
            quantity: 2,
            amount_minor: amount,
        }],
    }
}

async fn upsert(app: &TestApp<Analytics>, n: u128, rows: Vec<Order>) {
    let mut tx = tx(app).await;
    orders::upsert(&mut tx, &load(n), rows).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn parts_of_an_order_in_one_load_are_added_up_and_another_load_replaces_it() {
    let app = TestApp::<Analytics>::start().await;
    let seen = "SELECT o.order_id, o.units, o.gross_minor, count(l.*) AS lines, sum(l.amount_minor) AS amount \
                FROM analytics.orders AS o JOIN analytics.order_lines AS l USING (tenant_id, source_id, order_id) \
                GROUP BY 1, 2, 3 ORDER BY 1";
    upsert(
        &app,
        1,
        vec![order("A", 2, 100), order("A", 3, 50), order("B", 4, 1)],
    )
    .await;
    upsert(&app, 1, vec![order("A", 5, 25)]).await;
    assert_eq!(
        read(&app, seen).await,
        json!([
            { "order_id": "A", "units": 6, "gross_minor": 175, "lines": 3, "amount": 175 },
            { "order_id": "B", "units": 2, "gross_minor": 1, "lines": 1, "amount": 1 },
        ])
    );
    upsert(&app, 2, vec![order("A", 2, 80)]).await;
    assert_eq!(
        read(&app, seen).await[0],
        json!({ "order_id": "A", "units": 2, "gross_minor": 80, "lines": 1, "amount": 80 })
    );
}

#[tokio::test]
async fn a_deal_is_as_it_was_told_last_and_an_older_telling_is_passed_over() {
    let app = TestApp::<Analytics>::start().await;
    let deal = |revision: i64, stage: &str, outcome: Outcome| Deal {
        deal_id: "d1".into(),
        revision,
        pipeline: "Sales".into(),
        stage: stage.into(),
        owner: "ada".into(),
        currency: "EUR".into(),
        amount_minor: 1_000,
        probability: 50,
        outcome,
        created_at: NOW,
        closed_at: (outcome != Outcome::Open).then_some(NOW),
        dims: BTreeMap::new(),
        entered: vec![(stage.into(), NOW)],
    };
    for told in [
        vec![
            deal(1, "New", Outcome::Open),
            deal(2, "Talks", Outcome::Open),
        ],
        vec![deal(4, "Won", Outcome::Won)],
        vec![deal(2, "Talks", Outcome::Open)],
    ] {
        let mut tx = tx(&app).await;
        deals::upsert(&mut tx, deals::CRM, NOW, told).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(
        read(&app, "SELECT stage, outcome, revision FROM analytics.deals").await,
        json!([{ "stage": "Won", "outcome": "won", "revision": 4 }])
    );
    assert_eq!(
        read(&app, "SELECT stage FROM analytics.deal_stages ORDER BY 1").await,
        json!([{ "stage": "New" }, { "stage": "Talks" }, { "stage": "Won" }])
    );
}
