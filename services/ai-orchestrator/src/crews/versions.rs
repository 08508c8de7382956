use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{Page, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CrewDefinition, CrewsRead};
use crate::{
    app::AppState,
    definitions::{self, VersionRow},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListCrewVersions {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a crew was.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CrewVersion {
    /// The version.
    version: i64,
    /// What the crew was.
    #[serde(flatten)]
    definition: CrewDefinition,
    /// Who made it so.
    changed_by: UserId,
    /// When.
    changed_at: DateTime<Utc>,
}

impl From<VersionRow<CrewDefinition>> for CrewVersion {
    fn from((version, definition, by, changed_at): VersionRow<CrewDefinition>) -> Self {
        Self {
            version,
            definition: definition.0,
            changed_by: UserId::from_uuid(by),
            changed_at,
        }
    }
}

/// What a crew was before, newest first.
#[utoipa::path(
    get, path = "/api/crews/{id}/versions", tag = "crews",
    security(("bearer" = ["crews:read"])),
    params(("id" = String, Path, description = "The crew's id or name"), ListCrewVersions),
    responses(
        (status = 200, description = "One page", body = Page<CrewVersion>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_crew_versions(
    State(app): State<AppState>,
    caller: Can<CrewsRead>,
    Path(id): Path<String>,
    Query(query): Query<ListCrewVersions>,
) -> Result<Json<Page<CrewVersion>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let mut tx = app.core.db.read(&caller.scope).await?;
    let crew = definitions::find::<CrewDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let list = format!("crews/{}/versions", crew.id);
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let rows =
        definitions::versions(&mut tx, crew.id, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(
        rows,
        page.limit,
        |last: &VersionRow<CrewDefinition>| cursors.seal(tenant, &list, &last.0),
    )))
}
