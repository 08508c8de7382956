use axum::{extract::State, response::Response};
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use webauthn_rs::prelude::{AuthenticationResult, PublicKeyCredential};

use super::{ceremony::Ceremony, not_accepted, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    problems::PublicProblems,
    sessions::{
        TokenAnswer,
        issue::{self, Grant, NewSession},
    },
    users::store::Account,
};

/// Methods of a session that a passkey began (RFC 8176): a key that is kept in one device, or one that is synchronised.
const WITH_DEVICE_KEY: &[&str] = &["hwk", "user", "mfa"];
const WITH_SYNCED_KEY: &[&str] = &["swk", "user", "mfa"];

/// What the browser answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyLogin {
    /// The ceremony that the options came with.
    ceremony: String,
    /// What `navigator.credentials.get()` answered, binary members as base64url.
    #[schema(value_type = Object)]
    credential: PublicKeyCredential,
    /// Whether the session outlives the day.
    #[serde(default = "yes")]
    remember: bool,
}

fn yes() -> bool {
    true
}

impl Validate for PasskeyLogin {
    fn validate(&self, _: &mut Errors) {}
}

/// Log in with a passkey. The session has the strength of two factors: the device, and what unlocked it.
#[utoipa::path(
    post, path = "/auth/passkeys/login/verify", tag = "passkeys", security(()),
    request_body = PasskeyLogin,
    responses((status = 200, description = "Tokens of a new session", body = TokenAnswer), PublicProblems),
)]
pub(crate) async fn login_verify(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<PasskeyLogin>,
) -> Result<Response, Problem> {
    let ceremony = Ceremony::open(&app, &request.ceremony).ok_or_else(not_accepted)?;
    let (user, tenant) = identify(&app, &request.credential).await?;
    let scope = TenantScope::new(tenant, Some(user));
    let login = Login {
        app: &app,
        user,
        ceremony,
        request: &request,
        origin: &origin,
    };
    let enter = async |tx: &mut TenantTx| login.enter(tx).await;
    let (account, grant) = app
        .core
        .db
        .run::<_, DbError>("identity.passkeys.login", &scope, enter)
        .await?
        .ok_or_else(not_accepted)?;
    Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
}

/// Whose passkey it says it is. Nothing of it counts before the signature was verified.
async fn identify(
    app: &AppState,
    credential: &PublicKeyCredential,
) -> Result<(UserId, TenantId), Problem> {
    let webauthn = &app.config.relying_party;
    let (user, credential_id) = webauthn
        .identify_discoverable_authentication(credential)
        .map_err(|error| not_accepted().caused_by(error))?;
    let mut tx = app.core.db.system().await?;
    let tenant = store::tenant_of(&mut tx, credential_id).await?;
    Ok((UserId::from_uuid(user), tenant.ok_or_else(not_accepted)?))
}

struct Login<'a> {
    app: &'a AppState,
    user: UserId,
    ceremony: Ceremony,
    request: &'a PasskeyLogin,
    origin: &'a Origin,
}

impl Login<'_> {
    async fn enter(&self, tx: &mut TenantTx) -> Result<Option<(Account, Grant)>, DbError> {
        let (app, now) = (self.app, self.app.core.sources.now());
        let credential_id = self.request.credential.get_credential_id();
        let Some(mut passkey) = store::lock(tx, self.user, credential_id).await? else {
            return Ok(None);
        };
        let Some(result) = self.verify(&passkey) else {
            return Ok(None);
        };
        passkey.credential.update_credential(&result);
        let ceremony = (self.ceremony.id, self.ceremony.expires_at);
        if !store::note_use(tx, self.user, &passkey, ceremony, now).await? {
            return Ok(None);
        }
        let amr = if result.backup_eligible() {
            WITH_SYNCED_KEY
        } else {
            WITH_DEVICE_KEY
        };
        let session = NewSession {
            acr: "aal2",
            amr,
            remember: self.request.remember,
            ..NewSession::with_password(self.user, self.origin)
        };
        let Some((account, grant)) = issue::enter(tx, app, &session).await? else {
            return Ok(None);
        };
        let entry = Entry {
            actor: Actor::User(self.user),
            action: "session.started",
            target: Some(("session", grant.token.session.as_uuid())),
            success: true,
            changes: json!({ "amr": grant.amr, "method": "passkey" }),
            origin: self.origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(Some((account, grant)))
    }

    /// The signature, the origin, the flags, and that the counter has moved.
    fn verify(&self, passkey: &store::Stored) -> Option<AuthenticationResult> {
        let webauthn = &self.app.config.relying_party;
        let state = self.ceremony.state.clone();
        webauthn
            .finish_discoverable_authentication_v2(
                &self.request.credential,
                state,
                &passkey.credential,
            )
            .inspect_err(|error| tracing::debug!(%error, "a passkey was not accepted"))
            .ok()
    }
}
