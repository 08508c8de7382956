//! A database that is gone, comes back, or does not answer.

use std::time::Duration;

use bz_tenant::{Db, DbConfig, DbError};
use bz_testkit::{Fault, wait_until};

use crate::support::{added, ids, notes, tenant};

#[tokio::test]
async fn connections_that_died_while_idle_are_not_noticed_by_the_next_request() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    let held: Vec<_> = [
        db.tenant(&tenant(1)).await.unwrap(),
        db.tenant(&tenant(1)).await.unwrap(),
    ]
    .into();
    drop(held);
    wait_until(async || db.pool_status().idle == 2, Duration::from_secs(5)).await;
    proxy.cut();
    wait_until(
        async || proxy.open_connections() == 0,
        Duration::from_secs(5),
    )
    .await;
    let (one,): (i32,) = db
        .ask(|| sqlx::query_as("SELECT 1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one, 1);
    added(&db, &tenant(1), 1).await;
    assert_eq!(ids(&db, &tenant(1)).await, [1]);
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable_and_waited_for() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let config = DbConfig {
        url: test.url_through(&proxy, "crm"),
        pool_size: 2,
        acquire_timeout: Duration::from_millis(200),
        schema: "crm",
    };
    proxy.set(Fault::Refuse).await;
    let db = Db::connect_lazy(&config).unwrap();
    let error = db.tenant(&tenant(1)).await.unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");

    let mut pauses = Vec::new();
    let mut waiting = Box::pin(db.wait_until_reachable(|_, pause| pauses.push(pause)));
    let still = tokio::time::timeout(Duration::from_millis(900), waiting.as_mut()).await;
    assert!(still.is_err(), "it waits for ever");
    proxy.set(Fault::Pass).await;
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("it comes back");
    assert!(
        pauses.windows(2).all(|pair| pair[0] < pair[1]),
        "the pauses grow: {pauses:?}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_answer_holds_a_request_for_the_acquire_timeout_only() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let config = DbConfig {
        url: test.url_through(&proxy, "crm"),
        pool_size: 1,
        acquire_timeout: Duration::from_millis(300),
        schema: "crm",
    };
    let db = Db::connect_lazy(&config).unwrap();
    db.ping().await.unwrap();
    wait_until(async || db.pool_status().idle == 1, Duration::from_secs(5)).await;
    proxy.set(Fault::Hang).await;
    let asked = tokio::time::timeout(Duration::from_secs(3), db.tenant(&tenant(1))).await;
    assert!(matches!(
        asked.expect("an answer in time"),
        Err(DbError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_rollback_that_gets_no_answer_ends_its_connection() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    let tx = db.tenant(&tenant(1)).await.unwrap();
    proxy.set(Fault::Hang).await;
    drop(tx);
    wait_until(async || db.pool_status().size == 0, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_one_is_refused_without_being_repeated() {
    for url in [
        "postgres://u:secret@[",
        "mysql://u:secret@host/db",
        "secret",
    ] {
        let config = DbConfig {
            url: url.to_owned().into(),
            pool_size: 1,
            acquire_timeout: Duration::from_secs(1),
            schema: "crm",
        };
        let error = Db::connect_lazy(&config).unwrap_err();
        assert!(
            matches!(&error, DbError::Config(text) if !text.contains("secret")),
            "{error:?}"
        );
    }
}
