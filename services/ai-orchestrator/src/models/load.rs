use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Json, Path, Problem};

use super::{Model, ModelsManage, may_manage, place};
use crate::app::AppState;

/// Load a model, which goes on in the background; one that is loaded stays as it is.
///
/// The model is the whole installation's, so only administrators of the tenant that `MODEL_ADMIN_TENANT` names may do
/// it.
#[utoipa::path(
    post, path = "/api/models/{name}/load", tag = "models",
    security(("bearer" = ["models:manage"])),
    params(("name" = String, Path, description = "The model's name")),
    responses(
        (status = 202, description = "The model: `loading`, `ready`, or `absent` when its files are not there", body = Model),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn load_model(
    State(app): State<AppState>,
    caller: Can<ModelsManage>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Model>), Problem> {
    let place = place(&name)?;
    may_manage(&app, &caller)?;
    let model = app.models.load(place);
    Ok((StatusCode::ACCEPTED, Json(model)))
}
