//! What a request costs the database: turns on the wire, and plans that use the index.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use sqlx::query_scalar;

use crate::support::{events, overview, send};

const TS: &str = "2026-03-02T08:07:00Z";

#[tokio::test]
async fn a_batch_costs_three_turns_whatever_its_size_and_the_overview_two() {
    // One connection, so that a statement is prepared once.
    let app = TestApp::<Analytics>::builder()
        .env("DB_POOL_SIZE", "1")
        .proxy()
        .start()
        .await;
    let proxy = app.proxy.as_ref().unwrap();
    send(&app.acme.member, &events(1, "page_view", TS)).await;
    overview(&app.acme.viewer, "").await;

    // What follows an answer, as the ROLLBACK of a read, keeps nobody waiting; it is over when the connection is back.
    let quiet = async || {
        wait_until(
            async || app.db().pool_status().idle == 1,
            Duration::from_secs(5),
        )
        .await;
        proxy.reset_counts();
    };
    for size in [1, 1000] {
        quiet().await;
        send(&app.acme.member, &events(size, "click", TS)).await;
        assert_eq!(
            proxy.turns(),
            3,
            "BEGIN with the tenant, INSERT, COMMIT for {size} events"
        );
    }
    quiet().await;
    overview(&app.acme.viewer, "days=365").await;
    assert_eq!(proxy.turns(), 2, "BEGIN with the tenant, SELECT");
}

#[tokio::test]
async fn the_overview_reads_its_days_of_one_tenant_by_the_index() {
    let app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    sqlx::query(
        "INSERT INTO analytics.rollup_15m (tenant_id, dim, name, bucket, value, currency, cnt, amount_minor) \
         SELECT t, '', 'lead.created', '2025-03-01T00:00:00Z'::timestamptz + n * interval '15 minutes', '', '', 1, 0 \
         FROM unnest($1::uuid[]) AS t, generate_series(1, 20000) AS n",
    )
    .bind([app.acme.id().as_uuid(), app.globex.id().as_uuid()].as_slice())
    .execute(&mut admin)
    .await
    .unwrap();
    sqlx::query("ANALYZE analytics.rollup_15m")
        .execute(&mut admin)
        .await
        .unwrap();

    let mut tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
    let plan: Vec<String> = query_scalar(
        "EXPLAIN SELECT sum(cnt) FROM analytics.counts_15m \
         WHERE dim = '' AND bucket >= '2025-05-01T00:00:00Z' AND bucket < '2025-05-15T00:00:00Z' GROUP BY name",
    )
    .fetch_all(tx.conn())
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("rollup_15m_pkey") && !plan.contains("Seq Scan"),
        "{plan}"
    );
}
