use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use uuid::Uuid;

use super::{ViewsWrite, locked, store};
use crate::app::AppState;

/// Delete a view. A shared one of somebody else needs `views:manage`.
#[utoipa::path(
    delete, path = "/api/views/{id}", tag = "views",
    security(("bearer" = ["views:write"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_view(
    State(app): State<AppState>,
    caller: Can<ViewsWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let view = locked(&mut tx, &caller, id).await?;
    if_match.check(view.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
