//! The feed's order, and who may read it.

use std::time::Duration;

use bz_testkit::{Role, Tenant, TestDb, wait_until};
use http::StatusCode;
use serde_json::json;

use crate::support::Producer;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn transactions_that_commit_in_another_order_than_they_began_are_neither_skipped_nor_told_twice()
 {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    producer.write(Tenant::Acme, 0).await;
    let (first, _) = producer.open(Tenant::Acme, 1).await;
    let (second, _) = producer.open(Tenant::Globex, 2).await;
    producer.write(Tenant::Acme, 3).await;
    second.commit().await.unwrap();

    // 2 and 3 are committed, but 1 would come before them.
    let mut cursor = String::from("0-0");
    let mut seen = Vec::new();
    wait_until(
        async || {
            let (numbers, next) = producer.page(&cursor, 10).await;
            seen.extend(numbers);
            cursor = next;
            seen == [0]
        },
        PATIENCE,
    )
    .await;
    assert_eq!(producer.page(&cursor, 10).await, (vec![], cursor.clone()));
    first.commit().await.unwrap();
    wait_until(
        async || {
            let (numbers, next) = producer.page(&cursor, 1).await;
            seen.extend(numbers);
            cursor = next;
            seen.len() == 4
        },
        PATIENCE,
    )
    .await;
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(producer.page(&cursor, 10).await, (vec![], cursor));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_beside_many_writers_sees_every_event_once() {
    const WRITERS: usize = 4;
    const EACH: usize = 40;
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    for writer in 0..WRITERS {
        let producer = producer.clone();
        tokio::spawn(async move {
            for n in 0..EACH {
                let number = writer * EACH + n;
                let (mut tx, _) = producer.open(Tenant::Acme, number).await;
                let held = (number * 7 % 5) as f64 / 1000.0;
                sqlx::query("SELECT pg_sleep($1)")
                    .bind(held)
                    .execute(tx.conn())
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
        });
    }
    let mut cursor = String::from("0-0");
    let mut seen = Vec::new();
    wait_until(
        async || {
            let (numbers, next) = producer.page(&cursor, 3).await;
            seen.extend(numbers);
            cursor = next;
            seen.len() >= WRITERS * EACH
        },
        PATIENCE,
    )
    .await;
    assert!(producer.page(&cursor, 3).await.0.is_empty());
    seen.sort_unstable();
    assert_eq!(seen, (0..(WRITERS * EACH) as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_follow_each_other_and_several_events_of_one_transaction_may_be_parted() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    let mut tx = producer.db.tenant(&Tenant::Acme.scope()).await.unwrap();
    for n in 0..5 {
        let event = bz_events::NewEvent {
            kind: "lead.created",
            actor: None,
            data: json!({"n": n}),
        };
        bz_events::append(&mut tx, &producer.sources, event)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    wait_until(
        async || producer.page("0-0", 10).await.0.len() == 5,
        PATIENCE,
    )
    .await;
    let (first, cursor) = producer.page("0-0", 2).await;
    let (second, cursor) = producer.page(&cursor, 2).await;
    let (third, cursor) = producer.page(&cursor, 2).await;
    assert_eq!([first, second, third].concat(), [0, 1, 2, 3, 4]);
    assert_eq!(producer.page(&cursor, 2).await, (vec![], cursor));
}

#[tokio::test]
async fn only_services_with_the_scope_may_follow_the_feed() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    let (status, _) = producer.get("", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for token in [
        producer.tokens.user(Tenant::Acme, Role::Owner),
        producer.tokens.service("analytics", ""),
        producer.tokens.service("analytics", "other:read"),
    ] {
        let (status, body) = producer.get("", Some(&token)).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::FORBIDDEN, &json!("forbidden"))
        );
    }
    let (status, body) = producer.get("", Some(&producer.service_token())).await;
    assert_eq!(
        (status, body),
        (StatusCode::OK, json!({"items": [], "next_cursor": "0-0"}))
    );
}

#[tokio::test]
async fn a_position_or_limit_that_is_none_is_answered_422() {
    let database = TestDb::new().await;
    let producer = Producer::new(&database);
    for query in [
        "?after=x",
        "?after=",
        "?after=1",
        "?after=-1-2",
        "?after=1-99999999999999999999",
        "?after=1%20-2",
        "?limit=0",
        "?limit=1001",
        "?limit=-1",
        "?limit=x",
        "?other=1",
    ] {
        let (status, body) = producer.get(query, Some(&producer.service_token())).await;
        assert_eq!(
            (status, &body["code"]),
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!("validation_failed")
            ),
            "{query}"
        );
    }
    let (status, _) = producer
        .get("?limit=1000", Some(&producer.service_token()))
        .await;
    assert_eq!(status, StatusCode::OK);
}
