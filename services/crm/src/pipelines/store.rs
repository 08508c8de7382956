//! SQL of the pipelines. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{PipelineId, StageId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::{Pipeline, Stage, StageKind, WantedStage};
use crate::records::sql::Sql;

#[derive(FromRow)]
struct PipelineRow {
    id: Uuid,
    name: String,
    is_default: bool,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromRow)]
struct StageRow {
    pipeline_id: Uuid,
    id: Uuid,
    name: String,
    position: i32,
    kind: StageKind,
    probability: i16,
    rot_days: Option<i32>,
    required_fields: Vec<String>,
}

impl From<&StageRow> for Stage {
    fn from(row: &StageRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name.clone(),
            position: row.position,
            kind: row.kind,
            probability: row.probability,
            rot_days: row.rot_days,
            required_fields: row.required_fields.clone(),
        }
    }
}

const PIPELINE: &str = "id, name, is_default, created_by, created_at, updated_at, version";
const STAGE: &str = "pipeline_id, id, name, position, kind, probability, rot_days, required_fields";

/// All pipelines of the tenant, the default one first.
pub(super) async fn all(tx: &mut TenantTx) -> Result<Vec<Pipeline>, DbError> {
    let sql = Sql::new(format!(
        "-- crm.pipelines.all\nSELECT {PIPELINE} FROM crm.pipelines ORDER BY is_default DESC, name"
    ));
    let rows = sql.fetch_all(tx).await?;
    with_stages(tx, rows).await
}

/// One pipeline.
pub(super) async fn find(tx: &mut TenantTx, id: PipelineId) -> Result<Option<Pipeline>, DbError> {
    let mut sql = Sql::new(format!(
        "-- crm.pipelines.find\nSELECT {PIPELINE} FROM crm.pipelines WHERE id = "
    ));
    sql.bind(id.as_uuid());
    let rows = sql.fetch_all(tx).await?;
    Ok(with_stages(tx, rows).await?.pop())
}

/// Lets one transaction at a time change the tenant's pipelines: there are few, and they depend on one another.
pub(super) async fn lock(tx: &mut TenantTx) -> Result<usize, DbError> {
    let sql =
        Sql::new("-- crm.pipelines.lock\nSELECT id FROM crm.pipelines ORDER BY id FOR UPDATE");
    let rows: Vec<(Uuid,)> = sql.fetch_all(tx).await?;
    Ok(rows.len())
}

async fn with_stages(tx: &mut TenantTx, rows: Vec<PipelineRow>) -> Result<Vec<Pipeline>, DbError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut sql = Sql::new(format!(
        "-- crm.stages.of\nSELECT {STAGE} FROM crm.stages WHERE pipeline_id = ANY("
    ));
    sql.bind(ids).push(") ORDER BY pipeline_id, position");
    let stages: Vec<StageRow> = sql.fetch_all(tx).await?;
    let of = |id: Uuid| {
        let own = stages.iter().filter(move |row| row.pipeline_id == id);
        own.map(Stage::from).collect()
    };
    let pipeline = |row: PipelineRow| Pipeline {
        id: row.id.into(),
        name: row.name,
        is_default: row.is_default,
        stages: of(row.id),
        created_by: row.created_by.into(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    };
    Ok(rows.into_iter().map(pipeline).collect())
}

/// The stages of a pipeline, in their order; none when there is no such pipeline.
pub(crate) async fn stages_of(tx: &mut TenantTx, id: PipelineId) -> Result<Vec<Stage>, DbError> {
    let mut sql = Sql::new(format!(
        "-- crm.stages.of_one\nSELECT {STAGE} FROM crm.stages WHERE pipeline_id = "
    ));
    sql.bind(id.as_uuid()).push(" ORDER BY position");
    let rows: Vec<StageRow> = sql.fetch_all(tx).await?;
    Ok(rows.iter().map(Stage::from).collect())
}

