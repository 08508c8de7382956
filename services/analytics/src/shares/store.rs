//! SQL of links to dashboards.

use bz_http::Problem;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{Share, ShareId};
use crate::dashboards::{DashboardId, View};

const COLUMNS: &str =
    "id, dashboard_id, name, view, expires_at, revoked_at, created_by, created_at";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    dashboard_id: Uuid,
    name: String,
    view: Json<View>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
}

impl From<Row> for Share {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            dashboard_id: row.dashboard_id.into(),
            name: row.name,
            view: row.view.0,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            path: String::new(),
            api_path: String::new(),
        }
    }
}

/// Writes a new link. A dashboard that was deleted meanwhile is not there.
pub(super) async fn insert(tx: &mut TenantTx, share: &Share) -> Result<(), Problem> {
    query(
        "-- analytics.dashboard_shares.insert\nINSERT INTO analytics.dashboard_shares \
         (id, dashboard_id, name, view, expires_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(share.id.as_uuid())
    .bind(share.dashboard_id.as_uuid())
    .bind(&share.name)
    .bind(Json(&share.view))
    .bind(share.expires_at)
    .bind(share.created_by.as_uuid())
    .bind(share.created_at)
    .execute(tx.conn())
    .await
    .on_constraint("dashboard_shares_dashboard_fkey", Problem::not_found)?;
    Ok(())
}

/// One link.
pub(super) async fn find(tx: &mut TenantTx, id: ShareId) -> Result<Option<Share>, DbError> {
    let row: Option<Row> = query_as(&format!(
        "-- analytics.dashboard_shares.find\nSELECT {COLUMNS} FROM analytics.dashboard_shares WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// A page of the links to a dashboard, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    dashboard: DashboardId,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Share>, DbError> {
    let rows: Vec<Row> = query_as(&format!(
        "-- analytics.dashboard_shares.list\nSELECT {COLUMNS} FROM analytics.dashboard_shares \
         WHERE dashboard_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    ))
    .bind(dashboard.as_uuid())
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Revokes a link; once more changes nothing. Answers whether there is such a link.
pub(super) async fn revoke(
    tx: &mut TenantTx,
    (dashboard, id): (DashboardId, ShareId),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- analytics.dashboard_shares.revoke\nUPDATE analytics.dashboard_shares SET revoked_at = coalesce(revoked_at, $3) \
         WHERE id = $1 AND dashboard_id = $2",
    )
    .bind(id.as_uuid())
    .bind(dashboard.as_uuid())
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
