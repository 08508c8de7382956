use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::ActivityId;

use super::note;
use crate::{
    activities::{ActivitiesWrite, Activity},
    app::AppState,
    records::handlers,
};

/// Delete a note.
///
/// It stays in the trash for 30 days and can be restored as an activity.
#[utoipa::path(
    delete, path = "/api/notes/{id}", tag = "notes",
    security(("bearer" = ["activities:write"])),
    params(("id" = ActivityId, Path, description = "The note"), IfMatch),
    responses((status = 204, description = "It is in the trash"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_note(
    State(app): State<AppState>,
    caller: Can<ActivitiesWrite>,
    Path(id): Path<ActivityId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    note(&app, &caller, id).await?;
    handlers::delete::<Activity>(&app, &caller, id.as_uuid(), &if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
