//! Numbers of orders, of what was in them, and of deals.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use serde_json::json;
use sqlx::PgConnection;

use crate::metrics::{ask, keys, rows, values};
use crate::metrics_facts::facts;

const SOURCE: &str = "019cad9c-2a40-7000-8000-0000000000aa";

/// 3,000 orders of 400 customers over two years up to February 2026; every tenth is a cancellation, some have no customer.
async fn many_orders(admin: &mut PgConnection) {
    sqlx::query(
        "INSERT INTO analytics.orders (tenant_id, source_id, order_id, ordered_at, customer, currency, units, gross_minor, \
           discount_minor, refund_minor, cost_minor, is_order, dims, loaded_at) \
         SELECT $1, $2::uuid, n::text, '2024-03-01T00:00:00Z'::timestamptz + (n::bigint * 7919 % (730 * 1440)) * interval '1 minute', \
           CASE WHEN n % 13 > 0 THEN 'c' || n * n % 401 END, 'EUR', CASE WHEN n % 10 > 0 THEN n % 5 + 1 ELSE 0 END, \
           CASE WHEN n % 10 > 0 THEN n * 31 % 9000 ELSE 0 END, CASE WHEN n % 7 = 0 AND n % 10 > 0 THEN 100 ELSE 0 END, \
           CASE WHEN n % 10 = 0 THEN n % 700 ELSE 0 END, CASE WHEN n % 10 > 0 THEN n * 31 % 9000 / 3 ELSE 0 END, n % 10 > 0, \
           jsonb_build_object('country', (ARRAY['DE', 'FR', 'IN'])[n % 3 + 1]), now() \
         FROM generate_series(1, 3000) AS n",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(SOURCE)
    .execute(admin)
    .await
    .unwrap();
}

/// Orders, gross, net in cents; customers, new ones and those with two orders, of some local days and a country.
async fn raw(
    admin: &mut PgConnection,
    zone: &str,
    from: &str,
    to: &str,
    country: Option<&str>,
) -> (i64, i64, i64, i64, i64, i64) {
    sqlx::query_as(
        "WITH mine AS (SELECT o.*, min(ordered_at) FILTER (WHERE is_order) OVER (PARTITION BY customer) AS first_at \
                       FROM analytics.orders o WHERE tenant_id = $1), \
              period AS (SELECT * FROM mine WHERE (ordered_at AT TIME ZONE $2)::date BETWEEN $3::date AND $4::date \
                         AND ($5::text IS NULL OR dims ->> 'country' = $5)), \
              people AS (SELECT customer, count(*) AS n, bool_or(ordered_at = first_at) AS fresh FROM period \
                         WHERE is_order AND customer IS NOT NULL GROUP BY customer) \
         SELECT (SELECT count(*) FROM period WHERE is_order), (SELECT coalesce(sum(gross_minor), 0)::bigint FROM period), \
                (SELECT coalesce(sum(gross_minor - discount_minor - refund_minor), 0)::bigint FROM period), \
                (SELECT count(*) FROM people), (SELECT count(*) FROM people WHERE fresh), (SELECT count(*) FROM people WHERE n > 1)",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(zone)
    .bind(from)
    .bind(to)
    .bind(country)
    .fetch_one(admin)
    .await
    .unwrap()
}

fn cents(minor: i64) -> String {
    rust_decimal::Decimal::new(minor, 2).normalize().to_string()
}

#[tokio::test]
async fn orders_and_customers_are_those_of_the_rows() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    many_orders(&mut admin).await;
    let metrics = json!([
        "orders.orders",
        "orders.gross",
        "orders.net",
        "orders.customers",
        "orders.new_customers",
        "orders.repeat_customers"
    ]);
    let zone = "Asia/Kathmandu";
    let question = json!({ "metrics": metrics, "range": { "from": "2025-01-01", "to": "2025-06-30" }, "timezone": zone, "totals": true });
    let mut monthly = question.clone();
    monthly["granularity"] = json!("month");
    monthly["compare"] = json!("previous_period");
    let frame = ask(&app.acme.viewer, monthly).await;
    let months = [
        "01-01 01-31",
        "02-01 02-28",
        "03-01 03-31",
        "04-01 04-30",
        "05-01 05-31",
        "06-01 06-30",
        "01-01 06-30",
    ];
    for (row, month) in rows(&frame).iter().chain([&frame["totals"]]).zip(months) {
        let (from, to) = month.split_once(' ').unwrap();
        let (orders, gross, net, customers, fresh, repeat) = raw(
            &mut admin,
            zone,
            &format!("2025-{from}"),
            &format!("2025-{to}"),
            None,
        )
        .await;
        let expected = [
            orders.to_string(),
            cents(gross),
            cents(net),
            customers.to_string(),
            fresh.to_string(),
            repeat.to_string(),
        ];
        assert_eq!(
            values(row),
            expected.each_ref().map(|text| Some(text.as_str())),
            "{month}"
        );
    }
    let (orders, _, _, customers, ..) =
        raw(&mut admin, zone, "2024-07-01", "2024-12-31", None).await;
    let before = &frame["totals"]["previous"];
    assert_eq!(
        (before[0].as_str(), before[3].as_str()),
        (
            Some(orders.to_string().as_str()),
            Some(customers.to_string().as_str())
        )
    );

    let mut by_country = question;
    by_country["dimensions"] = json!(["country"]);
    let frame = ask(&app.acme.viewer, by_country).await;
    assert_eq!(rows(&frame).len(), 3);
    for row in rows(&frame) {
        let (orders, _, _, customers, fresh, _) =
            raw(&mut admin, zone, "2025-01-01", "2025-06-30", keys(row)[0]).await;
        let told = values(row);
        assert_eq!(
            [told[0], told[3], told[4]],
            [orders, customers, fresh]
                .map(|n| n.to_string())
                .each_ref()
                .map(|text| Some(text.as_str())),
            "{row}"
        );
    }
}

#[tokio::test]
async fn a_customers_first_order_is_new_and_the_others_return() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    many_orders(&mut admin).await;
    let frame = ask(
        &app.acme.viewer,
        json!({ "metrics": ["orders.orders"], "dimensions": ["customer_type"], "range": { "from": "2025-01-01", "to": "2025-12-31" },
                "filters": [{ "dimension": "customer_type", "operator": "not_in", "values": [""] }], "order": [{ "by": "customer_type" }] }),
    )
    .await;
    let expected: (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE nth = 1), count(*) FILTER (WHERE nth > 1) FROM ( \
           SELECT ordered_at, rank() OVER (PARTITION BY customer ORDER BY ordered_at) AS nth FROM analytics.orders \
           WHERE tenant_id = $1 AND is_order AND customer IS NOT NULL) o \
         WHERE ordered_at >= '2025-01-01T00:00:00Z' AND ordered_at < '2026-01-01T00:00:00Z'",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .fetch_one(&mut admin)
    .await
    .unwrap();
    let told: Vec<(Option<&str>, i64)> = rows(&frame)
        .iter()
        .map(|row| (keys(row)[0], values(row)[0].unwrap().parse().unwrap()))
        .collect();
    assert_eq!(
        told,
        [(Some("new"), expected.0), (Some("returning"), expected.1)]
    );
}

