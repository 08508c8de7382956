use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ScoringRead;
use crate::{
    app::AppState,
    scoring::models::{self, ModelVersion},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListModels {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What came of each training, newest first.
#[utoipa::path(
    get, path = "/api/scoring/models", tag = "scoring",
    security(("bearer" = ["scoring:read"])),
    params(ListModels),
    responses((status = 200, description = "One page", body = Page<ModelVersion>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_scoring_models(
    State(app): State<AppState>,
    caller: Can<ScoringRead>,
    Query(query): Query<ListModels>,
) -> Result<Json<Page<ModelVersion>>, Problem> {
    let (tenant, cursors, list) = (caller.tenant(), &app.core.cursors, "scoring_models");
    let page = PageQuery::new(query.limit, query.cursor).open::<i32>(cursors, tenant, list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = models::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &ModelVersion| {
        cursors.seal(tenant, list, &last.version)
    })))
}
