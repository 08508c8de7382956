//! The function through which the outbox of all tenants is read.

use std::time::Duration;

use bz_tenant::{Db, TenantTx};
use bz_testkit::{TestDb, wait_until};
use uuid::Uuid;

use crate::support::tenant;

async fn append(tx: &mut TenantTx, id: u128) {
    let sql =
        "INSERT INTO crm.events (id, kind, at, data) VALUES ($1, 'crm.note.added', now(), '{}')";
    sqlx::query(sql)
        .bind(Uuid::from_u128(id))
        .execute(tx.conn())
        .await
        .unwrap();
}

/// Position and id of what the feed has after a position.
async fn after(db: &Db, position: &(String, i64)) -> Vec<(String, i64, Uuid)> {
    let mut tx = db.system().await.unwrap();
    sqlx::query_as("SELECT txid::text, seq, id FROM crm.events_after($1::text::xid8, $2, 100)")
        .bind(&position.0)
        .bind(position.1)
        .fetch_all(tx.conn())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_feed_has_all_tenants_and_never_an_event_before_one_it_has_shown() {
    let test = TestDb::new().await;
    let db = test.db("crm");
    let start = ("0".to_owned(), 0);

    let mut early = db.tenant(&tenant(1)).await.unwrap();
    append(&mut early, 1).await;
    let mut late = db.tenant(&tenant(2)).await.unwrap();
    append(&mut late, 2).await;
    late.commit().await.unwrap();
    assert_eq!(
        after(&db, &start).await,
        [],
        "an earlier transaction is still open"
    );

    early.commit().await.unwrap();
    // Transactions of other databases of the server hold the feed back as well, until they end.
    let mut shown = Vec::new();
    let both = async || {
        shown = after(&db, &start).await;
        shown.len() == 2
    };
    wait_until(both, Duration::from_secs(30)).await;
    assert_eq!(
        shown.iter().map(|row| row.2.as_u128()).collect::<Vec<_>>(),
        [1, 2]
    );

    let (txid, seq, _) = shown[0].clone();
    assert_eq!(after(&db, &(txid, seq)).await, shown[1..]);
}

#[tokio::test]
async fn the_outbox_itself_shows_a_tenant_its_own_events_and_cannot_be_changed() {
    let test = TestDb::new().await;
    let db = test.db("crm");
    for number in [1, 2] {
        let mut tx = db.tenant(&tenant(number)).await.unwrap();
        append(&mut tx, number).await;
        tx.commit().await.unwrap();
    }
    let mut tx = db.tenant(&tenant(1)).await.unwrap();
    let own: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM crm.events")
        .fetch_all(tx.conn())
        .await
        .unwrap();
    assert_eq!(own, [Uuid::from_u128(1)]);
    for sql in ["UPDATE crm.events SET kind = 'x'", "DELETE FROM crm.events"] {
        let mut tx = db.tenant(&tenant(1)).await.unwrap();
        let refused = sqlx::query(sql).execute(tx.conn()).await.unwrap_err();
        assert!(
            refused.to_string().contains("permission denied"),
            "{sql}: {refused}"
        );
    }
}
