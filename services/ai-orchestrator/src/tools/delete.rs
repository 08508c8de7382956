use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::{ToolsManage, put::refuse_built_in, store};
use crate::app::AppState;

/// Delete a tool. An agent that names it does without it; a run that calls it is told that it is not there.
#[utoipa::path(
    delete, path = "/api/tools/{id}", tag = "tools",
    security(("bearer" = ["tools:manage"])),
    params(("id" = String, Path, description = "The tool's id or name"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_tool(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    refuse_built_in(&id)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = store::find_for_update(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    store::delete(&mut tx, row.id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
