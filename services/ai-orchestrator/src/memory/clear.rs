use axum::extract::State;
use bz_auth::Can;
use bz_http::{Problem, Query};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{MemoryWrite, store};
use crate::app::AppState;

/// What to delete.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteMemories {
    /// Only what this agent remembers, by its name.
    agent: Option<String>,
}

/// Delete everything that agents remember of oneself, or that one of them does.
#[utoipa::path(
    delete, path = "/api/memory", tag = "memory",
    security(("bearer" = ["memory:write"])),
    params(DeleteMemories),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ListProblems),
)]
pub(super) async fn delete_memories(
    State(app): State<AppState>,
    caller: Can<MemoryWrite>,
    Query(query): Query<DeleteMemories>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::clear(&mut tx, caller.user, query.agent.as_deref()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
