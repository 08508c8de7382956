use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Json, Problem, Query};
use bz_kernel::Page;

use crate::{
    app::AppState,
    guests::list::{ListTenants, MyTenant, list_my_tenants},
};

/// The tenants in which the caller may work; the same as `GET /auth/tenants`.
#[utoipa::path(
    get, path = "/api/tenants", tag = "tenants",
    params(ListTenants),
    responses((status = 200, description = "One page", body = Page<MyTenant>), bz_http::openapi::ListProblems),
)]
pub(crate) async fn list_tenants(
    app: State<AppState>,
    caller: Caller,
    query: Query<ListTenants>,
) -> Result<Json<Page<MyTenant>>, Problem> {
    list_my_tenants(app, caller, query).await
}
