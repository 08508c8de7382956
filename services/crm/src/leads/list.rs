use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{LeadId, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Lead, LeadStatus, LeadsRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListLeads {
    /// Only leads in this status.
    status: Option<LeadStatus>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's leads, newest first.
#[utoipa::path(
    get, path = "/api/leads", tag = "leads",
    security(("bearer" = ["leads:read"])),
    params(ListLeads),
    responses((status = 200, description = "One page", body = Page<Lead>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_leads(
    State(app): State<AppState>,
    caller: Can<LeadsRead>,
    Query(query): Query<ListLeads>,
) -> Result<Json<Page<Lead>>, Problem> {
    let tenant = caller.scope.tenant();
    let cursors = &app.core.cursors;
    let list = format!(
        "leads?status={}",
        query.status.map_or("", LeadStatus::as_str)
    );
    let page = PageQuery::new(query.limit, query.cursor).open::<LeadId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let leads = store::list(&mut tx, query.status, page.after, page.limit).await?;
    Ok(Json(Page::cut(leads, page.limit, |last: &Lead| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
