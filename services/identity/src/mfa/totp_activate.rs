use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Path, Problem, Validate};
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

enum Outcome {
    Missing,
    Already,
    Wrong,
    Active(Vec<String>),
}

/// Use an authenticator app from now on: the first code shows that it works.
#[utoipa::path(
    post, path = "/auth/mfa/totp/{id}/activate", tag = "mfa",
    params(("id" = Uuid, Path, description = "The enrolment's id")),
    request_body = ActivateRequest,
    responses((status = 200, description = "Recovery codes", body = RecoveryCodes), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn activate_totp(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<Uuid>,
    Json(request): Json<ActivateRequest>,
) -> Result<Json<RecoveryCodes>, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let activate =
        async |tx: &mut TenantTx| activate(tx, &app, &caller, &origin, id, &request.code).await;
    match app
        .core
        .db
        .run::<_, DbError>("identity.mfa.activate_totp", &caller.scope, activate)
        .await?
    {
        Outcome::Missing => Err(Problem::not_found()),
        Outcome::Already => Err(already_enabled()),
        Outcome::Wrong => Err(invalid()),
        Outcome::Active(recovery_codes) => {
            app.wake();
            Ok(Json(RecoveryCodes { recovery_codes }))
        }
    }
}

async fn activate(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: Uuid,
    code: &str,
) -> Result<Outcome, DbError> {
    let Some(factor) = store::factor(tx, caller.user, id).await? else {
        return Ok(Outcome::Missing);
    };
    if store::active_factor(tx, caller.user).await?.is_some() {
        return Ok(Outcome::Already);
    }
    if !factor::use_totp(tx, app, &factor, code).await? {
        return Ok(Outcome::Wrong);
    }
    store::activate(tx, caller.user, id, app.core.sources.now()).await?;
    let recovery_codes = renew_codes(tx, app, caller).await?;
    super::tell(tx, app, caller.user, "+ TOTP").await?;
    let entry = Entry {
        actor: Actor::of(caller),
        action: "mfa.enabled",
        target: Some(("user", caller.user.as_uuid())),
        success: true,
        changes: json!({ "method": "totp" }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await?;
    Ok(Outcome::Active(recovery_codes))
}

/// Replaces the caller's recovery codes and answers the new ones.
pub(super) async fn renew_codes(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
) -> Result<Vec<String>, DbError> {
    let codes = codes::new_recovery_codes(&app.core.sources.rng);
    let mac = |code: &String| codes::recovery_mac(&app.core.secret, code);
    let macs: Vec<Vec<u8>> = codes.iter().map(mac).collect();
    store::replace_codes(tx, caller.user, &macs).await?;
    Ok(codes)
}
