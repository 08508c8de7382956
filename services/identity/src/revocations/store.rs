//! SQL of revocations.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query;
use uuid::Uuid;

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    kind: &str,
    subject: Uuid,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.revocations.insert\n\
         INSERT INTO identity.revocations (id, kind, subject, revoked_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id)
    .bind(kind)
    .bind(subject)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
