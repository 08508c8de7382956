use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{ServiceAccount, ServiceAccountsManage, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListServiceAccounts {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's service accounts, newest first.
#[utoipa::path(
    get, path = "/api/service-accounts", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(ListServiceAccounts),
    responses((status = 200, description = "One page", body = Page<ServiceAccount>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_service_accounts(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    Query(query): Query<ListServiceAccounts>,
) -> Result<Json<Page<ServiceAccount>>, Problem> {
    let (tenant, cursors, list) = (caller.tenant(), &app.core.cursors, "service-accounts");
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let accounts = store::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(
        accounts,
        page.limit,
        |last: &ServiceAccount| cursors.seal(tenant, list, &last.id),
    )))
}
