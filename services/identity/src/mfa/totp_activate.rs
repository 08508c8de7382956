use axum::extract::State;
use bz_auth::{Caller, Entrant};
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{codes, factor, invalid, store, totp_enrol::already_enabled, verify::check_code};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::store_own,
};

/// The first code of an app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateRequest {
    /// The code that the app shows.
    #[schema(example = "123456", max_length = 64)]
    code: String,
}

impl Validate for ActivateRequest {
    fn validate(&self, errors: &mut Errors) {
        check_code(&self.code, errors);
    }
}

/// Codes for the day when the app is lost. They are shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Each is good once.
    pub(super) recovery_codes: Vec<String>,
}

/// Use an authenticator app from now on: the first code shows that it works.
///
/// The session then counts as begun with two factors; a refresh gives an access token that says so.
#[utoipa::path(
    post, path = "/auth/mfa/totp/{id}/activate", tag = "mfa",
    params(("id" = Uuid, Path, description = "The enrolment's id")),
    request_body = ActivateRequest,
    responses((status = 200, description = "Recovery codes", body = RecoveryCodes), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn activate_totp(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
    origin: Origin,
    Path(id): Path<Uuid>,
    Json(request): Json<ActivateRequest>,
) -> Result<Json<RecoveryCodes>, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let activate =
        async |tx: &mut TenantTx| activate(tx, &app, &caller, &origin, id, &request.code).await;
    let db = &app.core.db;
    let recovery_codes = db
        .run::<_, Problem>("identity.mfa.activate_totp", &caller.scope, activate)
        .await?;
    app.wake();
    Ok(Json(RecoveryCodes { recovery_codes }))
}

async fn activate(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: Uuid,
    code: &str,
) -> Result<Vec<String>, Problem> {
    let factor = store::factor(tx, caller.user, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if store::active_factor(tx, caller.user).await?.is_some() {
        return Err(already_enabled());
    }
    super::may_change(tx, caller).await?;
    if !factor::use_totp(tx, app, &factor, code).await? {
        return Err(invalid());
    }
    let recovery_codes = enable(tx, app, caller.user, id).await?;
    store_own::add_methods(tx, caller.session, &["otp", "mfa"]).await?;
    record(tx, app, Actor::of(caller), caller.user, origin).await?;
    Ok(recovery_codes)
}

/// Makes an app count whose first code was right: with new recovery codes, and a mail that says so.
pub(crate) async fn enable(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    id: Uuid,
) -> Result<Vec<String>, DbError> {
    store::activate(tx, user, id, app.core.sources.now()).await?;
    let recovery_codes = renew_codes(tx, app, user).await?;
    super::tell(tx, app, user, "+ TOTP").await?;
    Ok(recovery_codes)
}

/// Notes that an app counts from now on.
pub(crate) async fn record(
    tx: &mut TenantTx,
    app: &AppState,
    actor: Actor,
    user: UserId,
    origin: &Origin,
) -> Result<(), DbError> {
    let entry = Entry {
        actor,
        action: "mfa.enabled",
        target: Some(("user", user.as_uuid())),
        success: true,
        changes: json!({ "method": "totp" }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}

/// Replaces a user's recovery codes and answers the new ones.
pub(super) async fn renew_codes(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
) -> Result<Vec<String>, DbError> {
    let codes = codes::new_recovery_codes(&app.core.sources.rng);
    let mac = |code: &String| codes::recovery_mac(&app.core.secret, code);
    let macs: Vec<Vec<u8>> = codes.iter().map(mac).collect();
    store::replace_codes(tx, user, &macs).await?;
    Ok(codes)
}
