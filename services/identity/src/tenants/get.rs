use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{Tenant, TenantRead, own, store};
use crate::app::AppState;

/// A tenant. Only the one that the token is for can be seen; any other is not found.
#[utoipa::path(
    get, path = "/api/tenants/{id}", tag = "tenants",
    security(("bearer" = ["tenant:read"])),
    params(("id" = Uuid, Path, description = "The tenant's id")),
    responses(
        (status = 200, description = "The tenant", body = Tenant, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn get_tenant(
    State(app): State<AppState>,
    caller: Can<TenantRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Tenant>, Problem> {
    own(&caller, id)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    store::find_own(&mut tx)
        .await?
        .map(|tenant| Versioned(tenant.version, tenant))
        .ok_or_else(Problem::not_found)
}
