use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{not_a_member, store, switch::check_named};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::home,
    users::store::{self as users, Account},
};

/// Which tenant a login without one means.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultTenant {
    /// Slug or id of the tenant.
    #[schema(example = "acme", max_length = 64)]
    tenant: String,
}

impl Validate for DefaultTenant {
    fn validate(&self, errors: &mut Errors) {
        check_named(&self.tenant, errors);
    }
}

/// Choose the tenant that a login with the caller's address means when it names none.
///
/// It must be one in which the address has a password. Where addresses are verified, it must be so in both tenants: that
/// they are one person's is what the mailbox says.
#[utoipa::path(
    put, path = "/auth/tenants/default", tag = "account",
    request_body = DefaultTenant,
    responses((status = 204, description = "A login means that tenant now"), bz_http::openapi::WriteProblems),
)]
pub(crate) async fn set_default_tenant(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Json(request): Json<DefaultTenant>,
) -> Result<StatusCode, Problem> {
    caller.refuse_impersonation()?;
    let target = home::by_slug_or_id(&app.core.db, &request.tenant).await?;
    let target = target.ok_or_else(not_a_member)?;
    let verified_only = app.config.registration.needs_verified_email();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let account = users::find(&mut tx, caller.user)
        .await?
        .filter(Account::is_active)
        .filter(|account| !verified_only || account.email_verified_at.is_some())
        .ok_or_else(not_a_member)?;
    if !store::move_home(&mut tx, &account.email, target, verified_only).await? {
        return Err(not_a_member());
    }
    let entry = Entry {
        actor: Actor::of(&caller),
        action: "user.default_tenant_changed",
        target: Some(("user", caller.user.as_uuid())),
        success: true,
        changes: json!({ "default_tenant": target }),
        origin: &origin,
    };
    audit::record(&mut tx, &app.core.sources, entry).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
