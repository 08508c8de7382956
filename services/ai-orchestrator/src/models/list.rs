use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{Model, ModelsRead};
use crate::app::AppState;

/// The models that can run within the process: their files, whether they are loaded, and how long that took.
#[utoipa::path(
    get, path = "/api/models", tag = "models",
    security(("bearer" = ["models:read"])),
    responses((status = 200, description = "All models, on one page", body = Page<Model>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_models_in_process(
    State(app): State<AppState>,
    _caller: Can<ModelsRead>,
) -> Result<Json<Page<Model>>, Problem> {
    Ok(Json(Page {
        items: app.models.list(),
        next_cursor: None,
    }))
}
