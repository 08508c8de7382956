use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Job, JobId, JobsRead};
use crate::app::AppState;

/// How a job is getting on.
///
/// One's own; owners and admins see those of everybody.
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs",
    security(("bearer" = ["jobs:read"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses((status = 200, description = "It", body = Job), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_job(
    State(app): State<AppState>,
    caller: Can<JobsRead>,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = super::visible(&mut tx, &caller, id).await?;
    Ok(Json(Job::from(&row)))
}
