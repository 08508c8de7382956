//! Models in their table, and in memory.

use std::sync::Arc;

use bz_kernel::TenantId;
use bz_scoring::Model;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query, query_scalar, types::Json};
use utoipa::ToSchema;

use super::{answer::ScoreMode, training::Card};
use crate::{app::AppState, records::sql::Sql};

/// Most bytes of model files whose models are kept in memory.
const MEMORY: u64 = 64 * 1024 * 1024;
/// Versions of a tenant that keep their file.
const KEPT: i32 = 20;

/// Models by tenant and version, each with the size of its file.
pub(crate) type Models = Cache<(TenantId, i32), (Arc<Model>, u32)>;

/// An empty store of models in memory.
pub(crate) fn cache() -> Models {
    Cache::builder()
        .max_capacity(MEMORY)
        .weigher(|_, (_, bytes): &(Arc<Model>, u32)| *bytes)
        .build()
}

/// The model of a version; none when there is no file. One that cannot be read is logged and counts as none, so that
/// rules answer in its place.
pub(crate) async fn load(
    app: &AppState,
    tx: &mut TenantTx,
    version: i32,
) -> Result<Option<Arc<Model>>, DbError> {
    let key = (tx.scope().tenant(), version);
    if let Some((model, _)) = app.scoring.models.get(&key) {
        return Ok(Some(model));
    }
    let bytes: Option<Option<Vec<u8>>> = query_scalar(
        "-- crm.scoring_models.bytes\nSELECT bytes FROM crm.scoring_models WHERE version = $1",
    )
    .bind(version)
    .fetch_optional(tx.conn())
    .await?;
    let Some(bytes) = bytes.flatten() else {
        return Ok(None);
    };
    match Model::from_bytes(&bytes) {
        Ok(model) => {
            let model = Arc::new(model);
            let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            app.scoring.models.insert(key, (model.clone(), size));
            Ok(Some(model))
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, tenant.id = %key.0, model.version = version, "a model cannot be read; rules answer");
            Ok(None)
        }
    }
}

/// A training's result, as the list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelVersion {
    /// Counts up from 1.
    pub version: i32,
    /// With the day of the training: `2026-09-20.3`; scores name it.
    pub name: String,
    /// How it makes scores.
    pub mode: ScoreMode,
    /// Why this mode.
    pub mode_reason: String,
    /// Whether it is the one that is used.
    pub active: bool,
    /// Whether it can be made active: it makes scores by rules or its file is still kept.
    pub available: bool,
    /// When it was trained.
    pub trained_at: DateTime<Utc>,
    /// Leads with an outcome that it learned from.
    pub rows: usize,
    /// Area under the ROC curve on leads that it had not seen.
    pub roc_auc: Option<f64>,
    /// Log loss on leads that it had not seen.
    pub log_loss: Option<f64>,
}

#[derive(FromRow)]
struct Row {
    version: i32,
    name: String,
    mode: String,
    active: bool,
    available: bool,
    trained_at: DateTime<Utc>,
    card: Json<Card>,
}

impl From<Row> for ModelVersion {
    fn from(row: Row) -> Self {
        let report = row.card.0.report;
        let metrics = report.as_ref().and_then(|report| report.metrics);
        Self {
            version: row.version,
            name: row.name,
            mode: ScoreMode::try_from(row.mode).unwrap_or(ScoreMode::Rules),
            active: row.active,
            available: row.available,
            trained_at: row.trained_at,
            rows: report.as_ref().map_or(0, |report| report.rows),
            mode_reason: report.map(|report| report.mode_reason).unwrap_or_default(),
            roc_auc: metrics.map(|metrics| metrics.roc_auc),
            log_loss: metrics.map(|metrics| metrics.log_loss),
        }
    }
}

const COLUMNS: &str = "version, name, mode, active, (mode = 'rules' OR bytes IS NOT NULL) AS available, trained_at, card";

/// Versions, newest first.
pub(crate) async fn list(
    tx: &mut TenantTx,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<ModelVersion>, DbError> {
    let mut sql = Sql::new(format!(
        "-- crm.scoring_models.list\nSELECT {COLUMNS} FROM crm.scoring_models WHERE true"
    ));
    if let Some(before) = before {
        sql.push(" AND version < ").bind(before);
    }
    sql.push(" ORDER BY version DESC LIMIT ").bind(limit);
    let rows: Vec<Row> = sql.fetch_all(tx).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One version.
pub(crate) async fn find(tx: &mut TenantTx, version: i32) -> Result<Option<ModelVersion>, DbError> {
    let mut sql = Sql::new(format!(
        "-- crm.scoring_models.find\nSELECT {COLUMNS} FROM crm.scoring_models WHERE version = "
    ));
    sql.bind(version);
    let row: Option<Row> = sql.fetch_optional(tx).await?;
    Ok(row.map(Into::into))
}

/// What a training made.
pub(crate) struct NewModel {
    pub mode: ScoreMode,
    pub bytes: Option<Vec<u8>>,
    pub card: Card,
    pub at: DateTime<Utc>,
}

/// Writes a version down, not active; files of old versions go. Answers its number.
pub(crate) async fn insert(tx: &mut TenantTx, model: NewModel) -> Result<i32, DbError> {
    let version: i32 = query_scalar(
        "-- crm.scoring_models.insert\n\
         INSERT INTO crm.scoring_models (version, name, mode, bytes, card, trained_at) \
         SELECT n, $1 || '.' || n, $2, $3, $4, $5 \
         FROM (SELECT coalesce(max(version), 0) + 1 AS n FROM crm.scoring_models) AS next RETURNING version",
    )
    .bind(model.at.format("%Y-%m-%d").to_string())
    .bind(model.mode.as_str())
    .bind(model.bytes)
    .bind(Json(model.card))
    .bind(model.at)
    .fetch_one(tx.conn())
    .await?;
    query(
        "-- crm.scoring_models.forget\n\
         UPDATE crm.scoring_models SET bytes = NULL WHERE version <= $1 AND bytes IS NOT NULL AND NOT active",
    )
    .bind(version - KEPT)
    .execute(tx.conn())
    .await?;
    Ok(version)
}

/// Makes a version the one that is used.
pub(crate) async fn activate(tx: &mut TenantTx, version: i32) -> Result<(), DbError> {
    // Two statements: the unique index does not wait for the end of one.
    query(
        "-- crm.scoring_models.deactivate\nUPDATE crm.scoring_models SET active = false WHERE active AND version <> $1",
    )
    .bind(version)
    .execute(tx.conn())
    .await?;
    query("-- crm.scoring_models.activate\nUPDATE crm.scoring_models SET active = true WHERE version = $1")
        .bind(version)
        .execute(tx.conn())
        .await?;
    Ok(())
}
