use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::CreateNote;
use crate::{
    activities::{ActivitiesWrite, Activity},
    app::AppState,
    duplicates::{OnDuplicate, create},
};

/// Create a note.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/notes", tag = "notes",
    security(("bearer" = ["activities:write"])),
    params(IdempotencyKey),
    request_body = CreateNote,
    responses(
        (status = 201, description = "The note", body = Activity,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_note(
    State(app): State<AppState>,
    caller: Can<ActivitiesWrite>,
    key: IdempotencyKey,
    Json(note): Json<CreateNote>,
) -> Result<Response, Problem> {
    create::<Activity>(&app, &caller, &key, OnDuplicate::Create, note.into()).await
}
