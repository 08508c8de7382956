//! The functions that delete old rows of all tenants.

use bz_tenant::Db;
use bz_testkit::TestDb;

use crate::support::tenant;

/// Events and remembered answers of two tenants: ten of each from a day ago and ten from today.
async fn filled() -> (TestDb, Db) {
    let test = TestDb::new().await;
    let db = test.db("crm");
    for (days_ago, number) in [(1, 1), (1, 2), (0, 1), (0, 2)] {
        let mut tx = db.tenant(&tenant(number)).await.unwrap();
        for sql in [
            "INSERT INTO crm.events (id, kind, at, data)
             SELECT gen_random_uuid(), 'note.added', now() - make_interval(days => $1), '{}'
             FROM generate_series(1, 10)",
            "INSERT INTO crm.idempotency_keys (user_id, operation, key, request_hash, created_at)
             SELECT gen_random_uuid(), 'notes.create', 'key', '', now() - make_interval(days => $1)
             FROM generate_series(1, 10)",
        ] {
            let filled = sqlx::query(sql).bind(days_ago).execute(tx.conn());
            filled.await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    (test, db)
}

async fn purge(db: &Db, table: &str, batch: i32) -> i64 {
    let mut tx = db.system().await.unwrap();
    let sql = format!("SELECT crm.purge_{table}(now() - interval '1 hour', $1)");
    let deleted = sqlx::query_scalar(&sql)
        .bind(batch)
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    deleted
}

#[tokio::test]
async fn what_is_old_goes_in_batches_for_every_tenant_and_what_is_young_stays() {
    let (_test, db) = filled().await;
    for table in ["idempotency_keys", "events"] {
        let mut deleted = Vec::new();
        while deleted.last() != Some(&0) {
            deleted.push(purge(&db, table, 10).await);
        }
        assert_eq!(deleted.iter().sum::<i64>(), 20, "{table}: {deleted:?}");
        assert!(
            deleted.iter().all(|batch| *batch <= 10),
            "{table}: {deleted:?}"
        );
        for number in [1, 2] {
            let mut tx = db.read(&tenant(number)).await.unwrap();
            let left: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM crm.{table}"))
                .fetch_one(tx.conn())
                .await
                .unwrap();
            assert_eq!(left, 10, "{table} of tenant {number}");
        }
    }
}
