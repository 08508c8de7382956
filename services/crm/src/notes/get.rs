use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::ActivityId;

use super::note;
use crate::{
    activities::{ActivitiesRead, Activity},
    app::AppState,
};

/// One note.
#[utoipa::path(
    get, path = "/api/notes/{id}", tag = "notes",
    security(("bearer" = ["activities:read"])),
    params(("id" = ActivityId, Path, description = "The note")),
    responses(
        (status = 200, description = "The note", body = Activity,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_note(
    State(app): State<AppState>,
    caller: Can<ActivitiesRead>,
    Path(id): Path<ActivityId>,
) -> Result<Versioned<Activity>, Problem> {
    note(&app, &caller, id).await
}
