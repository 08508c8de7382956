//! The first pipeline of a tenant, made when it is first needed.

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::{PipelineId, StageId};
use bz_tenant::{DbError, TenantTx};
use sqlx::query_as;
use uuid::Uuid;

use super::{StageKind, WantedStage, store};
use crate::{app::AppState, records::Work};

/// Its name.
const NAME: &str = "Sales";
/// The usual stages.
const STAGES: [(&str, StageKind, i16); 6] = [
    ("New", StageKind::Open, 10),
    ("Qualified", StageKind::Open, 25),
    ("Proposal", StageKind::Open, 50),
    ("Negotiation", StageKind::Open, 75),
    ("Won", StageKind::Won, 100),
    ("Lost", StageKind::Lost, 0),
];

/// The usual stages, for a pipeline that names none.
pub(super) fn usual_stages() -> Vec<WantedStage> {
    let stage = |(name, kind, probability): (&str, StageKind, i16)| WantedStage {
        id: None,
        name: name.to_owned(),
        position: None,
        kind,
        probability: Some(probability),
        rot_days: None,
        required_fields: Vec::new(),
    };
    STAGES.into_iter().map(stage).collect()
}

/// The default pipeline, if there is one.
pub(super) async fn known(tx: &mut TenantTx) -> Result<Option<PipelineId>, DbError> {
    let row: Option<(Uuid,)> =
        query_as("-- crm.pipelines.default\nSELECT id FROM crm.pipelines WHERE is_default")
            .fetch_optional(tx.conn())
            .await?;
    Ok(row.map(|(id,)| id.into()))
}

/// The default pipeline; a tenant that has none yet gets it. Two requests at once make one: the second waits for the
/// first at the unique key.
pub(crate) async fn default_pipeline(work: &mut Work<'_>) -> Result<PipelineId, Problem> {
    if let Some(id) = known(work.tx).await? {
        return Ok(id);
    }
    let id: PipelineId = work.id().into();
    let by = (work.actor, work.now());
    if store::insert(work.tx, id, (NAME, true), by).await? {
        let wanted = usual_stages();
        let stages: Vec<(StageId, &WantedStage)> = wanted
            .iter()
            .map(|stage| (work.id().into(), stage))
            .collect();
        store::put_stages(work.tx, id, &stages).await?;
        return Ok(id);
    }
    let known = known(work.tx).await?;
    known.ok_or_else(|| Problem::internal("a tenant's pipelines have no default"))
}

/// The default pipeline for somebody who only reads; made if the tenant has none yet.
pub(crate) async fn default_for(app: &AppState, caller: &Caller) -> Result<PipelineId, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    if let Some(id) = known(&mut tx).await? {
        return Ok(id);
    }
    drop(tx);
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    let id = default_pipeline(&mut work).await?;
    tx.commit().await?;
    Ok(id)
}
