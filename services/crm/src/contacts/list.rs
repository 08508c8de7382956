use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Contact, ContactsRead};
use crate::{app::AppState, records::list};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListContacts {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's contacts, newest first.
#[utoipa::path(
    get, path = "/api/contacts", tag = "contacts",
    security(("bearer" = ["contacts:read"])),
    params(ListContacts),
    responses((status = 200, description = "One page", body = Page<Contact>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_contacts(
    State(app): State<AppState>,
    caller: Can<ContactsRead>,
    Query(query): Query<ListContacts>,
) -> Result<Json<Page<Contact>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    list::page(&app, &caller, page, &[]).await
}
