use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{CompanyId, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use super::COMPANY;
use crate::{
    app::AppState,
    contacts::{Contact, ContactsRead},
    records::{pages, sql::Sql},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CompanyContactsPage {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The people who work for a company, newest first.
#[utoipa::path(
    get, path = "/api/companies/{id}/contacts", tag = "companies",
    security(("bearer" = ["contacts:read"])),
    params(("id" = CompanyId, Path, description = "The company"), CompanyContactsPage),
    responses(
        (status = 200, description = "One page", body = Page<Contact>),
        (status = 404, description = "No such company", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_company_contacts(
    State(app): State<AppState>,
    caller: Can<ContactsRead>,
    Path(id): Path<CompanyId>,
    Query(query): Query<CompanyContactsPage>,
) -> Result<Json<Page<Contact>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let id = id.as_uuid();
    let mut sql = Sql::default();
    sql.push(" AND company_id = ").bind(id);
    pages::beside(&app, &caller, (COMPANY, id), page, sql).await
}
