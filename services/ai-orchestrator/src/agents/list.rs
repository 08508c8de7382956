use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Agent, AgentStatus, AgentsRead, llm_status, status, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAgents {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Behind which agent a page begins.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    ready: bool,
    name: String,
}

/// The ready agents and then the tenant's own, each by name.
#[utoipa::path(
    get, path = "/api/agents", tag = "agents",
    security(("bearer" = ["agents:read"])),
    params(ListAgents),
    responses((status = 200, description = "One page", body = Page<Agent>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_agents(
    State(app): State<AppState>,
    caller: Can<AgentsRead>,
    Query(query): Query<ListAgents>,
) -> Result<Json<Page<Agent>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Position>(cursors, tenant, "agents")?;
    let from = page.after.unwrap_or(Position {
        ready: true,
        name: String::new(),
    });
    let wanted = usize::from(page.limit) + 1;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (llm, mut agents) = (llm_status(&app), Vec::new());
    if from.ready {
        let ready = app.agents.iter().filter(|ready| ready.name > from.name);
        agents.extend(ready.take(wanted).map(|ready| Agent::ready(ready, llm)));
    }
    if agents.len() < wanted {
        let after = if from.ready { "" } else { from.name.as_str() };
        let left = i64::try_from(wanted - agents.len()).unwrap_or(1);
        let own = store::list(&mut tx, after, left).await?;
        agents.extend(own.into_iter().map(|row| row.with(llm)));
    }
    if llm == AgentStatus::Idle {
        let busy = status::at_work(&mut tx).await?;
        for agent in &mut agents {
            agent.status = busy.get(&agent.name).copied().unwrap_or(llm);
        }
    }
    Ok(Json(Page::cut(agents, page.limit, |last: &Agent| {
        let position = Position {
            ready: last.ready,
            name: last.name.clone(),
        };
        cursors.seal(tenant, "agents", &position)
    })))
}
