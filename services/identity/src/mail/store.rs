//! SQL of mails.

use bz_kernel::TenantId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::Template;

/// Writes a mail down in the tenant of the transaction.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    template: Template,
    sealed: &[u8],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.mails.insert\n\
         INSERT INTO identity.mails (id, template, sealed, created_at, due_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id)
    .bind(template.name())
    .bind(sealed)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A mail that this process may send now.
pub(super) struct Claimed {
    pub(super) tenant: TenantId,
    pub(super) id: Uuid,
    pub(super) template: String,
    pub(super) sealed: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    /// This one included.
    pub(super) attempts: i32,
}

#[derive(FromRow)]
struct ClaimedRow {
    tenant_id: Uuid,
    id: Uuid,
    template: String,
    sealed: Vec<u8>,
    created_at: DateTime<Utc>,
    attempts: i32,
}

/// Takes mails that are due, of all tenants, until `lease`.
#[expect(clippy::disallowed_methods, reason = "a mail's row is a trusted row")]
pub(super) async fn claim(
    tx: &mut SystemTx,
    at: DateTime<Utc>,
    lease: DateTime<Utc>,
    batch: i32,
) -> Result<Vec<Claimed>, DbError> {
    let rows: Vec<ClaimedRow> = query_as(
        "-- identity.mails.claim\n\
         SELECT tenant_id, id, template, sealed, created_at, attempts FROM identity.claim_mails($1, $2, $3)",
    )
    .bind(at)
    .bind(lease)
    .bind(batch)
    .fetch_all(tx.conn())
    .await?;
    let claimed = |row: ClaimedRow| Claimed {
        tenant: TenantId::trusted(row.tenant_id),
        id: row.id,
        template: row.template,
        sealed: row.sealed,
        created_at: row.created_at,
        attempts: row.attempts,
    };
    Ok(rows.into_iter().map(claimed).collect())
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It left.
    Sent,
    /// It never will.
    GivenUp,
    /// It is tried again then.
    Again(DateTime<Utc>),
}

/// Notes what became of an attempt. What a mail said is forgotten with its end.
pub(super) async fn report(
    tx: &mut TenantTx,
    id: Uuid,
    outcome: Outcome,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let (sent, failed, due) = match outcome {
        Outcome::Sent => (Some(at), None, None),
        Outcome::GivenUp => (None, Some(at), None),
        Outcome::Again(due) => (None, None, Some(due)),
    };
    query(
        "-- identity.mails.report\n\
         UPDATE identity.mails SET sent_at = $2, failed_at = $3, due_at = coalesce($4, due_at), \
           sealed = CASE WHEN $4::timestamptz IS NULL THEN ''::bytea ELSE sealed END \
         WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL",
    )
    .bind(id)
    .bind(sent)
    .bind(failed)
    .bind(due)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes a batch of the mails of all tenants from before an instant; answers how many.
pub(crate) async fn purge(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted = query_scalar("-- identity.mails.purge\nSELECT identity.purge_mails($1, $2)")
        .bind(before)
        .bind(batch)
        .fetch_one(tx.conn())
        .await?;
    Ok(deleted)
}
