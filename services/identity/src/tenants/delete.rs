use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate};
use bz_kernel::Sources;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TenantManage, own, store};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    guests,
    mail::Template,
    origin::Origin,
    revocations::{self, Revoked},
    sessions::store::RevokedBecause,
    users::store::{self as users, Account},
};

/// How long a deleted tenant can be restored.
pub(crate) const RESTORABLE_FOR: TimeDelta = TimeDelta::days(30);

/// The confirmation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteTenant {
    /// The tenant's slug, typed by the person who deletes it.
    #[schema(example = "acme", max_length = 64)]
    slug: String,
}

impl Validate for DeleteTenant {
    fn validate(&self, _: &mut Errors) {}
}

/// What was deleted, and until when that can be undone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletedTenant {
    /// The tenant's id.
    id: Uuid,
    /// `deleted`.
    status: &'static str,
    /// Until then the operator can restore it; afterwards its data goes, in all services.
    restorable_until: DateTime<Utc>,
}

/// Delete the tenant. Only an owner may, who has logged in a short while ago and types the tenant's slug.
///
/// All sessions of the tenant end at once. For 30 days the operator can restore it.
#[utoipa::path(
    delete, path = "/api/tenants/{id}", tag = "tenants",
    security(("bearer" = ["tenant:manage"])),
    params(("id" = Uuid, Path, description = "The tenant's id"), IfMatch),
    request_body = DeleteTenant,
    responses(
        (status = 202, description = "Nobody gets in any more", body = DeletedTenant),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn delete_tenant(
    State(app): State<AppState>,
    caller: Can<TenantManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    origin: Origin,
    Json(request): Json<DeleteTenant>,
) -> Result<(StatusCode, Json<DeletedTenant>), Problem> {
    own(&caller, id)?;
    caller.refuse_impersonation()?;
    let now = app.core.sources.now();
    caller.require_recent_login(now)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock(&mut tx).await?;
    let tenant = store::find_own(&mut tx)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(tenant.version)?;
    let account = users::find(&mut tx, caller.user)
        .await?
        .filter(Account::is_active);
    // The token may be older than the role.
    if account.is_none_or(|account| !account.roles.iter().any(|role| role == "owner")) {
        return Err(Problem::forbidden().detail("Only an owner may delete the tenant."));
    }
    if request.slug.trim() != tenant.slug {
        return Err(Problem::invalid(
            "/slug",
            "mismatch",
            "must be the tenant's slug",
        ));
    }
    let actor = Actor::of(&caller);
    tell_owners(&mut tx, &app, actor, now).await?;
    close(&mut tx, &app.core.sources, actor, &origin).await?;
    tx.commit().await?;
    app.wake();
    let deleted = DeletedTenant {
        id,
        status: "deleted",
        restorable_until: now + RESTORABLE_FOR,
    };
    Ok((StatusCode::ACCEPTED, Json(deleted)))
}

/// Marks the tenant as deleted and ends everything in it, and what its people have elsewhere; nothing happens when it was
/// deleted before.
pub(crate) async fn close(
    tx: &mut TenantTx,
    sources: &Sources,
    actor: Actor,
    origin: &Origin,
) -> Result<(), DbError> {
    let (id, now) = (tx.scope().tenant().as_uuid(), sources.now());
    if !store::set_deleted(tx, true, now).await? {
        return Ok(());
    }
    // One revocation and one event stand for all sessions: a tenant can have very many.
    let ended = store::end_sessions(tx, now).await?;
    revocations::revoke(tx, sources, Revoked::Tenant).await?;
    guests::store::end_guest_sessions(tx, None, RevokedBecause::TenantDeleted, now).await?;
    let change = Change {
        actor,
        kind: "tenant.deletion_scheduled",
        target: ("tenant", id),
        data: json!({ "tenant_id": id, "erased_after": now + RESTORABLE_FOR }),
        changes: json!({ "sessions_ended": ended }),
        origin,
    };
    changes::record(tx, sources, change).await
}

/// Tells the owners that the tenant was deleted, by whom, and until when the operator can restore it.
async fn tell_owners(
    tx: &mut TenantTx,
    app: &AppState,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let by = match actor {
        Actor::User(user) => users::find(tx, user).await?,
        _ => None,
    };
    let by = by.map_or_else(|| "-".to_owned(), |account| account.email);
    let until = (now + RESTORABLE_FOR).format("%Y-%m-%d").to_string();
    for owner in users::owners(tx).await? {
        let values = [
            ("tenant", owner.tenant_name.as_str()),
            ("by", &by),
            ("until", &until),
        ];
        let to = Recipient::of(&owner);
        links::write(tx, app, to, Template::TenantDeleted, &values).await?;
    }
    Ok(())
}
