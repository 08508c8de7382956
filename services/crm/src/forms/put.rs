use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{CaptureForm, CaptureFormId, CaptureFormsManage, WantedForm, store};
use crate::app::AppState;

/// Replace an capture form.
///
/// Its key stays. With `If-Match` the change is made only on that version.
#[utoipa::path(
    put, path = "/api/capture-forms/{id}", tag = "capture",
    security(("bearer" = ["capture_forms:manage"])),
    params(("id" = CaptureFormId, Path, description = "The form"), IfMatch),
    request_body = WantedForm,
    responses(
        (status = 200, description = "The form, as it is now", body = CaptureForm,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_capture_form(
    State(app): State<AppState>,
    caller: Can<CaptureFormsManage>,
    Path(id): Path<CaptureFormId>,
    if_match: IfMatch,
    Json(wanted): Json<WantedForm>,
) -> Result<Versioned<CaptureForm>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id).await?;
    let before = before.ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let form = store::update(&mut tx, id, app.core.sources.now(), &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(form.version, form))
}
