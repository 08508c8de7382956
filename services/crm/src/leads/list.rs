use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Lead, LeadStatus, LeadsRead};
use crate::{app::AppState, records::list};

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
    let page = PageQuery::new(query.limit, query.cursor);
    list::page(
        &app,
        &caller,
        page,
        &[("status", query.status.map(LeadStatus::as_str))],
    )
    .await
}
