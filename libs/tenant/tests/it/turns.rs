//! What a request costs in round trips to the database. A request of `n` turns waits `n` times for the network.

use std::time::Duration;

use bz_tenant::Db;
use bz_testkit::{FaultProxy, TestDb, wait_until};

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
    assert_eq!(proxy.turns(), 100, "none of them goes on in another's");
}

#[tokio::test]
async fn a_question_costs_one_turn_and_leaves_no_tenant_on_its_connection() {
    let (_test, proxy, db) = with_note().await;
    let ask = async |sql: &'static str| db.ask(|| sqlx::query_as::<_, (String,)>(sql)).await;
    let sets = "SELECT set_config('app.tenant_id', '00000000-0000-0000-0000-000000000001', true)";
    ask(sets).await.unwrap();
    proxy.reset_counts();
    let (set,) = ask(sets).await.unwrap().unwrap();
    assert!(set.ends_with('1'));
    assert_eq!(proxy.turns(), 1);
    let left = ask("SELECT coalesce(current_setting('app.tenant_id', true), '')").await;
    assert_eq!(left.unwrap().unwrap().0, "", "it ended with its statement");
    assert!(
        ask("SELECT body FROM crm.notes").await.is_err(),
        "no tenant, no rows"
    );
    assert_eq!(ask("SELECT 'x' WHERE false").await.unwrap(), None);
    assert_eq!(proxy.connections(), 0, "also after an error it is good");

    // What a read left open is not gone on with.
    let mut read = db.read(&tenant(1)).await.unwrap();
    all(read.conn()).await.unwrap();
    drop(read);
    assert!(ask("SELECT body FROM crm.notes").await.is_err());
}

/// A database behind a proxy, and a note of tenant 1.
async fn with_note() -> (TestDb, FaultProxy, Db) {
    let (test, _) = notes().await;
    let proxy = test.proxy().await;
    let db = test.db_through(&proxy, "crm");
    added(&db, &tenant(1), 1).await;
    quiet(&db, &proxy).await;
    (test, proxy, db)
}

#[tokio::test]
async fn reads_of_one_tenant_in_a_row_go_on_in_one_transaction_and_see_what_is_written_meanwhile() {
    let (test, proxy, db) = with_note().await;
    let other = test.db("crm");
    let mut written = 1;
    for n in 1..=50 {
        if n % 10 == 0 {
            written += 1;
            added(&other, &tenant(1), written).await;
        }
        let mut tx = db.read(&tenant(1)).await.unwrap();
        assert_eq!(all(tx.conn()).await.unwrap().len() as u128, written);
    }
    let turns = proxy.turns();
    assert!((51..80).contains(&turns), "{turns} turns for 50 reads");
}

#[tokio::test]
async fn nothing_goes_on_in_a_transaction_in_which_a_statement_failed() {
    let (_test, _proxy, db) = with_note().await;
    for _ in 0..5 {
        let mut tx = db.read(&tenant(1)).await.unwrap();
        let failed = sqlx::query("SELECT 1 / 0").execute(tx.conn()).await;
        assert!(failed.is_err());
        drop(tx);
        let mut tx = db.read(&tenant(1)).await.unwrap();
        assert_eq!(all(tx.conn()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn nothing_goes_on_in_a_snapshot_and_a_snapshot_goes_on_in_nothing() {
    let (test, _proxy, db) = with_note().await;
    let other = test.db("crm");
    let mut snapshot = db.snapshot(&tenant(1)).await.unwrap();
    assert_eq!(all(snapshot.conn()).await.unwrap().len(), 1);
    added(&other, &tenant(1), 2).await;
    assert_eq!(all(snapshot.conn()).await.unwrap().len(), 1);
    drop(snapshot);
    let mut read = db.read(&tenant(1)).await.unwrap();
    assert_eq!(all(read.conn()).await.unwrap().len(), 2);
    drop(read);
    let mut snapshot = db.snapshot(&tenant(1)).await.unwrap();
    assert_eq!(all(snapshot.conn()).await.unwrap().len(), 2);
    added(&other, &tenant(1), 3).await;
    assert_eq!(all(snapshot.conn()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_write_after_a_read_of_the_same_tenant_is_a_transaction_of_its_own() {
    let (_test, proxy, db) = with_note().await;
    let mut read = db.read(&tenant(1)).await.unwrap();
    all(read.conn()).await.unwrap();
    drop(read);
    proxy.reset_counts();
    added(&db, &tenant(1), 2).await;
    assert_eq!(proxy.turns(), 3);
    let mut read = db.read(&tenant(1)).await.unwrap();
    let refused = add(&mut read, 3).await.unwrap_err();
    let refused = refused.as_database_error().unwrap();
    assert_eq!(refused.code().as_deref(), Some("25006"), "it is READ ONLY");
}

#[tokio::test]
async fn what_a_read_sets_for_its_transaction_is_gone_when_it_says_that_it_ends_there() {
    let (_test, _proxy, db) = with_note().await;
    for _ in 0..5 {
        let mut tx = db.read(&tenant(1)).await.unwrap();
        tx.ends_here();
        sqlx::query("SELECT set_config('enable_sort', 'off', true)")
            .execute(tx.conn())
            .await
            .unwrap();
        drop(tx);
        let mut tx = db.read(&tenant(1)).await.unwrap();
        let set: String = sqlx::query_scalar("SELECT current_setting('enable_sort')")
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(set, "on");
        tx.ends_here();
    }
}
