//! Files of events.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use serde_json::json;

use crate::source_support::{loaded, read, upload_source};

#[tokio::test]
async fn events_without_ids_count_once_however_often_the_file_is_sent_and_equal_rows_are_different_events()
 {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(
        &app.acme.owner,
        "events",
        json!({ "event_name": "call", "currency": "EUR" }),
    )
    .await;
    let file = "timestamp,actor_id,amount\n2026-03-01 10:00:00,ada,1.50\n2026-03-01 10:00:00,ada,1.50\n2026-03-01 11:00:00,bob,\n";
    loaded(&app.acme.member, &source, file).await;
    loaded(&app.acme.member, &source, file).await;
    let seen = "SELECT name, actor_id, value_minor, count(*) FROM analytics.tracked_events GROUP BY 1, 2, 3 ORDER BY 2";
    assert_eq!(
        read(&app, seen).await,
        json!([
            { "name": "call", "actor_id": "ada", "value_minor": 150, "count": 2 },
            { "name": "call", "actor_id": "bob", "value_minor": null, "count": 1 },
        ])
    );
}

#[tokio::test]
async fn a_file_of_events_is_loaded_however_long_it_takes() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "events", json!({ "event_name": "call" })).await;
    // The least that a transaction may wait for its next statement: none waits while events are taken in.
    let mut admin = app.database.admin().await;
    sqlx::raw_sql(
        "DO $$ BEGIN
           EXECUTE format('ALTER ROLE analytics_api IN DATABASE %I SET idle_in_transaction_session_timeout = 200', current_database());
           PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'analytics_api';
         END $$",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    let mut file = String::from("timestamp,actor_id\n");
    for n in 0..15_000 {
        file.push_str(&format!("2026-03-01 10:{:02}:00,actor-{n}\n", n % 60));
    }
    // The connections of before are found to be gone.
    let answers = async || app.acme.viewer.get("/api/datasources").await.status == 200;
    for _ in 0..5 {
        wait_until(answers, Duration::from_secs(10)).await;
    }
    loaded(&app.acme.member, &source, file).await;
}
