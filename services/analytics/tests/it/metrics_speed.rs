//! What questions cost the database: counts by day, read through the key, in single milliseconds.

use std::time::Instant;

use analytics::Analytics;
use analytics::query::{self, Query};
use bz_testkit::{Tenant, TestApp};
use serde_json::json;
use sqlx::{PgConnection, query_scalar};

/// 400 days of 40 names without a dimension and by 20 sources, of two tenants: 640,000 rows.
async fn a_year_of_counts(admin: &mut PgConnection) {
    sqlx::query(
        "INSERT INTO analytics.rollup_day (tenant_id, zone, dim, name, day, value, currency, cnt, amount_minor) \
         SELECT t, 'UTC', dim, 'event-' || n, '2025-01-26'::date + d, value, '', 1, 0 \
         FROM unnest($1::uuid[]) AS t, generate_series(1, 40) AS n, generate_series(0, 399) AS d, \
              (SELECT '' AS dim, '' AS value UNION ALL SELECT 'source', 's' || s FROM generate_series(1, 20) AS s) AS v \
         ORDER BY 1, 2, 3, 4, 5",
    )
    .bind([Tenant::Acme, Tenant::Globex].map(|tenant| tenant.id().as_uuid()).as_slice())
    .execute(&mut *admin)
    .await
    .unwrap();
    sqlx::query("VACUUM ANALYZE analytics.rollup_day")
        .execute(admin)
        .await
        .unwrap();
}

#[tokio::test]
async fn thirty_days_with_comparison_take_single_milliseconds() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    a_year_of_counts(&mut admin).await;
    let question: Query = serde_json::from_value(json!({
        "metrics": ["events.count", "events.page_views"], "range": { "from": "2026-01-30", "to": "2026-02-28" },
        "granularity": "day", "compare": "previous_period", "totals": true
    }))
    .unwrap();
    let mut times = Vec::new();
    for _ in 0..21 {
        let mut tx = app.db().snapshot(&app.acme.tenant.scope()).await.unwrap();
        let begun = Instant::now();
        let frame = query::run(&mut tx, bz_testkit::NOW, &question)
            .await
            .unwrap();
        times.push(begun.elapsed());
        assert_eq!(
            (frame.rows.len(), frame.totals.unwrap().values[0].unwrap()),
            (30, 1200.into())
        );
    }
    times.sort();
    println!(
        "30 days with comparison, planned and put together by a debug build: median {:?}",
        times[10]
    );
    // The machine may be busy and the build is not optimized; an index that is not used takes ten times as long.
    assert!(times[0].as_millis() < 50, "{times:?}");
}

#[tokio::test]
async fn counts_by_day_are_found_through_the_key_under_row_level_security() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    a_year_of_counts(&mut admin).await;
    let mut tx = app.db().read(&app.acme.tenant.scope()).await.unwrap();
    for (condition, most) in [
        (
            "dim = '' AND day >= '2026-01-30' AND day < '2026-03-01'",
            300,
        ),
        (
            "dim = '' AND day >= '2026-01-30' AND day < '2026-03-01' AND name = ANY ('{event-1,event-2}')",
            20,
        ),
        (
            "dim = 'source' AND day >= '2026-01-30' AND day < '2026-03-01' AND name = ANY ('{event-7}') AND value = ANY ('{s3}')",
            40,
        ),
    ] {
        let sql = format!(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT width_bucket(day, '{{2026-01-30,2026-02-10}}'::date[]), sum(cnt) \
             FROM analytics.counts_day WHERE zone = 'UTC' AND {condition} GROUP BY 1"
        );
        let plan: serde_json::Value = query_scalar(&sql).fetch_one(tx.conn()).await.unwrap();
        let text = plan.to_string();
        let buffers = plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap()
            + plan[0]["Plan"]["Shared Read Blocks"].as_i64().unwrap();
        println!(
            "{condition}: {buffers} buffers, {} ms",
            plan[0]["Execution Time"]
        );
        assert!(
            text.contains("rollup_day_pkey") && !text.contains("Seq Scan"),
            "{text}"
        );
        assert!(buffers <= most, "{buffers} buffers: {text}");
    }
}
