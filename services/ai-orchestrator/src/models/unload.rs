use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Model, ModelsManage, may_manage, place};
use crate::app::AppState;

/// Unload a model, so that its memory is free. What used it does without, as if it had never been there.
///
/// The model is the whole installation's, so only administrators of the tenant that `MODEL_ADMIN_TENANT` names may do
/// it.
#[utoipa::path(
    post, path = "/api/models/{name}/unload", tag = "models",
    security(("bearer" = ["models:manage"])),
    params(("name" = String, Path, description = "The model's name")),
    responses((status = 202, description = "The model", body = Model), bz_http::openapi::ReadProblems),
)]
pub(super) async fn unload_model(
    State(app): State<AppState>,
    caller: Can<ModelsManage>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Model>), Problem> {
    let place = place(&name)?;
    may_manage(&app, &caller)?;
    let model = app.models.unload(place);
    Ok((StatusCode::ACCEPTED, Json(model)))
}
