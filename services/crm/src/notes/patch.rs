use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use bz_kernel::ActivityId;

use super::note;
use crate::{
    activities::{ActivitiesWrite, Activity, ActivityType, CreateActivity},
    app::AppState,
    records::{handlers, patch::Change},
};

/// A change of a note.
type PatchNote = Change<CreateActivity>;

/// Change a note.
///
/// JSON merge patch: a missing field stays, `null` clears it. With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/notes/{id}", tag = "notes",
    security(("bearer" = ["activities:write"])),
    params(("id" = ActivityId, Path, description = "The note"), IfMatch),
    request_body = PatchNote,
    responses(
        (status = 200, description = "The note as it is now", body = Activity,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_note(
    State(app): State<AppState>,
    caller: Can<ActivitiesWrite>,
    Path(id): Path<ActivityId>,
    if_match: IfMatch,
    Json(change): Json<PatchNote>,
) -> Result<Versioned<Activity>, Problem> {
    note(&app, &caller, id).await?;
    handlers::write(&app, &caller, id.as_uuid(), &if_match, |note: &Activity| {
        let wanted = change.onto(note)?;
        if wanted.r#type == ActivityType::Note {
            return Ok(wanted);
        }
        let message = "stays note; change other activities at /api/activities";
        Err(Problem::invalid("/type", "not_a_note", message))
    })
    .await
}
