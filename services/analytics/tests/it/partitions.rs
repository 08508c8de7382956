//! The partitions of the events: nobody's to read, made ahead, dropped as a whole.

use analytics::{Analytics, tracking};
use bz_testkit::{NOW, TestApp};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::{event, send, stored_and_counted};

#[tokio::test]
async fn nobody_can_read_a_partition_and_old_months_go_as_a_whole() {
    let app = TestApp::<Analytics>::start().await;
    send(
        &app.acme.member,
        &[
            event(0, "page_view", "2025-02-10T00:00:00Z"),
            event(1, "page_view", "2026-03-02T08:00:00Z"),
        ],
    )
    .await;
    let mut tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
    for sql in [
        "SELECT count(*) FROM analytics.tracked_events_202603",
        "INSERT INTO analytics.tracked_events_202603 (event_id, ts, received_at, name) VALUES (gen_random_uuid(), now(), now(), 'x')",
    ] {
        let refused = sqlx::query(sql).execute(tx.conn()).await.unwrap_err();
        let code = refused
            .as_database_error()
            .unwrap()
            .code()
            .unwrap()
            .into_owned();
        assert_eq!(code, "42501", "{sql}: insufficient_privilege");
        drop(tx);
        tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
    }
    drop(tx);
    let granted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, pg_roles AS r \
         WHERE n.nspname = 'analytics' AND c.relispartition AND c.relkind = 'r' AND NOT r.rolsuper \
           AND r.rolname NOT IN ('analytics_owner', 'analytics_migrator') AND r.rolname LIKE 'analytics%' \
           AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(granted, 0);

    tracking::tend(&app.core).await.unwrap();
    assert_eq!(stored_and_counted(&app).await, (2, 2));
    app.clock.advance(TimeDelta::days(60));
    tracking::tend(&app.core).await.unwrap();
    assert_eq!(stored_and_counted(&app).await, (1, 1));
    let days: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT day) FROM analytics.counts_day WHERE name = 'page_view'",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(days, 2, "days stay for years");
    let late: DateTime<Utc> = NOW + TimeDelta::days(61);
    send(
        &app.acme.member,
        &[event(2, "page_view", &late.to_rfc3339())],
    )
    .await;
}

#[tokio::test]
async fn two_services_that_start_at_once_make_each_month_once() {
    let app = TestApp::<Analytics>::start().await;
    app.clock.advance(TimeDelta::days(370));
    let (first, second) = tokio::join!(tracking::tend(&app.core), tracking::tend(&app.core));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    let month: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('analytics.tracked_events_202704')::text")
            .fetch_one(&mut app.database.admin().await)
            .await
            .unwrap();
    assert!(month.is_some());
}
