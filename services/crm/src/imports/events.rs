use axum::{extract::State, http::HeaderMap, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem};

use super::{ImportsRead, shown};
use crate::{
    app::AppState,
    jobs::{JobId, events, kinds::IMPORT},
};

/// Watch an import: server-sent events.
///
/// Each `progress` has the import as it is then; the last is `end`. A stream that was cut goes on with `Last-Event-ID`.
#[utoipa::path(
    get, path = "/api/imports/{id}/events", tag = "imports",
    security(("bearer" = ["imports:read"])),
    params(
        ("id" = JobId, Path, description = "Its id"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events until it is over", body = String, content_type = "text/event-stream"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_import_events(
    State(app): State<AppState>,
    caller: Can<ImportsRead>,
    Path(id): Path<JobId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    events::watch(&app, &caller, id, Some(IMPORT), &headers, |row| {
        shown(row).ok()
    })
    .await
}
