//! SQL of revocations.

use bz_auth::{
    Revocation, RevocationPage, RevokedKind,
    revocation::{MOST_REVOCATIONS, revocation_instant},
};
use bz_kernel::UserId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::feed::Snapshot;

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

/// Waits until no refresh and no login of the user is under way: both hold this lock, the weakest one, until they commit.
pub(super) async fn wait_for_refreshes(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query(
        "-- identity.revocations.wait_for_refreshes\n\
         SELECT 1 FROM identity.users WHERE id = $1 FOR UPDATE",
    )
    .bind(user.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    next: String,
    kind: Option<String>,
    tenant_id: Option<Uuid>,
    subject: Option<Uuid>,
    revoked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn revocation(self) -> Option<Revocation> {
        Some(Revocation {
            kind: match self.kind?.as_str() {
                "session" => RevokedKind::Session,
                "user" => RevokedKind::User,
                "api_key" => RevokedKind::ApiKey,
                _ => RevokedKind::Tenant,
            },
            tenant_id: self.tenant_id?,
            subject: self.subject?,
            at: revocation_instant(self.revoked_at?),
        })
    }
}

/// The revocations of all tenants that were made after `since`, without those that the snapshot `seen` saw.
pub(crate) async fn unseen(
    tx: &mut SystemTx,
    seen: &Snapshot,
    since: DateTime<Utc>,
) -> Result<RevocationPage, DbError> {
    let most = i32::try_from(MOST_REVOCATIONS).unwrap_or(i32::MAX);
    // One statement, so that `next` is the snapshot that the rows were read with.
    let rows: Vec<Row> = query_as(
        "-- identity.revocations.unseen\n\
         SELECT pg_current_snapshot()::text AS next, r.kind, r.tenant_id, r.subject, r.revoked_at \
         FROM (SELECT) AS once LEFT JOIN identity.revocations_since($1::text::pg_snapshot, $2, $3) AS r ON true",
    )
    .bind(seen.as_str())
    .bind(since)
    .bind(most + 1)
    .fetch_all(tx.conn())
    .await?;
    let next = rows
        .first()
        .and_then(|row| Snapshot::parse(&row.next))
        .map_or_else(|| seen.as_str().to_owned(), Snapshot::shortened);
    let mut items: Vec<Revocation> = rows.into_iter().filter_map(Row::revocation).collect();
    let floor = items
        .get(MOST_REVOCATIONS)
        .map(|first_left_out| first_left_out.at);
    items.truncate(MOST_REVOCATIONS);
    Ok(RevocationPage { items, floor, next })
}

/// Deletes a batch of the revocations of all tenants from before an instant; answers how many.
pub(crate) async fn purge(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let sql = "-- identity.revocations.purge\nSELECT identity.purge_revocations($1, $2)";
    Ok(query_scalar(sql)
        .bind(before)
        .bind(batch)
        .fetch_one(tx.conn())
        .await?)
}
