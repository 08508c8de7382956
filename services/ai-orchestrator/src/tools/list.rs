use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Tool, ToolsRead, builtin, store};
use crate::{app::AppState, mcp_servers};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTools {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Behind which tool a page begins.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// How many of the built-in ones were shown.
    built_in: usize,
    name: String,
}

/// The built-in tools, then the tenant's own, then those approved of MCP servers, each by name.
#[utoipa::path(
    get, path = "/api/tools", tag = "tools",
    security(("bearer" = ["tools:read"])),
    params(ListTools),
    responses((status = 200, description = "One page", body = Page<Tool>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_tools(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Query(query): Query<ListTools>,
) -> Result<Json<Page<Tool>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Position>(cursors, tenant, "tools")?;
    let from = page.after.unwrap_or(Position {
        built_in: 0,
        name: String::new(),
    });
    let wanted = usize::from(page.limit) + 1;
    let ready = builtin().iter().skip(from.built_in).take(wanted);
    let mut tools: Vec<Tool> = ready.map(Tool::built_in).collect();
    if tools.len() < wanted {
        let mut tx = app.core.db.read(&caller.scope).await?;
        let left = i64::try_from(wanted - tools.len()).unwrap_or(1);
        // A tenant's own have no dot in their names: behind one that has, only tools of servers are left.
        let behind = Some(from.name.as_str()).filter(|name| name.contains('.'));
        if behind.is_none() {
            let own = store::list(&mut tx, &from.name, left).await?;
            tools.extend(own.into_iter().map(|row| row.into_tool(&app.toolbox)));
        }
        if tools.len() < wanted {
            let left = i64::try_from(wanted - tools.len()).unwrap_or(1);
            let theirs = mcp_servers::tools_behind(&mut tx, behind.unwrap_or_default(), left);
            tools.extend(theirs.await?);
        }
    }
    let shown = tools
        .iter()
        .take(wanted - 1)
        .filter(|tool| tool.built_in)
        .count();
    Ok(Json(Page::cut(tools, page.limit, |last: &Tool| {
        let position = Position {
            built_in: from.built_in + shown,
            name: if last.built_in {
                String::new()
            } else {
                last.name.clone()
            },
        };
        cursors.seal(tenant, "tools", &position)
    })))
}
