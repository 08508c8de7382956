//! SQL of the dashboards that people make.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{
    Tile, View, WantedDashboard,
    board::{Dashboard, DashboardId, DashboardSummary, MadeOf},
};

macro_rules! columns {
    () => {
        "id, name, description, view, tiles, template, template_version, created_by, created_at, updated_at, version"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    view: Json<View>,
    tiles: Json<Vec<Tile>>,
    template: Option<String>,
    template_version: Option<i32>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

fn made_of(template: Option<String>, version: Option<i32>) -> Option<MadeOf> {
    let (slug, version) = template.zip(version)?;
    Some(MadeOf { slug, version })
}

impl From<Row> for Dashboard {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            view: row.view.0,
            tiles: row.tiles.0,
            template: made_of(row.template, row.template_version),
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    name: String,
    description: String,
    tile_count: i32,
    template: Option<String>,
    template_version: Option<i32>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<SummaryRow> for DashboardSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            tile_count: row.tile_count,
            template: made_of(row.template, row.template_version),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Writes a new dashboard.
pub(crate) async fn insert(tx: &mut TenantTx, dashboard: &Dashboard) -> Result<(), DbError> {
    query(
        "-- analytics.dashboards.insert\nINSERT INTO analytics.dashboards \
         (id, name, description, view, tiles, template, template_version, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(dashboard.id.as_uuid())
    .bind(&dashboard.name)
    .bind(&dashboard.description)
    .bind(Json(&dashboard.view))
    .bind(Json(&dashboard.tiles))
    .bind(dashboard.template.as_ref().map(|template| &template.slug))
    .bind(dashboard.template.as_ref().map(|template| template.version))
    .bind(dashboard.created_by.as_uuid())
    .bind(dashboard.created_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a dashboard that is locked; answers it as it is then.
pub(super) async fn update(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    id: DashboardId,
    wanted: &WantedDashboard,
) -> Result<Dashboard, DbError> {
    let row: Row = query_as(concat!(
        "-- analytics.dashboards.update\nUPDATE analytics.dashboards SET name = $2, description = $3, view = $4, tiles = $5, \
         updated_at = $6, version = version + 1 WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(&wanted.name)
    .bind(&wanted.description)
    .bind(Json(&wanted.view))
    .bind(Json(&wanted.tiles))
    .bind(now)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

/// One dashboard.
pub(crate) async fn find(tx: &mut TenantTx, id: DashboardId) -> Result<Option<Dashboard>, DbError> {
    let row: Option<Row> = query_as(concat!(
        "-- analytics.dashboards.find\nSELECT ",
        columns!(),
        " FROM analytics.dashboards WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// The version of a dashboard, which is locked then.
pub(super) async fn lock(tx: &mut TenantTx, id: DashboardId) -> Result<Option<i64>, DbError> {
    Ok(sqlx::query_scalar(
        "-- analytics.dashboards.lock\nSELECT version FROM analytics.dashboards WHERE id = $1 FOR UPDATE",
    )
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// A page of the dashboards, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<DashboardSummary>, DbError> {
    let rows: Vec<SummaryRow> = query_as(
        "-- analytics.dashboards.list\nSELECT id, name, description, jsonb_array_length(tiles) AS tile_count, template, \
                template_version, created_at, updated_at, version \
         FROM analytics.dashboards WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Deletes a dashboard and its links.
pub(super) async fn delete(tx: &mut TenantTx, id: DashboardId) -> Result<(), DbError> {
    query("-- analytics.dashboards.delete\nDELETE FROM analytics.dashboards WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
