use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Deal, DealsRead};
use crate::{app::AppState, pipelines::StageKind, records::list};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDeals {
    /// Only deals that stand so.
    status: Option<StageKind>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's deals, newest first.
#[utoipa::path(
    get, path = "/api/deals", tag = "deals",
    security(("bearer" = ["deals:read"])),
    params(ListDeals),
    responses((status = 200, description = "One page", body = Page<Deal>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_deals(
    State(app): State<AppState>,
    caller: Can<DealsRead>,
    Query(query): Query<ListDeals>,
) -> Result<Json<Page<Deal>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let status = query.status.map(StageKind::as_str);
    list::page(&app, &caller, page, &[("status", status)]).await
}
