use axum::{extract::State, http::HeaderMap, response::Response};
use bz_auth::{Caller, Can};
use bz_http::{Path, Problem};
use bz_service::progress::{self, Watched};
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;

use super::{
    Job, JobId, JobsRead,
    store::{self, JobRow},
};
use crate::app::AppState;

/// Watch a job: server-sent events.
///
/// Each `progress` has the job as it is then, and its version as id; the last is `end`. A stream that was cut goes on with
/// `Last-Event-ID`: what the client has seen is not sent again.
#[utoipa::path(
    get, path = "/api/jobs/{id}/events", tag = "jobs",
    security(("bearer" = ["jobs:read"])),
    params(
        ("id" = JobId, Path, description = "Its id"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events until it is over", body = String, content_type = "text/event-stream"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_job_events(
    State(app): State<AppState>,
    caller: Can<JobsRead>,
    Path(id): Path<JobId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    watch(&app, &caller, id, None, &headers, |row| Job::from(row)).await
}

/// The events of a job, of one kind if that is given, each as `shown` shows it.
pub(crate) async fn watch<T: Serialize + 'static>(
    app: &AppState,
    caller: &Caller,
    id: JobId,
    kind: Option<&str>,
    headers: &HeaderMap,
    shown: fn(&JobRow) -> T,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = super::visible(&mut tx, caller, id).await?;
    drop(tx);
    if kind.is_some_and(|kind| kind != row.kind) {
        return Err(Problem::not_found());
    }
    Ok(progress::events(&app.core, caller, headers, row, shown))
}

impl Watched for JobRow {
    fn tag(&self) -> String {
        self.version.to_string()
    }

    fn is_over(&self) -> bool {
        self.status.is_over()
    }

    async fn again(&self, tx: &mut TenantTx) -> Result<Option<Self>, DbError> {
        store::find(tx, self.id).await
    }
}
