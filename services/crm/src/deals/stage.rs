//! Where a deal goes: its pipeline, its stage and its place there.

use bz_http::{Errors, Problem};
use bz_kernel::{PipelineId, StageId};
use bz_tenant::{DbError, TenantTx};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::{CreateDeal, Deal};
use crate::{
    pipelines::{self, StageKind},
    records::{Work, sql::Sql},
};

/// What of a stage matters for a deal that enters it.
#[derive(Debug, FromRow)]
pub(crate) struct Entry {
    pub id: Uuid,
    pub pipeline_id: Uuid,
    pub kind: StageKind,
    pub required_fields: Vec<String>,
}

/// A stage, which stays as it is until the transaction ends.
pub(crate) async fn find(tx: &mut TenantTx, id: StageId) -> Result<Option<Entry>, DbError> {
    let mut sql = entry("find");
    sql.push("id = ").bind(id.as_uuid()).push(" FOR SHARE");
    sql.fetch_optional(tx).await
}

async fn first_open(tx: &mut TenantTx, pipeline: PipelineId) -> Result<Option<Entry>, DbError> {
    let mut sql = entry("first_open");
    sql.push("pipeline_id = ").bind(pipeline.as_uuid());
    sql.push(" AND kind = 'open' ORDER BY position LIMIT 1 FOR SHARE");
    sql.fetch_optional(tx).await
}

fn entry(name: &str) -> Sql {
    Sql::new(format!(
        "-- crm.stages.{name}\nSELECT id, pipeline_id, kind, required_fields FROM crm.stages WHERE "
    ))
}

/// Fills in where the deal goes, and refuses what does not fit together.
pub(super) async fn settle(
    work: &mut Work<'_>,
    wanted: &mut CreateDeal,
    before: Option<&Deal>,
) -> Result<(), Problem> {
    let entered = match before {
        Some(deal) if stays(wanted, deal) => {
            wanted.pipeline_id = deal.pipeline_id;
            wanted.stage_id = deal.stage_id;
            None
        }
        _ => Some(enter(work, wanted, before).await?),
    };
    let is_lost = match (&entered, before) {
        (Some(entry), _) => entry.kind == StageKind::Lost,
        (None, Some(deal)) => deal.status == StageKind::Lost,
        (None, None) => false,
    };
    settle_reason(wanted, before, is_lost)?;
    if let Some(entry) = &entered {
        require(wanted, &entry.required_fields)?;
    }
    if wanted.position.is_none() {
        let kept = before.filter(|_| entered.is_none());
        wanted.position = match kept.and_then(|deal| deal.position) {
            Some(position) => Some(position),
            None => Some(end_of(work.tx, wanted.stage_id).await?),
        };
    }
    Ok(())
}

/// Whether the deal stays where it is; a change that does not say where it goes does not move it.
fn stays(wanted: &CreateDeal, deal: &Deal) -> bool {
    let same_pipeline = wanted.pipeline_id.is_none() || wanted.pipeline_id == deal.pipeline_id;
    let same_stage = wanted.stage_id.is_none() || wanted.stage_id == deal.stage_id;
    same_pipeline && same_stage
}

async fn enter(
    work: &mut Work<'_>,
    wanted: &mut CreateDeal,
    before: Option<&Deal>,
) -> Result<Entry, Problem> {
    let entry = match wanted.stage_id {
        Some(id) => find(work.tx, id).await?.ok_or_else(|| {
            let message = "must be the id of a stage of one of the tenant's pipelines";
            Problem::invalid("/stage_id", "not_found", message)
        })?,
        None => {
            let pipeline = match wanted.pipeline_id {
                Some(pipeline) => pipeline,
                None => pipelines::default_pipeline(work).await?,
            };
            first_open(work.tx, pipeline).await?.ok_or_else(|| {
                let message = "must be the id of one of the tenant's pipelines";
                Problem::invalid("/pipeline_id", "not_found", message)
            })?
        }
    };
    let pipeline: PipelineId = entry.pipeline_id.into();
    if wanted.pipeline_id.is_some_and(|id| id != pipeline) {
        let message = match before {
            Some(_) => "is a stage of another pipeline; send its pipeline_id too, or use move",
            None => "is a stage of another pipeline",
        };
        return Err(Problem::invalid("/stage_id", "other_pipeline", message));
    }
    wanted.pipeline_id = Some(pipeline);
    wanted.stage_id = Some(entry.id.into());
    Ok(entry)
}

/// Only a lost deal has a reason for it. One that is taken up again loses it.
fn settle_reason(
    wanted: &mut CreateDeal,
    before: Option<&Deal>,
    is_lost: bool,
) -> Result<(), Problem> {
    if is_lost || wanted.lost_reason.is_none() {
        return Ok(());
    }
    if before.is_some_and(|deal| deal.lost_reason == wanted.lost_reason) {
        wanted.lost_reason = None;
        return Ok(());
    }
    let message = "is only for a deal in a stage that is lost";
    Err(Problem::invalid("/lost_reason", "not_lost", message))
}

/// Refuses a deal that has not what its stage requires.
fn require(wanted: &CreateDeal, fields: &[String]) -> Result<(), Problem> {
    if fields.is_empty() {
        return Ok(());
    }
    let deal = serde_json::to_value(wanted).map_err(Problem::internal)?;
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    };
    let mut errors = Errors::default();
    for field in fields {
        let pointer = match field.strip_prefix("custom.") {
            Some(key) => format!("/custom/{}", key.replace('~', "~0").replace('/', "~1")),
            None => format!("/{field}"),
        };
        if deal.pointer(&pointer).is_none_or(is_empty) {
            errors.add(pointer, "required_by_stage", "is needed in this stage");
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}

/// The place behind the last deal of a stage.
async fn end_of(tx: &mut TenantTx, stage: Option<StageId>) -> Result<f64, DbError> {
    let mut sql = Sql::new("-- crm.deals.end_of\nSELECT position FROM crm.deals WHERE stage_id = ");
    sql.bind(stage.map(bz_kernel::StageId::as_uuid));
    sql.push(" ORDER BY position DESC, id DESC LIMIT 1");
    let last: Option<(f64,)> = sql.fetch_optional(tx).await?;
    Ok(last.map_or(0.0, |(position,)| position + 1.0))
}
