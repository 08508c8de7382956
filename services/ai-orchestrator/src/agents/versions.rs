use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{Page, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AgentDefinition, AgentsRead};
use crate::{
    app::AppState,
    definitions::{self, VersionRow},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAgentVersions {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What an agent was.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgentVersion {
    /// The version.
    version: i64,
    /// What the agent was.
    #[serde(flatten)]
    definition: AgentDefinition,
    /// Who made it so.
    changed_by: UserId,
    /// When.
    changed_at: DateTime<Utc>,
}

impl From<VersionRow<AgentDefinition>> for AgentVersion {
    fn from((version, definition, by, changed_at): VersionRow<AgentDefinition>) -> Self {
        Self {
            version,
            definition: definition.0,
            changed_by: UserId::from_uuid(by),
            changed_at,
        }
    }
}

/// What an agent of the tenant's own was before, newest first.
#[utoipa::path(
    get, path = "/api/agents/{id}/versions", tag = "agents",
    security(("bearer" = ["agents:read"])),
    params(("id" = String, Path, description = "The agent's id or name"), ListAgentVersions),
    responses(
        (status = 200, description = "One page", body = Page<AgentVersion>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_agent_versions(
    State(app): State<AppState>,
    caller: Can<AgentsRead>,
    Path(id): Path<String>,
    Query(query): Query<ListAgentVersions>,
) -> Result<Json<Page<AgentVersion>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let mut tx = app.core.db.read(&caller.scope).await?;
    let agent = definitions::find::<AgentDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let list = format!("agents/{}/versions", agent.id);
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let rows =
        definitions::versions(&mut tx, agent.id, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(
        rows,
        page.limit,
        |last: &VersionRow<AgentDefinition>| cursors.seal(tenant, &list, &last.0),
    )))
}
