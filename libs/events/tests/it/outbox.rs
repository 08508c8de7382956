//! An event is there if and only if its change is.

use bz_testkit::{Tenant, TestDb};
use serde_json::json;
use sqlx::Row;

use crate::support::Producer;

#[tokio::test]
async fn an_event_is_in_the_feed_when_its_transaction_commits_and_not_before() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    let (tx, id) = producer.open(Tenant::Acme, 1).await;
    assert!(producer.page("0-0", 10).await.0.is_empty());
    tx.commit().await.unwrap();
    let item = producer.first_event().await;
    assert_eq!(item["id"], json!(id));
    assert_eq!(item["tenant_id"], json!(Tenant::Acme.id()));
    assert_eq!(item["kind"], "lead.created");
    assert_eq!(item["actor"], json!(Tenant::Acme.scope().user()));
    assert_eq!(item["at"], "2026-03-02T09:00:00Z");
    assert_eq!(item["traceparent"], json!(null));
}

#[tokio::test]
async fn an_event_of_a_transaction_that_was_given_up_never_happened() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    let (tx, _) = producer.open(Tenant::Acme, 1).await;
    drop(tx);
    producer.write(Tenant::Acme, 2).await;
    bz_testkit::wait_until(
        async || producer.page("0-0", 10).await.0 == [2],
        std::time::Duration::from_secs(5),
    )
    .await;
}

#[tokio::test]
async fn an_event_carries_the_trace_of_the_request_that_caused_it() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let context = bz_http::context::RequestContext {
        request_id: "r".into(),
        path: "/".into(),
        traceparent: traceparent.into(),
        deadline: (std::time::Instant::now() + std::time::Duration::from_secs(5)).into(),
    };
    bz_http::context::scope(context, producer.write(Tenant::Acme, 1)).await;
    assert_eq!(producer.first_event().await["traceparent"], traceparent);
}

#[tokio::test]
async fn a_tenant_sees_its_own_events_and_nobody_changes_one() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    producer.write(Tenant::Acme, 1).await;
    producer.write(Tenant::Globex, 2).await;
    let mut tx = producer.db.tenant(&Tenant::Globex.scope()).await.unwrap();
    let rows = sqlx::query("SELECT data FROM crm.events")
        .fetch_all(tx.conn())
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<serde_json::Value, _>(0), json!({"n": 2}));
    for change in ["UPDATE crm.events SET kind = 'x'", "DELETE FROM crm.events"] {
        let mut tx = producer.db.tenant(&Tenant::Globex.scope()).await.unwrap();
        assert!(
            sqlx::query(change).execute(tx.conn()).await.is_err(),
            "{change}"
        );
    }
}
