use axum::{extract::State, response::Response};
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::TenantId;
use bz_tenant::{TenantScope, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{carry, home_of, not_a_member, store::Held};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::{TokenAnswer, home, issue, issue::Grant},
    users::store::{self as users, Account},
};

/// Where to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchRequest {
    /// Slug or id of the tenant.
    #[schema(example = "acme", max_length = 64)]
    tenant: String,
}

impl Validate for SwitchRequest {
    fn validate(&self, errors: &mut Errors) {
        check_named(&self.tenant, errors);
    }
}

/// A slug or an id is short.
pub(super) fn check_named(tenant: &str, errors: &mut Errors) {
    if tenant.trim().is_empty() || tenant.len() > 64 || tenant.chars().any(char::is_control) {
        errors.add("/tenant", "invalid_value", "must be a slug or an id");
    }
}

/// Work in another tenant: tokens of a new session there.
///
/// Roles are those of that tenant, and its policy applies. The session keeps when and how the user proved who they are, and
/// lasts no longer than the one it goes on from; that one and its tokens stay as they are.
#[utoipa::path(
    post, path = "/auth/switch-tenant", tag = "sessions",
    request_body = SwitchRequest,
    responses(
        (status = 200, description = "Tokens of a session in that tenant", body = TokenAnswer),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn switch_tenant(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Json(request): Json<SwitchRequest>,
) -> Result<Response, Problem> {
    caller.refuse_impersonation()?;
    let target = home::by_slug_or_id(&app.core.db, &request.tenant).await?;
    let target = target.ok_or_else(not_a_member)?;
    let (account, grant) = enter(&app, &caller, target, &origin).await?;
    Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
}

/// Starts the session, if the target lets the caller in. Everything is read again there.
async fn enter(
    app: &AppState,
    caller: &Caller,
    target: TenantId,
    origin: &Origin,
) -> Result<(Account, Grant), Problem> {
    let scope = TenantScope::new(target, Some(caller.user));
    let mut tx = app.core.db.tenant(&scope).await?;
    // Before the session, as everybody does. Whoever takes rights away waits for this, and this for them.
    users::hold(&mut tx, caller.user).await?;
    let held = carry::hold(&mut tx, app, caller).await?;
    let account = member(&mut tx, caller, &held, origin).await?;
    let grant = carry::start(&mut tx, app, caller, &held, origin).await?;
    let entry = Entry {
        actor: Actor::of(caller),
        action: "session.switched",
        target: Some(("session", grant.token.session.as_uuid())),
        success: true,
        changes: json!({ "from_tenant": caller.tenant() }),
        origin,
    };
    audit::record(&mut tx, &app.core.sources, entry).await?;
    tx.commit().await?;
    Ok((account, grant))
}

/// The caller's account in the tenant of the transaction, if that lets their session in.
async fn member(
    tx: &mut TenantTx,
    caller: &Caller,
    held: &Held,
    origin: &Origin,
) -> Result<Account, Problem> {
    let account = users::find(tx, caller.user)
        .await?
        .filter(|account| account.is_active() && account.home_tenant == home_of(caller))
        .ok_or_else(not_a_member)?;
    carry::admit(&account.policy, held, origin)?;
    Ok(account)
}
