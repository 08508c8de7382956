use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{Policy, store};
use crate::{
    app::AppState,
    tenants::{TenantRead, own},
};

/// What the tenant asks of those who work in it.
#[utoipa::path(
    get, path = "/api/tenants/{id}/policy", tag = "tenants",
    security(("bearer" = ["tenant:read"])),
    params(("id" = Uuid, Path, description = "The tenant's id")),
    responses(
        (status = 200, description = "The policy", body = Policy,
         headers(("ETag" = String, description = "The tenant's version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn get_tenant_policy(
    State(app): State<AppState>,
    caller: Can<TenantRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Policy>, Problem> {
    own(&caller, id)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (policy, version) = store::find(&mut tx).await?.ok_or_else(Problem::not_found)?;
    Ok(Versioned(version, policy))
}
