use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{CompaniesRead, Company};
use crate::{app::AppState, records::list};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListCompanies {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's companies, newest first.
#[utoipa::path(
    get, path = "/api/companies", tag = "companies",
    security(("bearer" = ["companies:read"])),
    params(ListCompanies),
    responses((status = 200, description = "One page", body = Page<Company>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_companies(
    State(app): State<AppState>,
    caller: Can<CompaniesRead>,
    Query(query): Query<ListCompanies>,
) -> Result<Json<Page<Company>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    list::page(&app, &caller, page, &[]).await
}
