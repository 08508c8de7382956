use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{LeadId, Page};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Lead, LeadsRead};
use crate::{
    app::AppState,
    records::handlers,
    scoring::{PastScore, current},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListScores {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The scores that a lead has had, newest first.
///
/// One for each time that the score, the grade or the mode changed.
#[utoipa::path(
    get, path = "/api/leads/{id}/score/history", tag = "leads",
    security(("bearer" = ["leads:read"])),
    params(("id" = LeadId, Path, description = "The lead"), ListScores),
    responses(
        (status = 200, description = "One page", body = Page<PastScore>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_lead_scores(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Path(id): Path<LeadId>,
    Query(query): Query<ListScores>,
) -> Result<Json<Page<PastScore>>, Problem> {
    let (tenant, cursors, list) = (
        caller.tenant(),
        &app.core.cursors,
        format!("lead_scores?{id}"),
    );
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    handlers::get_in::<Lead>(&app, &mut tx, &caller, id.as_uuid()).await?;
    let limit = i64::from(page.limit) + 1;
    let found = current::history(&mut tx, id, page.after, limit).await?;
    Ok(Json(Page::cut(found, page.limit, |last: &PastScore| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
