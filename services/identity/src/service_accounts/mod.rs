//! Service accounts: programs that are somebody of their own in a tenant, and log in with client credentials.

pub(crate) mod create;
pub(crate) mod create_secret;
pub(crate) mod delete;
pub(crate) mod delete_secret;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod store;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::{Caller, claims::SERVICE_ACCOUNT_CLIENT};
use bz_http::{Errors, Problem};
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    revocations::{self, Revoked},
};

bz_auth::permissions! {
    /// See, make, change and delete service accounts and their secrets.
    ServiceAccountsManage = "service-accounts:manage",
}

/// What every client secret begins with.
pub(crate) const SECRET_PREFIX: &str = "sas_";
/// The most secrets of one account.
const MOST_SECRETS: usize = 2;

/// What a service account may do: as a user with the role. None is an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServiceRole {
    /// Everything.
    Admin,
    /// Read and write.
    Member,
    /// Read.
    Viewer,
}

impl ServiceRole {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "admin" => Self::Admin,
            "member" => Self::Member,
            _ => Self::Viewer,
        }
    }

    const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["*:*"],
            Self::Member => &["*:read", "*:write"],
            Self::Viewer => &["*:read"],
        }
    }
}

/// Whether a service account may get tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServiceStatus {
    /// It may.
    Active,
    /// It may not.
    Disabled,
}

impl ServiceStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A service account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ServiceAccount {
    /// Its id, which is `sub` in its tokens.
    id: Uuid,
    /// What it calls itself at `POST /oauth2/token`.
    client_id: String,
    /// What people call it.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// What it may do.
    role: ServiceRole,
    /// Whether it may get tokens.
    status: ServiceStatus,
    /// Its public keys, with which it may show who it is instead of with a secret: a JSON Web Key Set.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Its secrets, without what is secret; two at most.
    secrets: Vec<SecretInfo>,
    /// Who made it.
    created_by: UserId,
    /// When.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Its version.
    #[serde(skip)]
    version: i64,
}

/// A client secret, without what is secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SecretInfo {
    /// Its id.
    id: Uuid,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When a token was last given for it, to the minute.
    last_used_at: Option<DateTime<Utc>>,
}

/// The client id of an account.
pub(crate) fn client_id(tenant: TenantId, id: Uuid) -> String {
    let head = [tenant.as_uuid().into_bytes(), id.into_bytes()].concat();
    format!("{SERVICE_ACCOUNT_CLIENT}{}", URL_SAFE_NO_PAD.encode(head))
}

/// Reads what [`client_id`] wrote; `None` for what cannot be one.
#[expect(
    clippy::disallowed_methods,
    reason = "chooses the tenant whose account is read; its id is no secret and lets nobody in"
)]
pub(crate) fn parse_client_id(text: &str) -> Option<(TenantId, Uuid)> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text.strip_prefix(SERVICE_ACCOUNT_CLIENT)?)
        .ok()?;
    let bytes: [u8; 32] = bytes.try_into().ok()?;
    let (tenant, id) = bytes.split_first_chunk::<16>()?;
    let tenant = TenantId::trusted(Uuid::from_bytes(*tenant));
    Some((tenant, Uuid::from_slice(id).ok()?))
}

fn check_name(name: &str, errors: &mut Errors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("/name", "length", "must have 1 to 120 characters");
    }
}

fn check_description(text: &str, errors: &mut Errors) {
    if text.chars().count() > 500 {
        errors.add("/description", "length", "must have at most 500 characters");
    }
}

/// Nobody makes, changes or gets hold of an account that may do what they may not.
fn may_handle(caller: &Caller, role: ServiceRole) -> Result<(), Problem> {
    let lacks = |name: &&&str| !caller.permissions.allow(name);
    match role.permissions().iter().find(lacks) {
        None => Ok(()),
        Some(missing) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "privilege_escalation",
            "Nobody grants what they lack",
        )
        .detail(format!("You do not have {missing} yourself."))),
    }
}

/// Writes down what was done to an account.
async fn note(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    (id, action): (Uuid, &'static str),
    changes: Value,
    origin: &Origin,
) -> Result<(), DbError> {
    let entry = Entry {
        actor: Actor::of(caller),
        action,
        target: Some(("service_account", id)),
        success: true,
        changes,
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}

/// Refuses the tokens that the account has.
async fn revoke(tx: &mut TenantTx, app: &AppState, id: Uuid) -> Result<(), DbError> {
    let revoked = Revoked::User(UserId::from_uuid(id));
    revocations::revoke(tx, &app.core.sources, revoked).await
}
