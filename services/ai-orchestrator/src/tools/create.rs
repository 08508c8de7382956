use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem};
use bz_tenant::OnConstraint;
use uuid::Uuid;

use super::{CreateTool, OwnTool, Tool, ToolId, ToolsManage, own::Headers, store};
use crate::app::AppState;

/// The most tools of a tenant.
pub(super) const MOST: i64 = 200;

/// Make a tool: a call of an address outside, of a webhook of n8n or of a CrewAI server.
///
/// With an `Idempotency-Key` the same request may be sent again: it makes no second tool.
#[utoipa::path(
    post, path = "/api/tools", tag = "tools",
    security(("bearer" = ["tools:manage"])),
    params(IdempotencyKey),
    request_body = CreateTool,
    responses(
        (status = 201, description = "The tool", body = Tool, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken, or there are 200 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_tool(
    State(app): State<AppState>,
    caller: Can<ToolsManage>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateTool>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    allowed_here(&app, &wanted.tool)?;
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "tools.create",
        &wanted,
        async |tx| {
            if store::count(tx).await? >= MOST {
                let detail = "A tenant may have 200 tools. Delete one first.";
                return Err(Problem::conflict("too_many_tools", detail));
            }
            let (id, by) = (sources.id::<ToolId>(), (caller.user, sources.now()));
            let headers = sealed(&app, id.as_uuid(), &wanted.headers);
            let row = store::insert(tx, id, by, (&wanted.name, &wanted.tool), &headers).await;
            let taken = || {
                let detail = format!("There is a tool {} already.", wanted.name);
                Problem::conflict("name_taken", detail)
            };
            let row = row.on_constraint("tools_name_key", taken)?;
            Ok(row.into_tool(&app.toolbox))
        },
    )
    .await?;
    Ok(made.into_response_with(|tool: &Tool| tool.version))
}

/// Goes on if this installation allows the tool.
pub(super) fn allowed_here(app: &AppState, tool: &OwnTool) -> Result<(), Problem> {
    let mut errors = Errors::default();
    tool.check_here(&mut errors, &app.toolbox);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::validation(errors))
    }
}

/// The headers for the store, bound to what they belong to.
pub(crate) fn sealed(app: &AppState, id: Uuid, headers: &Headers) -> store::Sealed {
    let names = headers.keys().cloned().collect();
    if headers.is_empty() {
        return (names, None);
    }
    let plain = serde_json::to_vec(headers).unwrap_or_default();
    let sealed = app.tool_secrets.seal(id.as_bytes(), &plain);
    (names, Some(sealed))
}
