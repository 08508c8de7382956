//! SQL of tenants. Row-level security shows everybody exactly one.

use bz_kernel::{Rng, TenantId};
use bz_tenant::{Db, DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{Tenant, slug};

/// How many slugs are tried before the tenant's id becomes its slug; from the second on there are 33 million.
const SLUGS_TRIED: u8 = 5;

#[derive(FromRow)]
struct TenantRow {
    slug: String,
    name: String,
    status: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

/// The tenant of the transaction, unless it was deleted.
pub(crate) async fn find_own(tx: &mut TenantTx) -> Result<Option<Tenant>, DbError> {
    let id = tx.scope().tenant();
    let row: Option<TenantRow> = query_as(
        "-- identity.tenants.find_own\n\
         SELECT slug, name, status, created_at, updated_at, version FROM identity.tenants WHERE status <> 'deleted'",
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Tenant {
        id,
        slug: row.slug,
        name: row.name,
        status: row.status,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }))
}

/// Stores the tenant of the transaction under the slug of its name, or under one with a suffix when that is taken.
/// Answers the slug.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    name: &str,
    rng: &Rng,
    at: DateTime<Utc>,
) -> Result<String, DbError> {
    let slug = claim_free_slug(tx, slug::from_name(name), rng).await?;
    query(
        "-- identity.tenants.insert\n\
         INSERT INTO identity.tenants (slug, name, created_at, updated_at) VALUES ($1, $2, $3, $3)",
    )
    .bind(&slug)
    .bind(name)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(slug)
}

async fn claim_free_slug(tx: &mut TenantTx, base: String, rng: &Rng) -> Result<String, DbError> {
    let mut slug = base.clone();
    for _ in 0..SLUGS_TRIED {
        if claim_slug(tx, &slug).await? {
            return Ok(slug);
        }
        slug = slug::with_suffix(&base, rng);
    }
    let slug = format!("t-{}", tx.scope().tenant().as_uuid().simple());
    claim_slug(tx, &slug).await?;
    Ok(slug)
}

/// Takes a free slug for the tenant of the transaction; false when it is taken, also by itself.
pub(crate) async fn claim_slug(tx: &mut TenantTx, slug: &str) -> Result<bool, DbError> {
    let claimed = query_scalar("-- identity.tenants.claim_slug\nSELECT identity.claim_slug($1)")
        .bind(slug)
        .fetch_one(tx.conn())
        .await?;
    Ok(claimed)
}

/// The tenant that a slug names.
#[expect(
    clippy::disallowed_methods,
    reason = "the directory of slugs is a trusted row"
)]
pub(crate) async fn find_by_slug(db: &Db, slug: &str) -> Result<Option<TenantId>, DbError> {
    let sql = "-- identity.tenants.find_by_slug\nSELECT identity.tenant_of_slug($1)";
    let found: Option<(Option<Uuid>,)> = db.ask(|| query_as(sql).bind(slug)).await?;
    Ok(found.and_then(|(tenant,)| tenant).map(TenantId::trusted))
}

/// Locks the tenant until the transaction ends: changes of it happen one after the other. Answers its version.
pub(crate) async fn lock(tx: &mut TenantTx) -> Result<Option<i64>, DbError> {
    let sql = "-- identity.tenants.lock\nSELECT version FROM identity.tenants FOR UPDATE";
    Ok(query_scalar(sql).fetch_optional(tx.conn()).await?)
}

/// Renames the tenant.
pub(crate) async fn rename(
    tx: &mut TenantTx,
    name: &str,
    slug: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.tenants.rename\n\
         UPDATE identity.tenants SET name = $1, slug = $2, updated_at = $3, version = version + 1",
    )
    .bind(name)
    .bind(slug)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a slug names the tenant of the transaction, now or because it did before.
pub(crate) async fn holds_slug(tx: &mut TenantTx, slug: &str) -> Result<bool, DbError> {
    let tenant = tx.scope().tenant().as_uuid();
    Ok(query_scalar(
        "-- identity.tenants.holds_slug\nSELECT identity.tenant_of_slug($1) IS NOT DISTINCT FROM $2",
    )
    .bind(slug)
    .bind(tenant)
    .fetch_one(tx.conn())
    .await?)
}

/// How many slugs name the tenant of the transaction.
pub(crate) async fn slugs_held(tx: &mut TenantTx) -> Result<i64, DbError> {
    let sql = "-- identity.tenants.slugs_held\nSELECT identity.slugs_held()";
    Ok(query_scalar(sql).fetch_one(tx.conn()).await?)
}

/// Marks the tenant as deleted, or as active again. Answers whether it was the other before.
pub(crate) async fn set_deleted(
    tx: &mut TenantTx,
    deleted: bool,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.tenants.set_deleted\n\
         UPDATE identity.tenants \
         SET status = CASE WHEN $1 THEN 'deleted' ELSE 'active' END, deleted_at = CASE WHEN $1 THEN $2 END, \
             updated_at = $2, version = version + 1 \
         WHERE (status = 'deleted') <> $1",
    )
    .bind(deleted)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends every session of the tenant.
pub(crate) async fn end_sessions(tx: &mut TenantTx, at: DateTime<Utc>) -> Result<u64, DbError> {
    let done = query(
        "-- identity.tenants.end_sessions\n\
         UPDATE identity.sessions SET revoked_at = $1, revoked_reason = 'tenant_deleted' WHERE revoked_at IS NULL",
    )
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// The tenants that were deleted before an instant.
#[expect(clippy::disallowed_methods, reason = "ids of trusted rows")]
pub(crate) async fn to_erase(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    most: i32,
) -> Result<Vec<TenantId>, DbError> {
    let tenants: Vec<Uuid> = query_scalar(
        "-- identity.tenants.to_erase\nSELECT tenant FROM identity.tenants_to_erase($1, $2)",
    )
    .bind(before)
    .bind(most)
    .fetch_all(tx.conn())
    .await?;
    Ok(tenants.into_iter().map(TenantId::trusted).collect())
}

/// Takes away what other tenants have of this deleted one.
pub(crate) async fn forget_guests(tx: &mut TenantTx) -> Result<i64, DbError> {
    let sql = "-- identity.tenants.forget_guests\nSELECT identity.forget_guests()";
    Ok(query_scalar(sql).fetch_one(tx.conn()).await?)
}

/// Deletes a batch of the audit log of this deleted tenant; answers how many rows.
pub(crate) async fn erase_audit_log(tx: &mut TenantTx, batch: i32) -> Result<i64, DbError> {
    Ok(
        query_scalar("-- identity.tenants.erase_audit_log\nSELECT identity.erase_audit_log($1)")
            .bind(batch)
            .fetch_one(tx.conn())
            .await?,
    )
}

/// Deletes what is left of the audit log of this deleted tenant when its entries are gone; answers how many rows.
pub(crate) async fn erase_audit_heads(tx: &mut TenantTx) -> Result<i64, DbError> {
    let sql = "-- identity.tenants.erase_audit_heads\nSELECT identity.erase_audit_heads()";
    Ok(query_scalar(sql).fetch_one(tx.conn()).await?)
}

/// Deletes the tenant's own row, and with it its slugs. Answers whether it was there.
pub(crate) async fn delete(tx: &mut TenantTx) -> Result<bool, DbError> {
    let sql = "-- identity.tenants.delete\nDELETE FROM identity.tenants WHERE status = 'deleted'";
    Ok(query(sql).execute(tx.conn()).await?.rows_affected() == 1)
}
