use axum::extract::State;
use bz_auth::{Caller, Entrant};
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::{DbError, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::{Passkey, ceremony_invalid, check_name, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    mfa,
    origin::Origin,
    sessions::store_own,
};

/// What a passkey is called that was given no name.
const NAMELESS: &str = "Passkey";

/// What the browser made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterPasskey {
    /// The ceremony's id.
    ceremony_id: Uuid,
    /// What to call the passkey.
    #[schema(example = "Work laptop", min_length = 1, max_length = 120)]
    name: Option<String>,
    /// What `navigator.credentials.create()` answered, binary members as base64url.
    #[schema(value_type = Object)]
    credential: RegisterPublicKeyCredential,
}

impl Validate for RegisterPasskey {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check_name(name, errors);
        }
    }
}

/// Add the passkey that the browser made.
///
/// The session then counts as begun with two factors; a refresh gives an access token that says so.
#[utoipa::path(
    post, path = "/auth/passkeys/register/verify", tag = "passkeys",
    request_body = RegisterPasskey,
    responses(
        (status = 201, description = "The passkey", body = Passkey),
        (status = 409, description = "The credential is somebody's already", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn register_verify(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
    origin: Origin,
    Json(request): Json<RegisterPasskey>,
) -> Result<(StatusCode, Json<Passkey>), Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let register = async |tx: &mut TenantTx| register(tx, &app, &caller, &origin, &request).await;
    app.core
        .db
        .run::<_, DbError>("identity.passkeys.register", &caller.scope, register)
        .await?
        .map(|passkey| (StatusCode::CREATED, Json(passkey)))
}

/// A refusal is an outcome too: the ceremony is over whatever came of it.
async fn register(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    request: &RegisterPasskey,
) -> Result<Result<Passkey, Problem>, DbError> {
    let now = app.core.sources.now();
    let state = store::take_registration(tx, request.ceremony_id, caller.user, now).await?;
    let Some(state) = state else {
        return Ok(Err(ceremony_invalid()));
    };
    let webauthn = &app.config.relying_party;
    let credential = match webauthn.finish_passkey_registration(&request.credential, &state) {
        Ok(credential) => credential,
        Err(error) => return Ok(Err(ceremony_invalid().caused_by(error))),
    };
    let id: Uuid = app.core.sources.id();
    let name = request.name.as_deref().map_or(NAMELESS, str::trim);
    let Some(passkey) = store::insert(tx, id, caller.user, name, &credential, now).await? else {
        return Ok(Err(Problem::conflict(
            "passkey_taken",
            "This passkey was added before.",
        )));
    };
    store_own::add_methods(tx, caller.session, &["user", "mfa"]).await?;
    mfa::tell(tx, app, caller.user, "+ passkey").await?;
    let entry = Entry {
        actor: Actor::of(caller),
        action: "passkey.added",
        target: Some(("passkey", id)),
        success: true,
        changes: json!({ "name": name }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await?;
    Ok(Ok(passkey))
}
