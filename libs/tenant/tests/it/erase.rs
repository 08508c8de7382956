//! Deleting everything that a tenant has in a schema.

use std::time::Duration;

use bz_testkit::wait_until;
use uuid::Uuid;

use crate::support::{added, ids, notes, tenant};

#[tokio::test]
async fn a_row_that_is_changed_while_it_is_erased_goes_too_and_other_tenants_rows_stay() {
    let (test, db) = notes().await;
    for id in 1..=3 {
        added(&db, &tenant(1), id).await;
    }
    added(&db, &tenant(2), 4).await;
    let mut writer = db.tenant(&tenant(1)).await.unwrap();
    sqlx::query("UPDATE crm.notes SET body = 'changed' WHERE id = $1")
        .bind(Uuid::from_u128(2))
        .execute(writer.conn())
        .await
        .unwrap();
    let scope = tenant(1);
    let erasing = bz_tenant::erase::erase(&db, &scope, &[]);
    let mut admin = test.admin().await;
    let committing = async {
        let waits = async || {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut admin)
            .await
            .unwrap();
            waiting == 1
        };
        wait_until(waits, Duration::from_secs(10)).await;
        writer.commit().await.unwrap();
    };
    let (erased, ()) = tokio::join!(erasing, committing);
    assert_eq!(erased.unwrap(), 3);
    assert!(ids(&db, &tenant(1)).await.is_empty());
    assert_eq!(ids(&db, &tenant(2)).await, [4]);
}
