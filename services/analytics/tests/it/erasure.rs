//! When a tenant is gone for good, what was counted of it goes.

use std::time::Duration;

use analytics::{Analytics, tracking};
use bz_kernel::platform;
use bz_testkit::{IdentityFeed, Tenant, TestApp, rows_of, wait_until};

use serde_json::json;

use crate::{
    report_schedules,
    support::{event, send},
};

const PATIENCE: Duration = Duration::from_secs(20);

async fn cursor(app: &TestApp<Analytics>) -> Option<String> {
    sqlx::query_scalar("SELECT cursor FROM analytics.feed_cursors WHERE source = 'identity'")
        .fetch_optional(&mut app.database.admin().await)
        .await
        .unwrap()
}

async fn following(before: &TestApp<Analytics>, feed: &IdentityFeed) -> TestApp<Analytics> {
    let mut app = TestApp::<Analytics>::builder()
        .beside(before)
        .sibling(&platform::IDENTITY, &feed.url)
        .start()
        .await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn a_deleted_tenants_counts_go_and_the_other_tenants_stay_and_once_more_does_no_harm() {
    let app = TestApp::<Analytics>::start().await;
    for member in [&app.acme.member, &app.globex.member] {
        let mut event = event(0, "page_view", "2026-03-02T08:07:00Z");
        event["actor_id"] = json!("ada");
        event["path"] = json!("/pricing");
        send(member, &[event]).await;
        let schedule = member.post("/api/report-schedules", report_schedules::wanted());
        schedule.await.assert_status(201);
    }
    tracking::fold_all(&app.core).await.unwrap();
    let others = rows_of(&app.database, "analytics", Tenant::Globex).await;
    for table in [
        "tracked_events",
        "rollup_15m",
        "rollup_day",
        "tenant_data",
        "unique_sketches",
        "dimension_values",
        "report_schedules",
    ] {
        let (_, count) = others.iter().find(|(name, _)| name == table).unwrap();
        assert!(*count > 0, "{table}");
    }

    let feed = IdentityFeed::of(&app.database).await;
    let mut first = following(&app, &feed).await;
    feed.tell_deleted(Tenant::Acme).await;
    let gone = async || {
        let rows = rows_of(&app.database, "analytics", Tenant::Acme).await;
        rows.iter().all(|(_, count)| *count == 0)
    };
    wait_until(gone, PATIENCE).await;
    wait_until(async || cursor(&first).await.is_some(), PATIENCE).await;
    first.stop_jobs().await;
    assert_eq!(
        rows_of(&app.database, "analytics", Tenant::Globex).await,
        others
    );

    // The event that told it is not counted either, the second time as little as the first.
    let forget = "DELETE FROM analytics.feed_cursors";
    sqlx::query(forget)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let second = following(&app, &feed).await;
    wait_until(async || cursor(&second).await.is_some(), PATIENCE).await;
    assert!(gone().await);
    assert_eq!(
        rows_of(&app.database, "analytics", Tenant::Globex).await,
        others
    );
}
