use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use bz_auth::{Caller, Can};
use bz_http::{Path, Problem};
use futures_util::{Stream, stream};
use serde::Serialize;

use super::{
    Job, JobId, JobsRead,
    store::{self, JobRow},
};
use crate::app::AppState;

/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often an idle stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

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
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let events = events(app.clone(), caller.clone(), row, last.unwrap_or(0), shown);
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

fn events<T: Serialize + 'static>(
    app: AppState,
    caller: Caller,
    row: JobRow,
    seen: i64,
    shown: fn(&JobRow) -> T,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = Some((row, seen));
    stream::unfold(start, move |state| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let (mut row, seen) = state?;
            // What is over is told once more, so that who comes back late learns that there is nothing to wait for.
            while row.version <= seen && !row.status.is_over() {
                tokio::select! {
                    () = app.core.shutdown.cancelled() => return None,
                    () = tokio::time::sleep(LOOK) => {}
                }
                row = look(&app, &caller, &row).await?;
            }
            let over = row.status.is_over();
            let event = Event::default()
                .event(if over { "end" } else { "progress" })
                .id(row.version.to_string())
                .json_data(shown(&row))
                .ok()?;
            let version = row.version;
            Some((Ok(event), (!over).then_some((row, version))))
        }
    })
}

/// The job as it is now; the same as before when the database does not answer.
async fn look(app: &AppState, caller: &Caller, row: &JobRow) -> Option<JobRow> {
    let Ok(mut tx) = app.core.db.read(&caller.scope).await else {
        return Some(row.clone());
    };
    match store::find(&mut tx, row.id).await {
        Ok(found) => found,
        Err(_) => Some(row.clone()),
    }
}
