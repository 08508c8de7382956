//! Zones that are added to a tenant.

use analytics::{Analytics, tracking};
use bz_testkit::TestApp;
use chrono_tz::Tz;

use crate::{
    rollups::{add_zone, many, rebuild_all, rollups},
    support::{send, stored_and_counted},
};

#[tokio::test]
async fn a_zone_that_is_added_while_events_come_in_misses_none_and_counts_none_twice() {
    let app = TestApp::<Analytics>::start().await;
    for batch in many(1_000, 0).chunks(250) {
        send(&app.acme.member, batch).await;
    }
    let member = app.acme.member.clone();
    let sending = tokio::spawn(async move {
        for batch in many(1_500, 1_000).chunks(50) {
            send(&member, batch).await;
        }
    });
    add_zone(&app, Tz::Asia__Kolkata).await;
    add_zone(&app, Tz::America__St_Johns).await;
    sending.await.unwrap();
    let built = rollups(&app).await;
    rebuild_all(&app).await;
    assert_eq!(rollups(&app).await, built);
    let counted: i64 = sqlx::query_scalar(
        "SELECT sum(cnt)::bigint FROM analytics.counts_day WHERE zone = 'America/St_Johns' AND dim = ''",
    )
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!((counted, stored_and_counted(&app).await.0), (2_500, 2_500));
}

#[tokio::test]
async fn a_tenant_has_at_most_eight_zones() {
    let app = TestApp::<Analytics>::start().await;
    let mut tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
    let zones = &chrono_tz::TZ_VARIANTS[..8];
    let mut wanted = Vec::new();
    for zone in zones {
        wanted.push(tracking::zones::want(&mut tx, *zone).await.unwrap());
    }
    // UTC is one of the eight.
    assert_eq!(wanted.iter().filter(|kept| **kept).count(), 7);
    assert!(tracking::zones::want(&mut tx, zones[0]).await.unwrap());
}
