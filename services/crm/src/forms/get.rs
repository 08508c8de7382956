use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{CaptureForm, CaptureFormId, CaptureFormsRead, store};
use crate::app::AppState;

/// One capture form.
#[utoipa::path(
    get, path = "/api/capture-forms/{id}", tag = "capture",
    security(("bearer" = ["capture_forms:read"])),
    params(("id" = CaptureFormId, Path, description = "The form")),
    responses(
        (status = 200, description = "The form", body = CaptureForm,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_capture_form(
    State(app): State<AppState>,
    caller: Can<CaptureFormsRead>,
    Path(id): Path<CaptureFormId>,
) -> Result<Versioned<CaptureForm>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (form, _) = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(form.version, form))
}
