use axum::{extract::State, response::Response};
use bz_auth::claims::TWO_FACTORS;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use webauthn_rs::prelude::PublicKeyCredential;

use super::{assertion, ceremony::Ceremony, not_accepted, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    problems::PublicProblems,
    sessions::{
        TokenAnswer,
        issue::{self, Barred, Grant, NewSession},
    },
    tenants::policy,
    users::store::Account,
};

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
        .map_err(Refused::problem)?;
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
    async fn enter(&self, tx: &mut TenantTx) -> Result<Result<(Account, Grant), Refused>, DbError> {
        let (app, credential) = (self.app, &self.request.credential);
        let proven = assertion::prove(tx, app, self.user, &self.ceremony, credential).await?;
        let Some(amr) = proven else {
            return Ok(Err(Refused::NotAccepted));
        };
        let session = NewSession {
            acr: TWO_FACTORS,
            amr,
            remember: self.request.remember,
            ..NewSession::with_password(self.user, self.origin)
        };
        let (account, grant) = match issue::enter(tx, app, &session).await? {
            Ok(entered) => entered,
            Err(Barred::Inactive | Barred::Unverified) => return Ok(Err(Refused::NotAccepted)),
            Err(Barred::Network) => return Ok(Err(Refused::Network)),
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
        Ok(Ok((account, grant)))
    }
}

/// Why nobody is logged in.
enum Refused {
    /// The passkey did not answer the ceremony, or its user may not log in.
    NotAccepted,
    /// It did, but the tenant lets nobody in from there.
    Network,
}

impl Refused {
    fn problem(self) -> Problem {
        match self {
            Self::NotAccepted => not_accepted(),
            Self::Network => policy::ip_not_allowed(),
        }
    }
}
