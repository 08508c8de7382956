//! `POST /api/cohorts/query`: customers by the period of their first order.

use analytics::{
    Analytics,
    sources::{
        Load,
        orders::{self, Order, OrderLine},
    },
};
use bz_tenant::TenantScope;
use bz_testkit::{Client, NOW, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

/// An order of one unit for a customer; amounts are in cents.
pub(crate) fn order(id: &str, customer: &str, at: &str, cents: i64) -> Order {
    Order {
        order_id: id.to_owned(),
        ordered_at: at.parse().unwrap(),
        customer: (!customer.is_empty()).then(|| customer.to_owned()),
        currency: "USD".into(),
        units: 1,
        gross_minor: cents,
        discount_minor: 0,
        refund_minor: 0,
        tax_minor: 0,
        shipping_minor: 0,
        cost_minor: 0,
        is_order: true,
        dims: [("channel".to_owned(), "web".to_owned())].into(),
        lines: Vec::new(),
    }
}

/// Writes orders of acme down.
pub(crate) async fn load(app: &TestApp<Analytics>, orders: Vec<Order>) {
    let load = Load {
        source_id: Uuid::from_u128(7),
        load_id: Uuid::from_u128(1),
        at: NOW,
    };
    let scope = TenantScope::new(app.acme.id(), None);
    let mut tx = app.db().tenant(&scope).await.unwrap();
    orders::upsert(&mut tx, &load, orders).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn ask(
    client: &Client,
    cohorts: Value,
    (from, to): (&str, &str),
    timezone: &str,
) -> Value {
    let asked =
        json!({ "cohorts": cohorts, "range": { "from": from, "to": to }, "timezone": timezone });
    client
        .post("/api/cohorts/query", asked)
        .await
        .assert_status(200)
        .json()
}

/// One member of every cell of the `n`th cohort.
pub(crate) fn cells(grid: &Value, n: usize, member: &str) -> Vec<Value> {
    let cells = grid["cohorts"][n]["cells"].as_array().unwrap();
    cells.iter().map(|cell| cell[member].clone()).collect()
}

#[tokio::test]
async fn customers_come_back_in_periods_after_their_first_order_and_money_adds_up() {
    let app = TestApp::<Analytics>::start().await;
    let mut refund = order("r1", "ada", "2026-02-20T12:00:00Z", 0);
    (refund.refund_minor, refund.is_order, refund.units) = (500, false, 0);
    let orders = vec![
        order("1", "ada", "2025-12-05T12:00:00Z", 10_00),
        order("2", "ada", "2026-02-05T12:00:00Z", 20_00),
        order("3", "bob", "2025-12-31T23:59:59Z", 30_00),
        order("4", "cyd", "2026-01-01T00:00:00Z", 40_00),
        // Nobody knows whose: of no cohort.
        order("5", "", "2026-01-02T00:00:00Z", 99_00),
        refund,
    ];
    load(&app, orders).await;
    let grid = ask(
        &app.acme.viewer,
        json!({ "periods": 3 }),
        ("2025-12-01", "2026-02-28"),
        "UTC",
    )
    .await;
    assert_eq!(grid["currency"], "USD");
    assert_eq!(grid["cohorts"].as_array().unwrap().len(), 3);
    assert_eq!(grid["cohorts"][0]["cohort"], "2025-12-01");
    // March has begun and is not over.
    assert_eq!(
        cells(&grid, 0, "customers"),
        [json!(2), json!(0), json!(1), json!(0)]
    );
    assert_eq!(
        cells(&grid, 0, "retention"),
        [json!("1"), json!("0"), json!("0.5"), json!("0")]
    );
    assert_eq!(
        cells(&grid, 0, "net"),
        [json!("40"), json!("0"), json!("15"), json!("0")]
    );
    assert_eq!(
        cells(&grid, 0, "ltv"),
        [json!("20"), json!("20"), json!("27.5"), json!("27.5")]
    );
    assert_eq!(
        cells(&grid, 0, "complete"),
        [json!(true), json!(true), json!(true), json!(false)]
    );
    assert_eq!(cells(&grid, 1, "customers"), [json!(1), json!(0), json!(0)]);
    assert_eq!(
        (
            &grid["cohorts"][2]["size"],
            &grid["cohorts"][2]["cells"][0]["retention"]
        ),
        (&json!(0), &Value::Null)
    );
    // Only December's customers have come through the second month after.
    assert_eq!(
        grid["totals"][2],
        json!({ "period": 2, "size": 2, "customers": 1, "retention": "0.5", "ltv": "27.5" })
    );
}

#[tokio::test]
async fn a_month_is_that_of_the_time_zone() {
    let app = TestApp::<Analytics>::start().await;
    // 1 January in India, 31 December in UTC and New York.
    load(&app, vec![order("1", "ada", "2025-12-31T18:30:00Z", 10_00)]).await;
    for (zone, sizes) in [
        ("Asia/Kolkata", [0, 1]),
        ("UTC", [1, 0]),
        ("America/New_York", [1, 0]),
    ] {
        let grid = ask(
            &app.acme.viewer,
            json!({}),
            ("2025-12-10", "2026-01-20"),
            zone,
        )
        .await;
        assert_eq!(
            [&grid["cohorts"][0]["size"], &grid["cohorts"][1]["size"]],
            sizes.map(|size| json!(size)).each_ref(),
            "{zone}"
        );
    }
}

#[tokio::test]
async fn a_cohort_says_when_it_had_paid_for_itself() {
    let app = TestApp::<Analytics>::start().await;
    let mut orders = vec![
        order("1", "ada", "2025-12-05T12:00:00Z", 10_00),
        order("2", "ada", "2026-01-05T12:00:00Z", 10_00),
        order("3", "ada", "2026-02-05T12:00:00Z", 10_00),
    ];
    for order in &mut orders {
        order.cost_minor = 4_00;
    }
    load(&app, orders).await;
    let range = ("2025-12-01", "2025-12-31");
    // 6.00 are left of each order.
    for (cac, margin, payback) in [
        ("6", Value::Null, json!(0)),
        ("6.01", Value::Null, json!(1)),
        ("12.00", Value::Null, json!(1)),
        ("19", Value::Null, Value::Null),
        ("19", json!("1"), json!(1)),
    ] {
        let grid = ask(
            &app.acme.viewer,
            json!({ "cac": cac, "margin": margin }),
            range,
            "UTC",
        )
        .await;
        assert_eq!(grid["cohorts"][0]["payback_period"], payback, "{cac}");
    }
    let grid = ask(&app.acme.viewer, json!({ "cac": "15" }), range, "UTC").await;
    assert_eq!(
        (
            &grid["cohorts"][0]["ltv_to_cac"],
            &grid["cohorts"][0]["margin"]
        ),
        (&json!("2"), &json!("0.6"))
    );
}

#[tokio::test]
async fn cohorts_are_told_apart_and_filtered_by_the_first_order() {
    let app = TestApp::<Analytics>::start().await;
    let with = |mut order: Order, channel: &str, product: &str| {
        order.dims.insert("channel".into(), channel.into());
        order.lines = vec![OrderLine {
            line: order.order_id.parse().unwrap(),
            product: product.into(),
            description: String::new(),
            quantity: 1,
            amount_minor: order.gross_minor,
        }];
        order
    };
    let orders = vec![
        with(
            order("1", "ada", "2026-01-05T12:00:00Z", 10_00),
            "web",
            "tea",
        ),
        with(
            order("2", "ada", "2026-02-05T12:00:00Z", 10_00),
            "shop",
            "cup",
        ),
        with(
            order("3", "bob", "2026-01-06T12:00:00Z", 10_00),
            "shop",
            "cup",
        ),
    ];
    load(&app, orders).await;
    let range = ("2026-01-01", "2026-01-31");
    let sizes = |grid: &Value| -> Vec<(String, i64)> {
        let cohorts = grid["cohorts"].as_array().unwrap().iter();
        let read = |one: &Value| {
            (
                one["value"].as_str().unwrap_or("-").to_owned(),
                one["size"].as_i64().unwrap(),
            )
        };
        cohorts.map(read).collect()
    };
    let by = |name: &str| json!({ "dimension": name });
    let grid = ask(&app.acme.viewer, by("first_product"), range, "UTC").await;
    assert_eq!(sizes(&grid), [("cup".to_owned(), 1), ("tea".to_owned(), 1)]);
    // Ada's second order is of her cohort, whatever its own channel is.
    let grid = ask(&app.acme.viewer, by("channel"), range, "UTC").await;
    assert_eq!(
        sizes(&grid),
        [("shop".to_owned(), 1), ("web".to_owned(), 1)]
    );
    assert_eq!(cells(&grid, 1, "customers"), [json!(1), json!(1), json!(0)]);
    let filter =
        json!({ "filters": [{ "dimension": "channel", "operator": "in", "values": ["web"] }] });
    let grid = ask(&app.acme.viewer, filter, range, "UTC").await;
    assert_eq!(sizes(&grid), [("-".to_owned(), 1)]);
}

#[tokio::test]
async fn amounts_of_two_currencies_are_not_added_up() {
    let app = TestApp::<Analytics>::start().await;
    let mut yen = order("2", "bob", "2026-01-05T12:00:00Z", 1_000);
    yen.currency = "JPY".into();
    load(
        &app,
        vec![order("1", "ada", "2026-01-05T12:00:00Z", 10_00), yen],
    )
    .await;
    let asked = json!({ "cohorts": {}, "range": { "from": "2026-01-01", "to": "2026-01-31" } });
    let refused = app.acme.viewer.post("/api/cohorts/query", asked).await;
    let refused = refused.assert_problem(422, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["code"], "several_currencies");
    let range = ("2026-01-01", "2026-01-31");
    let grid = ask(&app.acme.viewer, json!({ "currency": "JPY" }), range, "UTC").await;
    // A yen has no hundredths.
    assert_eq!(
        (
            &grid["cohorts"][0]["size"],
            &grid["cohorts"][0]["cells"][0]["net"]
        ),
        (&json!(1), &json!("1000"))
    );
}

#[tokio::test]
async fn another_tenants_orders_are_in_no_cohort_and_who_may_not_read_sees_none() {
    let app = TestApp::<Analytics>::start().await;
    load(&app, vec![order("1", "ada", "2026-01-05T12:00:00Z", 10_00)]).await;
    let grid = ask(
        &app.globex.owner,
        json!({}),
        ("2026-01-01", "2026-01-31"),
        "UTC",
    )
    .await;
    assert_eq!(grid["cohorts"][0]["size"], 0);
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(bz_testkit::Tenant::Acme));
    let asked = json!({ "cohorts": {}, "range": { "preset": "last_month" } });
    nobody
        .post("/api/cohorts/query", &asked)
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .post("/api/cohorts/query", &asked)
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let app = TestApp::<Analytics>::start().await;
    let range = json!({ "from": "2026-01-01", "to": "2026-01-31" });
    for (cohorts, pointer) in [
        (json!({ "granularity": "hour" }), "/cohorts/granularity"),
        (json!({ "periods": 0 }), "/cohorts/periods"),
        (json!({ "periods": 61 }), "/cohorts/periods"),
        (
            json!({ "dimension": "Robert'); DROP TABLE orders;--" }),
            "/cohorts/dimension",
        ),
        (json!({ "cac": "0" }), "/cohorts/cac"),
        (json!({ "margin": "1.2" }), "/cohorts/margin"),
        (json!({ "currency": "euro" }), "/cohorts/currency"),
        (
            json!({ "filters": [{ "dimension": "a b", "operator": "in", "values": ["x"] }] }),
            "/cohorts/filters/0/dimension",
        ),
        (
            json!({ "filters": [{ "dimension": "channel", "operator": "in", "values": [] }] }),
            "/cohorts/filters/0/values",
        ),
        (json!({ "depth": 3 }), "/cohorts/depth"),
    ] {
        let refused = app
            .acme
            .viewer
            .post(
                "/api/cohorts/query",
                json!({ "cohorts": cohorts, "range": range }),
            )
            .await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    for asked in [
        json!({ "cohorts": {}, "range": { "from": "2026-02-01", "to": "2026-01-31" } }),
        json!({ "cohorts": {}, "range": range, "timezone": "Mars/Olympus" }),
        json!({ "cohorts": { "granularity": "day" }, "range": { "from": "2020-01-01", "to": "2026-01-31" } }),
    ] {
        app.acme
            .viewer
            .post("/api/cohorts/query", asked)
            .await
            .assert_problem(422, "validation_failed");
    }
}
