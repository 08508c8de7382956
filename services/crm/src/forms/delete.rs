use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};

use super::{CaptureFormId, CaptureFormsManage, store};
use crate::app::AppState;

/// Delete an capture form.
///
/// What was submitted by it goes too; the leads stay.
#[utoipa::path(
    delete, path = "/api/capture-forms/{id}", tag = "capture",
    security(("bearer" = ["capture_forms:manage"])),
    params(("id" = CaptureFormId, Path, description = "The form"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_capture_form(
    State(app): State<AppState>,
    caller: Can<CaptureFormsManage>,
    Path(id): Path<CaptureFormId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id).await?;
    if_match.check(before.ok_or_else(Problem::not_found)?.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
