use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem};
use http::StatusCode;

use super::{MemoryId, MemoryWrite, store};
use crate::app::AppState;

/// Delete one thing that an agent remembers of oneself.
#[utoipa::path(
    delete, path = "/api/memory/{id}", tag = "memory",
    security(("bearer" = ["memory:write"])),
    params(("id" = MemoryId, Path, description = "The fact")),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_memory(
    State(app): State<AppState>,
    caller: Can<MemoryWrite>,
    Path(id): Path<MemoryId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    if !store::delete(&mut tx, caller.user, id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
