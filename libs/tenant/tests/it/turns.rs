//! What a request costs in round trips to the database. A request of `n` turns waits `n` times for the network.

use std::time::Duration;

use bz_tenant::Db;
use bz_testkit::{FaultProxy, wait_until};

use crate::support::{add, added, all, notes, tenant};

/// Waits until what happens after an answer has happened, then counts from zero.
async fn quiet(db: &Db, proxy: &FaultProxy) {
    let back = async || db.pool_status().size == 1 && db.pool_status().idle == 1;
    wait_until(back, Duration::from_secs(5)).await;
    proxy.reset_counts();
}

#[tokio::test]
async fn a_read_costs_two_turns_and_a_write_of_one_statement_three() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    // Warm: the connection is there and knows both statements.
    added(&db, &tenant(1), 1).await;
    quiet(&db, &proxy).await;
    all(db.tenant(&tenant(1)).await.unwrap().conn())
        .await
        .unwrap();

    quiet(&db, &proxy).await;
    let mut tx = db.tenant(&tenant(1)).await.unwrap();
    all(tx.conn()).await.unwrap();
    assert_eq!(proxy.turns(), 2, "BEGIN with the tenant, and the statement");
    drop(tx);
    assert_eq!(proxy.turns(), 2, "the rollback happens after the answer");

    quiet(&db, &proxy).await;
    let mut tx = db.tenant(&tenant(1)).await.unwrap();
    add(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        proxy.turns(),
        3,
        "BEGIN with the tenant, the statement, COMMIT"
    );

    quiet(&db, &proxy).await;
    assert_eq!(
        proxy.connections(),
        0,
        "every request used the same connection"
    );
}

#[tokio::test]
async fn the_next_transaction_ends_a_read_without_a_turn_for_it() {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    added(&db, &tenant(1), 1).await;
    let mut tx = db.read(&tenant(1)).await.unwrap();
    all(tx.conn()).await.unwrap();
    drop(tx);

    quiet(&db, &proxy).await;
    for n in 1..=50 {
        let mut tx = db.read(&tenant(n % 2 + 1)).await.unwrap();
        let seen = all(tx.conn()).await.unwrap().len() as u128;
        assert_eq!(seen, (n % 2) ^ 1, "each read sees its own tenant");
    }
    assert_eq!(proxy.turns(), 100);
}
