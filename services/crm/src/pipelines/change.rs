//! What a change of a pipeline means for its stages and the deals in them.

use bz_auth::Caller;
use bz_http::{Errors, IfMatch, Problem, Versioned, validated};
use bz_kernel::{PipelineId, StageId};
use bz_tenant::{ConstraintKind, DbError};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{CreatePipeline, Pipeline, WantedStage, store};
use crate::{app::AppState, deals, problems, records::Work};

/// Where the deals go.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MoveTo {
    /// The stage into which the deals go whose stage is to be deleted. Needed when there are any.
    move_to: Option<StageId>,
}

/// Makes of a pipeline what `wanted` says.
pub(super) async fn change(
    app: &AppState,
    caller: &Caller,
    (id, if_match, move_to): (PipelineId, &IfMatch, &MoveTo),
    wanted: impl FnOnce(&Pipeline) -> CreatePipeline,
) -> Result<Versioned<Pipeline>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock(&mut tx).await?;
    let found = store::find(&mut tx, id).await?;
    let before = found.ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let wanted = validated(wanted(&before))?;
    if wanted.stages.is_empty() {
        let message = "must name the stages; those that stay with their ids";
        return Err(Problem::invalid("/stages", "required", message));
    }
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    apply(&mut work, &before, &wanted, move_to).await?;
    let after = store::find(work.tx, id).await?;
    let after = after.ok_or_else(Problem::not_found)?;
    tx.commit().await.map_err(conflict)?;
    app.wake();
    Ok(Versioned(after.version, after))
}

async fn apply(
    work: &mut Work<'_>,
    before: &Pipeline,
    wanted: &CreatePipeline,
    move_to: &MoveTo,
) -> Result<(), Problem> {
    let now = work.now();
    match (before.is_default, wanted.is_default) {
        (true, false) => return Err(problems::default_pipeline()),
        (false, true) => store::clear_default(work.tx, now).await?,
        _ => {}
    }
    check_stages(work, before, wanted).await?;
    let stages: Vec<(StageId, &WantedStage)> = wanted
        .in_order()
        .into_iter()
        .map(|stage| (stage.id.unwrap_or_else(|| work.id().into()), stage))
        .collect();
    store::put_stages(work.tx, before.id, &stages).await?;
    let head = (wanted.name.as_str(), wanted.is_default);
    let written = store::update(work.tx, before.id, head, now).await;
    written.map_err(conflict)?;
    let stays = |id: StageId| stages.iter().any(|(kept, _)| *kept == id);
    let gone = before.stages.iter().map(|stage| stage.id);
    let gone: Vec<Uuid> = gone
        .filter(|id| !stays(*id))
        .map(StageId::as_uuid)
        .collect();
    empty(work, &gone, move_to).await?;
    store::delete_stages(work.tx, &gone)
        .await
        .map_err(conflict)?;
    let other = |stage: &&WantedStage| {
        let known = before
            .stages
            .iter()
            .find(|known| Some(known.id) == stage.id);
        known.is_some_and(|known| known.probability != stage.probability())
    };
    let weighed = wanted.stages.iter().filter(other);
    let weighed: Vec<Uuid> = weighed
        .filter_map(|stage| Some(stage.id?.as_uuid()))
        .collect();
    if !weighed.is_empty() {
        store::weigh_again(work.tx, &weighed).await?;
    }
    Ok(())
}

/// Stages that are named must be the pipeline's own, and one that deals are in keeps its kind.
async fn check_stages(
    work: &mut Work<'_>,
    before: &Pipeline,
    wanted: &CreatePipeline,
) -> Result<(), Problem> {
    let mut errors = Errors::default();
    let mut turned = Vec::new();
    for (n, stage) in wanted.stages.iter().enumerate() {
        let Some(id) = stage.id else { continue };
        match before.stages.iter().find(|known| known.id == id) {
            None => {
                let message =
                    "must be the id of a stage of this pipeline; leave it out for a new one";
                errors.add(format!("/stages/{n}/id"), "not_found", message);
            }
            Some(known) if known.kind != stage.kind => turned.push(id.as_uuid()),
            Some(_) => {}
        }
    }
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    if turned.is_empty() || store::in_use(work.tx, &turned).await?.is_empty() {
        return Ok(());
    }
    Err(problems::stage_in_use(
        "The kind of a stage cannot change while deals are in it. Move them first.",
    ))
}

/// Moves the deals out of stages that are to go.
pub(super) async fn empty(
    work: &mut Work<'_>,
    gone: &[Uuid],
    move_to: &MoveTo,
) -> Result<(), Problem> {
    if gone.is_empty() || store::in_use(work.tx, gone).await?.is_empty() {
        return Ok(());
    }
    let Some(target) = move_to.move_to else {
        return Err(problems::stage_in_use(
            "Deals are in it. Say with ?move_to=<stage id> where they go.",
        ));
    };
    let fault = || {
        let message = "must be the id of a stage that stays";
        Problem::invalid_parameter("move_to", "not_found", message)
    };
    if gone.contains(&target.as_uuid()) {
        return Err(fault());
    }
    let target = deals::stage::find(work.tx, target).await?;
    deals::relocate::relocate(work, gone, &target.ok_or_else(fault)?).await
}

/// What a violated constraint means for the client.
pub(super) fn conflict(error: DbError) -> Problem {
    match &error {
        DbError::Constraint { name, .. } if name == "pipelines_name_key" => problems::name_taken(),
        // A deal came into the stage a moment ago.
        DbError::Constraint {
            kind: ConstraintKind::ForeignKey,
            ..
        } => problems::stage_in_use("Deals are in it. Say with ?move_to=<stage id> where they go."),
        _ => error.into(),
    }
}
