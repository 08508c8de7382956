use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Path, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Dashboard, DashboardId, DashboardsWrite, WantedDashboard, boards, check, create::made,
};
use crate::app::AppState;

/// How the copy differs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Advertising, second draft" }))]
pub(super) struct DuplicateDashboard {
    /// Its name, 1 to 120 characters; `Copy of …` when not given.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
}

impl Validate for DuplicateDashboard {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check::text(errors, "/name", name, 1, 120);
        }
    }
}

/// Make a copy of a dashboard. Links to the one that is copied do not show the copy.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/dashboards/{id}/duplicate", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(("id" = DashboardId, Path, description = "The dashboard to copy"), IdempotencyKey),
    request_body = DuplicateDashboard,
    responses(
        (status = 201, description = "The copy", body = Dashboard, headers(("ETag" = String, description = "Its version"))),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn duplicate_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(id): Path<DashboardId>,
    key: IdempotencyKey,
    Json(wanted): Json<DuplicateDashboard>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "dashboards.duplicate",
        &(id, &wanted),
        async |tx| {
            let source = boards::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let copied = WantedDashboard {
                name: wanted.name.clone().unwrap_or_else(|| copy_of(&source.name)),
                description: source.description,
                view: source.view,
                tiles: source.tiles,
            };
            let copy = made(sources, &caller, copied, source.template);
            boards::insert(tx, &copy).await?;
            Ok(copy)
        },
    )
    .await?;
    Ok(created.into_response_with(|copy| copy.version))
}

fn copy_of(name: &str) -> String {
    format!("Copy of {name}").chars().take(120).collect()
}