/// Writes a new pipeline; false when somebody else has made one of this name, or the default one, meanwhile.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: PipelineId,
    (name, is_default): (&str, bool),
    (by, now): (UserId, DateTime<Utc>),
) -> Result<bool, DbError> {
    let done = query(
        "-- crm.pipelines.insert\n\
         INSERT INTO crm.pipelines (id, name, is_default, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
    )
    .bind(id.as_uuid())
    .bind(name)
    .bind(is_default)
    .bind(by.as_uuid())
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the default away from the pipeline that has it.
pub(super) async fn clear_default(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<(), DbError> {
    query(
        "-- crm.pipelines.clear_default\n\
         UPDATE crm.pipelines SET is_default = false, version = version + 1, updated_at = $1 WHERE is_default",
    )
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes name and default of a pipeline that is locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: PipelineId,
    (name, is_default): (&str, bool),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- crm.pipelines.update\n\
         UPDATE crm.pipelines SET name = $2, is_default = $3, version = version + 1, updated_at = $4 WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(name)
    .bind(is_default)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut TenantTx, id: PipelineId) -> Result<(), DbError> {
    query("-- crm.pipelines.delete\nDELETE FROM crm.pipelines WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Writes stages, new ones and known ones, in this order.
pub(super) async fn put_stages(
    tx: &mut TenantTx,
    pipeline: PipelineId,
    stages: &[(StageId, &WantedStage)],
) -> Result<(), DbError> {
    // Names and places may change in a circle: they are looked at when all are written.
    query("SET CONSTRAINTS crm.stages_position_key, crm.stages_name_key DEFERRED")
        .execute(tx.conn())
        .await?;
    let mut sql = Sql::new(
        "-- crm.stages.put\n\
         INSERT INTO crm.stages (pipeline_id, id, name, position, kind, probability, rot_days, required_fields) VALUES ",
    );
    for (position, (id, stage)) in (0_i32..).zip(stages) {
        sql.push(if position == 0 { "(" } else { ", (" });
        sql.bind(pipeline.as_uuid()).push(", ").bind(id.as_uuid());
        sql.push(", ").bind(stage.name.as_str());
        sql.push(", ").bind(position);
        sql.push(", ").bind(stage.kind.as_str());
        sql.push(", ").bind(stage.probability());
        sql.push(", ").bind(stage.rot_days);
        sql.push(", ").bind(stage.required_fields.as_slice());
        sql.push(")");
    }
    sql.push(
        " ON CONFLICT ON CONSTRAINT stages_pkey DO UPDATE SET name = EXCLUDED.name, position = EXCLUDED.position, \
         kind = EXCLUDED.kind, probability = EXCLUDED.probability, rot_days = EXCLUDED.rot_days, \
         required_fields = EXCLUDED.required_fields",
    );
    sql.execute(tx).await?;
    Ok(())
}

/// Deletes stages that no deal is in.
pub(super) async fn delete_stages(tx: &mut TenantTx, ids: &[Uuid]) -> Result<(), DbError> {
    query("-- crm.stages.delete\nDELETE FROM crm.stages WHERE id = ANY($1)")
        .bind(ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Which of these stages have deals, in the trash or not.
pub(super) async fn in_use(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<(Uuid,)> = query_as(
        "-- crm.stages.in_use\n\
         SELECT s.id FROM unnest($1::uuid[]) AS s (id) WHERE EXISTS (SELECT FROM crm.deals WHERE stage_id = s.id)",
    )
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Lets the deals of stages whose probability changed know: what they are worth has changed, unless they have a
/// probability of their own.
pub(super) async fn weigh_again(tx: &mut TenantTx, ids: &[Uuid]) -> Result<(), DbError> {
    query(
        "-- crm.deals.weigh_again\n\
         UPDATE crm.deals SET version = version + (probability IS NULL)::integer WHERE stage_id = ANY($1)",
    )
    .bind(ids)
    .execute(tx.conn())
    .await?;
    Ok(())
}
