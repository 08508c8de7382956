use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;

use super::{Pipeline, PipelinesRead, default_for, store};
use crate::app::AppState;

/// The tenant's pipelines with their stages, the default one first.
///
/// All of them: a tenant has at most 100. One that has none yet gets one with the usual stages.
#[utoipa::path(
    get, path = "/api/pipelines", tag = "pipelines",
    security(("bearer" = ["pipelines:read"])),
    responses((status = 200, description = "All of them", body = Page<Pipeline>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_pipelines(
    State(app): State<AppState>,
    caller: Can<PipelinesRead>,
) -> Result<Json<Page<Pipeline>>, Problem> {
    default_for(&app, &caller).await?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    Ok(Json(Page {
        items: store::all(&mut tx).await?,
        next_cursor: None,
    }))
}
