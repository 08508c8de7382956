use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use serde_json::json;
use uuid::Uuid;

use super::{Policy, PutPolicy, store};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    origin::Origin,
    tenants::{self, TenantManage, own},
};

/// Replace the tenant's policy.
///
/// It applies to sessions that start or are refreshed, to invitations, and to passwords and addresses that are chosen from
/// now on.
#[utoipa::path(
    put, path = "/api/tenants/{id}/policy", tag = "tenants",
    security(("bearer" = ["tenant:manage"])),
    params(("id" = Uuid, Path, description = "The tenant's id"), IfMatch),
    request_body = PutPolicy,
    responses(
        (status = 200, description = "The policy as it is now", body = Policy,
         headers(("ETag" = String, description = "The tenant's version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn put_tenant_policy(
    State(app): State<AppState>,
    caller: Can<TenantManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    origin: Origin,
    Json(put): Json<PutPolicy>,
) -> Result<Versioned<Policy>, Problem> {
    own(&caller, id)?;
    caller.refuse_impersonation()?;
    let policy = Policy::from(put);
    // Whoever locks everybody out locks themselves out too; where the address is not known it is their own risk.
    if origin.ip.is_some() && !policy.takes_network(origin.ip) {
        return Err(Problem::invalid(
            "/ip_allow",
            "excludes_you",
            "must contain your own address",
        ));
    }
    let (core, now) = (&app.core, app.core.sources.now());
    let mut tx = core.db.tenant(&caller.scope).await?;
    let version = tenants::store::lock(&mut tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(version)?;
    let version = store::replace(&mut tx, &policy, now).await?;
    let change = Change {
        actor: Actor::of(&caller),
        kind: "tenant.policy_changed",
        target: ("tenant", id),
        data: json!({ "tenant_id": id }),
        changes: json!({ "policy": policy }),
        origin: &origin,
    };
    changes::record(&mut tx, &core.sources, change).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(version, policy))
}
