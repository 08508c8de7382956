use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Can};
use bz_http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{ImportsWrite, Progress, get::visible, plan::Plan};
use crate::{
    app::AppState,
    jobs::{self, Job, JobId, JobStatus, kinds::IMPORT_UNDO, retention, store},
    problems,
    records::{ALL, RecordType},
};

/// Undo an import.
///
/// Within 72 hours: records that it created go into the trash, records that it changed get back what they had. Records that
/// somebody changed since are left as they are; the job's `result` has how many, and the first thousand of them. The same
/// request once more answers the same job.
#[utoipa::path(
    post, path = "/api/imports/{id}/undo", tag = "imports",
    security(("bearer" = ["imports:write"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 202, description = "The job that does it", body = Job,
         headers(("Location" = String, description = "Where to look for it"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn undo_import(
    State(app): State<AppState>,
    caller: Can<ImportsWrite>,
    Path(id): Path<JobId>,
) -> Result<Response, Problem> {
    let job = begin(&app, &caller, id).await?;
    let location = format!("/api/jobs/{}", job.id);
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(job),
    )
        .into_response())
}

async fn begin(app: &AppState, caller: &Caller, id: JobId) -> Result<Job, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    visible(&mut tx, caller, id).await?;
    let locked = store::lock(&mut tx, id.as_uuid()).await?;
    let mut import = locked.ok_or_else(Problem::not_found)?;
    let mut progress = Progress::of(&import);
    if let Some(undo) = progress.undo {
        let job = store::find(&mut tx, undo).await?;
        return job.as_ref().map(Job::from).ok_or_else(Problem::not_found);
    }
    let now = app.core.sources.now();
    let order = jobs::Order {
        kind: IMPORT_UNDO,
        record_type: allowed(caller, &import, now)?.name,
        params: json!({ "import_id": id }),
        total: Some(progress.created + progress.updated),
        status: JobStatus::Queued,
    };
    let job = jobs::order(app, &mut tx, caller.user, order).await?;
    progress.undo = Some(job.id);
    import.state = serde_json::to_value(progress).map_err(Problem::internal)?;
    store::save(&mut tx, &import, now, now).await?;
    tx.commit().await?;
    app.hurry();
    Ok(Job::from(&job))
}

/// The type of the records, when the caller may undo the import now.
fn allowed(
    caller: &Caller,
    import: &store::JobRow,
    now: DateTime<Utc>,
) -> Result<&'static RecordType, Problem> {
    let mut types = ALL.into_iter();
    let record = types.find(|it| Some(it.name) == import.record_type.as_deref());
    let record = record.ok_or_else(Problem::not_found)?;
    // Whoever undoes what was written must be one who may write it.
    if !caller
        .permissions
        .allow(&format!("{}:write", record.plural))
    {
        return Err(Problem::forbidden().detail(format!("This needs {}:write.", record.plural)));
    }
    let dry_run = Plan::of(import)?.dry_run;
    match import.finished_at {
        Some(finished) if !dry_run && now <= finished + retention::UNDO => Ok(record),
        Some(_) if !dry_run => Err(problems::too_late()),
        _ => Err(problems::not_finished()),
    }
}
