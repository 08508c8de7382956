//! What one tenant can see and do of another one's.

use std::time::Duration;

use bz_tenant::{ConstraintKind, DbError, OnConstraint};
use bz_testkit::wait_until;
use uuid::Uuid;

use crate::support::{add, added, ids, notes, open_transactions, tenant};

#[tokio::test]
async fn a_tenant_sees_changes_and_deletes_only_its_own_rows() {
    let (_test, db) = notes().await;
    added(&db, &tenant(1), 10).await;
    added(&db, &tenant(2), 20).await;
    assert_eq!(ids(&db, &tenant(1)).await, [10]);
    assert_eq!(ids(&db, &tenant(3)).await, [0; 0]);

    let mut tx = db.tenant(&tenant(2)).await.unwrap();
    for sql in [
        "UPDATE crm.notes SET body = 'mine'",
        "DELETE FROM crm.notes",
    ] {
        assert_eq!(
            sqlx::query(sql)
                .execute(tx.conn())
                .await
                .unwrap()
                .rows_affected(),
            1,
            "{sql}"
        );
    }
    tx.commit().await.unwrap();
    assert_eq!(ids(&db, &tenant(1)).await, [10]);
    assert_eq!(ids(&db, &tenant(2)).await, [0; 0]);
}

/// Pitfall 27: a policy checks what is read and not what is written.
#[tokio::test]
async fn a_row_cannot_be_written_for_another_tenant_or_moved_to_it() {
    let (_test, db) = notes().await;
    added(&db, &tenant(1), 10).await;
    for sql in [
        "INSERT INTO crm.notes (tenant_id, id, body) VALUES ($1, $1, 'x')",
        "UPDATE crm.notes SET tenant_id = $1",
    ] {
        let mut tx = db.tenant(&tenant(1)).await.unwrap();
        let refused = sqlx::query(sql)
            .bind(Uuid::from_u128(2))
            .execute(tx.conn())
            .await;
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("row-level security"),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn a_transaction_for_reading_refuses_to_write_or_to_lock() {
    let (_test, db) = notes().await;
    added(&db, &tenant(1), 10).await;
    for sql in [
        "INSERT INTO crm.notes (id, body) VALUES (gen_random_uuid(), 'x')",
        "UPDATE crm.notes SET body = 'y'",
        "DELETE FROM crm.notes",
        "SELECT 1 FROM crm.notes FOR UPDATE",
    ] {
        let mut tx = db.read(&tenant(1)).await.unwrap();
        let refused = sqlx::query(sql).execute(tx.conn()).await.unwrap_err();
        assert!(
            refused.to_string().contains("read-only"),
            "{sql}: {refused}"
        );
    }
    assert_eq!(ids(&db, &tenant(1)).await, [10]);
}

#[tokio::test]
async fn what_a_read_left_open_is_ended_when_nobody_uses_the_connection() {
    let (test, db) = notes().await;
    let mut admin = test.admin().await;
    for _ in 0..3 {
        drop(db.read(&tenant(1)).await.unwrap());
    }
    wait_until(
        async || open_transactions(&mut admin).await == 0,
        Duration::from_secs(5),
    )
    .await;
    // And the connections serve.
    assert_eq!(ids(&db, &tenant(1)).await, [0; 0]);
}

/// Pitfall 22: no tenant is set.
#[tokio::test]
async fn without_a_tenant_every_statement_on_a_tenant_table_is_an_error() {
    let (_test, db) = notes().await;
    for used in [false, true] {
        for sql in [
            "SELECT * FROM crm.notes",
            "INSERT INTO crm.notes (id, body) VALUES (gen_random_uuid(), 'x')",
            "INSERT INTO crm.notes (tenant_id, id, body) VALUES (gen_random_uuid(), gen_random_uuid(), 'x')",
            "UPDATE crm.notes SET body = 'x'",
            "DELETE FROM crm.notes",
        ] {
            let mut tx = db.system().await.unwrap();
            let answer = sqlx::query(sql).execute(tx.conn()).await;
            assert!(
                answer.is_err(),
                "{sql} (connection used before: {used}) answered {answer:?}"
            );
        }
        added(&db, &tenant(1), u128::from(used)).await;
    }
}

#[tokio::test]
async fn a_dropped_transaction_changes_nothing_and_its_connection_serves_on() {
    let (_test, db) = notes().await;
    for id in 0..20 {
        let mut tx = db.tenant(&tenant(1)).await.unwrap();
        add(&mut tx, id).await.unwrap();
        drop(tx);
    }
    assert_eq!(ids(&db, &tenant(1)).await, [0; 0]);
    assert!(db.pool_status().size <= 5);
}

#[tokio::test]
async fn a_transaction_that_outlives_its_runtime_is_dropped_without_a_panic() {
    let (test, db) = notes().await;
    let tx = db.tenant(&tenant(1)).await.unwrap();
    std::thread::spawn(move || drop(tx))
        .join()
        .expect("no panic without a runtime");
    drop((db, test));

    let outlived = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (test, tx) = runtime.block_on(async {
            let (test, db) = notes().await;
            (test, db.tenant(&tenant(1)).await.unwrap())
        });
        drop(runtime);
        drop((tx, test));
    });
    outlived.join().expect("no panic after the runtime");
}

#[tokio::test]
async fn a_swallowed_error_does_not_pass_for_a_commit() {
    let (_test, db) = notes().await;
    let mut tx = db.tenant(&tenant(1)).await.unwrap();
    add(&mut tx, 1).await.unwrap();
    add(&mut tx, 1).await.unwrap_err();
    assert!(tx.commit().await.is_err(), "the server has rolled back");
    assert_eq!(ids(&db, &tenant(1)).await, [0; 0]);
}

#[tokio::test]
async fn a_violated_constraint_is_named_and_becomes_the_domain_error() {
    #[derive(Debug, PartialEq)]
    enum Refused {
        Taken,
        Database(String),
    }
    impl From<DbError> for Refused {
        fn from(error: DbError) -> Self {
            Self::Database(error.to_string())
        }
    }
    let (_test, db) = notes().await;
    added(&db, &tenant(1), 1).await;
    for (constraint, expected) in [
        ("notes_pkey", Refused::Taken),
        (
            "notes_body_check",
            Refused::Database("constraint notes_pkey was violated".into()),
        ),
    ] {
        let mut tx = db.tenant(&tenant(1)).await.unwrap();
        let answer = add(&mut tx, 1)
            .await
            .on_constraint(constraint, || Refused::Taken);
        assert_eq!(answer, Err(expected));
    }
    let mut tx = db.tenant(&tenant(1)).await.unwrap();
    let empty = sqlx::query("INSERT INTO crm.notes (id, body) VALUES (gen_random_uuid(), '')");
    let error = DbError::from(empty.execute(tx.conn()).await.unwrap_err());
    assert!(
        matches!(
            error,
            DbError::Constraint {
                kind: ConstraintKind::Check,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_named_transaction_commits_what_succeeds_and_nothing_else() {
    let (_test, db) = notes().await;
    let kept: Result<u8, DbError> = (db.run("crm.note.add", &tenant(1), async |tx| {
        add(tx, 1).await?;
        Ok(7)
    }))
    .await;
    assert_eq!(kept.unwrap(), 7);
    let failed: Result<(), DbError> = (db.run("crm.note.add", &tenant(1), async |tx| {
        add(tx, 2).await?;
        add(tx, 1).await?;
        Ok(())
    }))
    .await;
    failed.unwrap_err();
    assert_eq!(ids(&db, &tenant(1)).await, [1]);
}
