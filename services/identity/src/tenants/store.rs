//! SQL of tenants. Row-level security shows everybody exactly one.

use bz_kernel::{Rng, TenantId};
use bz_tenant::{DbError, SystemTx, TenantTx};
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
}

/// The tenant of the transaction.
pub(crate) async fn find_own(tx: &mut TenantTx) -> Result<Option<Tenant>, DbError> {
    let id = tx.scope().tenant();
    let row: Option<TenantRow> = query_as(
        "-- identity.tenants.find_own\n\
         SELECT slug, name, status, created_at, updated_at FROM identity.tenants",
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

async fn claim_slug(tx: &mut TenantTx, slug: &str) -> Result<bool, DbError> {
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
pub(crate) async fn find_by_slug(
    tx: &mut SystemTx,
    slug: &str,
) -> Result<Option<TenantId>, DbError> {
    let tenant: Option<Uuid> =
        query_scalar("-- identity.tenants.find_by_slug\nSELECT identity.tenant_of_slug($1)")
            .bind(slug)
            .fetch_one(tx.conn())
            .await?;
    Ok(tenant.map(TenantId::trusted))
}
