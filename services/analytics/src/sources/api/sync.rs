use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use http::StatusCode;

use crate::{
    app::AppState,
    sources::{
        ImportsWrite,
        resource::{DataSourceId, SourceRun},
        runs::worker,
    },
};

/// Ask a source's address soon.
///
/// While it is asked, asking again answers the same run. Days that the answer has are replaced as a whole.
#[utoipa::path(
    post, path = "/api/datasources/{id}/sync", tag = "data-sources",
    security(("bearer" = ["imports:write"])),
    params(("id" = DataSourceId, Path, description = "The source")),
    responses(
        (status = 202, description = "The run that asks it", body = SourceRun),
        (status = 409, description = "It has no address", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn sync_data_source(
    State(app): State<AppState>,
    caller: Can<ImportsWrite>,
    Path(id): Path<DataSourceId>,
) -> Result<Response, Problem> {
    let by = Some(caller.user.as_uuid());
    let run = worker::begin_sync(&app, &caller.scope, id.as_uuid(), by).await?;
    Ok((StatusCode::ACCEPTED, Json(SourceRun::from(run))).into_response())
}
