use axum::extract::State;
use bz_auth::{Caller, Entrant};
use bz_http::{Problem, Versioned};
use bz_kernel::{SessionId, TenantId, UserId};
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{User, store};
use crate::{app::AppState, tenants::TenantSummary};

/// The user of a token, and what the token is good for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// The user.
    #[serde(flatten)]
    user: User,
    /// The tenant that the token is for.
    tenant: TenantSummary,
    /// The tenant where the user's password is.
    home_tenant_id: TenantId,
    /// The user's roles in the tenant.
    roles: Vec<String>,
    /// What the token allows; `*:read` is every permission to read.
    permissions: Vec<String>,
    /// Second factors.
    mfa: MfaSummary,
    /// The session of the token.
    session: Option<CurrentSession>,
    /// Who acts in the user's name with this token.
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonated_by: Option<UserId>,
}

/// Whether a login needs a second factor, and which there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MfaSummary {
    /// Whether a login needs one.
    enabled: bool,
    /// `totp`, `passkey`.
    methods: Vec<String>,
}

/// The session that a token belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurrentSession {
    /// The session's id, which is `sid` in tokens.
    id: SessionId,
    /// When the password was given.
    auth_time: Option<DateTime<Utc>>,
    /// How strongly the user proved who they are: `aal1` or `aal2` (NIST SP 800-63B).
    acr: Option<String>,
    /// By what (RFC 8176).
    amr: Vec<String>,
}

/// Who am I?
#[utoipa::path(
    get, path = "/auth/me", tag = "account",
    responses((status = 200, description = "The user of the token", body = Me), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn get_me(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
) -> Result<Versioned<Me>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let account = store::find(&mut tx, caller.user)
        .await?
        .filter(store::Account::is_active);
    // The token is genuine, but whom it speaks for is gone.
    let account = account.ok_or_else(gone)?;
    let auth_time = caller
        .claims
        .auth_time
        .and_then(|at| DateTime::from_timestamp(i64::try_from(at).ok()?, 0));
    let me = Me {
        user: User::from(&account),
        tenant: TenantSummary::from(&account),
        home_tenant_id: account.home_tenant,
        permissions: patterns(&caller),
        roles: account.roles,
        mfa: MfaSummary {
            enabled: !account.mfa.is_empty(),
            methods: account.mfa,
        },
        session: caller.session.map(|id| CurrentSession {
            id,
            auth_time,
            acr: caller.claims.acr.clone(),
            amr: caller.claims.amr.clone(),
        }),
        impersonated_by: caller.claims.act.as_ref().map(|actor| actor.sub),
    };
    Ok(Versioned(account.version, me))
}

fn gone() -> Problem {
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    Problem::unauthenticated().header(header::WWW_AUTHENTICATE, challenge)
}

fn patterns(caller: &Caller) -> Vec<String> {
    let mut patterns: Vec<String> = ["*:*", "*:read", "*:write"]
        .into_iter()
        .filter(|pattern| caller.permissions.allow(pattern))
        .map(ToOwned::to_owned)
        .collect();
    let named = caller.claims.entitlements.iter();
    patterns.extend(named.filter(|name| !name.starts_with("*:")).cloned());
    patterns
}