#[tokio::test]
async fn products_and_advertising_meet_the_orders() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    let day = "2026-02-10";
    for (id, is_order, gross, refund) in [
        ("1", true, 5_000, 0),
        ("2", true, 3_000, 0),
        ("C3", false, 0, 1_000),
    ] {
        sqlx::query(
            "INSERT INTO analytics.orders (tenant_id, source_id, order_id, ordered_at, customer, currency, gross_minor, refund_minor, is_order, loaded_at) \
             VALUES ($1, $2::uuid, $3, '2026-02-10T12:00:00Z', 'ada', 'EUR', $4, $5, $6, now())",
        )
        .bind(Tenant::Acme.id().as_uuid())
        .bind(SOURCE)
        .bind(id)
        .bind(gross)
        .bind(refund)
        .bind(is_order)
        .execute(&mut admin)
        .await
        .unwrap();
    }
    for (id, line, product, quantity, amount) in [
        ("1", 1, "MUG", 2, 2_000),
        ("1", 2, "HAT", 1, 3_000),
        ("2", 1, "HAT", 1, 3_000),
        ("C3", 1, "MUG", -1, -1_000),
    ] {
        sqlx::query("INSERT INTO analytics.order_lines (tenant_id, source_id, order_id, line, product, quantity, amount_minor) VALUES ($1, $2::uuid, $3, $4, $5, $6, $7)")
            .bind(Tenant::Acme.id().as_uuid())
            .bind(SOURCE)
            .bind(id)
            .bind(line)
            .bind(product)
            .bind(quantity)
            .bind(amount)
            .execute(&mut admin)
            .await
            .unwrap();
    }
    facts(
        &mut admin,
        &[
            (
                "google-ads",
                day,
                "EUR",
                json!({}),
                json!({ "cost": 2_000 }),
            ),
            ("ga4", day, "", json!({}), json!({ "sessions": 80 })),
        ],
    )
    .await;
    let range = json!({ "from": day, "to": day });
    let products = ask(
        &app.acme.viewer,
        json!({ "metrics": ["order-lines.sales", "order-lines.returns", "order-lines.units", "order-lines.orders"], "dimensions": ["product"], "range": range, "totals": true }),
    )
    .await;
    let told: Vec<(Option<&str>, Vec<Option<&str>>)> = rows(&products)
        .iter()
        .map(|row| (keys(row)[0], values(row)))
        .collect();
    assert_eq!(
        told,
        [
            (
                Some("HAT"),
                vec![Some("60"), Some("0"), Some("2"), Some("2")]
            ),
            (
                Some("MUG"),
                vec![Some("20"), Some("10"), Some("2"), Some("1")]
            ),
        ]
    );
    // Two orders, though they had the hat both.
    assert_eq!(
        values(&products["totals"]),
        [Some("80"), Some("10"), Some("4"), Some("2")]
    );
    let shop = ask(
        &app.acme.viewer,
        json!({ "metrics": ["ecommerce.mer", "ecommerce.store_cvr", "ecommerce.blended_cac", "orders.refund_rate", "orders.aov"], "range": range }),
    )
    .await;
    // Net 70 by 20 spent; 2 of 80 visits; one new customer; 10 of 80 back; 70 by 2.
    assert_eq!(
        values(&rows(&shop)[0]),
        [
            Some("3.5"),
            Some("0.025"),
            Some("20"),
            Some("0.125"),
            Some("35")
        ]
    );
}
