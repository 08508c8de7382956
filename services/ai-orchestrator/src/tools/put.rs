use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{
    PutTool, Tool, ToolsManage, built_in,
    create::{allowed_here, sealed},
    store,
};
use crate::app::AppState;

/// Change a tool. Runs that are at work use it as it is from now on.
#[utoipa::path(
    put, path = "/api/tools/{id}", tag = "tools",
    security(("bearer" = ["tools:manage"])),
    params(("id" = String, Path, description = "The tool's id or name"), IfMatch),
    request_body = PutTool,
    responses(
        (status = 200, description = "The tool", body = Tool, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_tool(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(wanted): Json<PutTool>,
) -> Result<Versioned<Tool>, Problem> {
    refuse_built_in(&id)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = store::find_for_update(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    allowed_here(&app, &wanted.tool)?;
    let headers = wanted
        .headers
        .as_ref()
        .map(|headers| sealed(&app, row.id, headers));
    let now = app.core.sources.now();
    let row = store::update(&mut tx, row.id, now, &wanted.tool, headers.as_ref()).await?;
    tx.commit().await?;
    Ok(Versioned(row.version, row.into_tool(&app.toolbox)))
}

/// The built-in tools are everybody's.
pub(super) fn refuse_built_in(id: &str) -> Result<(), Problem> {
    match built_in(id) {
        None => Ok(()),
        Some(_) => Err(Problem::conflict(
            "tool_is_built_in",
            "The built-in tools are the same for everybody.",
        )),
    }
}
