use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{CaptureForm, CaptureFormsRead, store};
use crate::app::AppState;

/// The tenant's capture forms, newest first.
///
/// At most 200, so there is no next page.
#[utoipa::path(
    get, path = "/api/capture-forms", tag = "capture",
    security(("bearer" = ["capture_forms:read"])),
    responses((status = 200, description = "All of them", body = Page<CaptureForm>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_capture_forms(
    State(app): State<AppState>,
    caller: Can<CaptureFormsRead>,
) -> Result<Json<Page<CaptureForm>>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    Ok(Json(Page {
        items: store::all(&mut tx).await?,
        next_cursor: None,
    }))
}
