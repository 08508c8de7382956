use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{View, ViewsRead, store};
use crate::app::AppState;

/// One view.
#[utoipa::path(
    get, path = "/api/views/{id}", tag = "views",
    security(("bearer" = ["views:read"])),
    params(("id" = Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = View, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_view(
    State(app): State<AppState>,
    caller: Can<ViewsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<View>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let view = store::find(&mut tx, caller.user, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(view.version, view))
}
