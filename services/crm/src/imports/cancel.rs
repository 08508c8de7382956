use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Import, ImportsWrite, shown};
use crate::{
    app::AppState,
    jobs::{JobId, cancel, kinds::IMPORT},
};

/// Cancel an import.
///
/// What was imported stays, and can be undone; rows that were not reached are counted as left out. One that is over is
/// answered as it is.
#[utoipa::path(
    delete, path = "/api/imports/{id}", tag = "imports",
    security(("bearer" = ["imports:write"])),
    params(("id" = JobId, Path, description = "Its id")),
    responses(
        (status = 200, description = "It; when it was being worked on, it stops in a moment", body = Import),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn cancel_import(
    State(app): State<AppState>,
    caller: Can<ImportsWrite>,
    Path(id): Path<JobId>,
) -> Result<Json<Import>, Problem> {
    let row = cancel::cancel(&app, &caller, id, Some(IMPORT)).await?;
    Ok(Json(shown(&row)?))
}
