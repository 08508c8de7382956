//! A table of notes in the crm schema, made as a migration would make it.

use bz_kernel::TenantId;
use bz_tenant::{Db, TenantScope, TenantTx};
use bz_testkit::TestDb;
use sqlx::{Executor, PgConnection, Postgres};
use uuid::Uuid;

/// What a migration says for a table.
pub(crate) const NOTES: &str = "
    SET ROLE crm_owner;
    CREATE TABLE crm.notes (
      tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
      id        uuid NOT NULL,
      body      text NOT NULL,
      CONSTRAINT notes_pkey PRIMARY KEY (tenant_id, id),
      CONSTRAINT notes_body_check CHECK (body <> ''));
    ALTER TABLE crm.notes ENABLE ROW LEVEL SECURITY;
    ALTER TABLE crm.notes FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_isolation ON crm.notes
      USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
      WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
    RESET ROLE";

/// A database with the table of notes, and the handle of the crm service.
pub(crate) async fn notes() -> (TestDb, Db) {
    let test = TestDb::new().await;
    test.admin().await.execute(NOTES).await.unwrap();
    let db = test.db("crm");
    (test, db)
}

/// The scope of tenant number `n`.
#[expect(clippy::disallowed_methods, reason = "a test's tenant is trusted")]
pub(crate) fn tenant(n: u128) -> TenantScope {
    TenantScope::new(TenantId::trusted(Uuid::from_u128(n)), None)
}

/// Adds a note for the transaction's tenant.
pub(crate) async fn add(tx: &mut TenantTx, id: u128) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO crm.notes (id, body) VALUES ($1, 'hello')";
    sqlx::query(sql)
        .bind(Uuid::from_u128(id))
        .execute(tx.conn())
        .await
        .map(|_| ())
}

/// Adds a note and commits.
pub(crate) async fn added(db: &Db, scope: &TenantScope, id: u128) {
    let mut tx = db.tenant(scope).await.unwrap();
    add(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
}

/// The tenant and the id of every note that the connection sees.
pub(crate) async fn all(
    conn: impl Executor<'_, Database = Postgres>,
) -> Result<Vec<(Uuid, Uuid)>, sqlx::Error> {
    sqlx::query_as("SELECT tenant_id, id FROM crm.notes ORDER BY id")
        .fetch_all(conn)
        .await
}

/// The ids of the notes that a tenant sees.
pub(crate) async fn ids(db: &Db, scope: &TenantScope) -> Vec<u128> {
    let mut tx = db.tenant(scope).await.unwrap();
    all(tx.conn())
        .await
        .unwrap()
        .into_iter()
        .map(|(_, id)| id.as_u128())
        .collect()
}

/// Backends of this database that sit in an open transaction.
pub(crate) async fn open_transactions(admin: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL",
    )
    .fetch_one(admin)
    .await
    .unwrap()
}
