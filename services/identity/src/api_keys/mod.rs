//! API keys: credentials for programs that act as the user who made them.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod rotate;
pub(crate) mod store;
pub(crate) mod text;
pub(crate) mod verify;

use axum::response::{IntoResponse, Response};
use bz_auth::{Caller, Permissions};
use bz_http::{Errors, Json, Problem};
use bz_kernel::{ExposeSecret, SecretString, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, StatusCode, header};
use ipnet::IpNet;
use serde::Serialize;
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
    /// See, make, change and delete API keys of the tenant.
    ApiKeysManage = "api-keys:manage",
}

/// How long a key is good when nobody says.
const LIFETIME: TimeDelta = TimeDelta::days(90);
/// How long it may be good at most, from when that is said.
const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(365);
/// The most scopes, and the most address ranges, of one key.
const MOST: usize = 50;

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// Its id.
    id: Uuid,
    /// What people call it.
    name: String,
    /// The user as whom it acts.
    owner_id: UserId,
    /// What it may do, as far as its owner may.
    #[schema(example = json!(["leads:read", "leads:write"]))]
    scopes: Vec<String>,
    /// The address ranges that it may be used from; anywhere when empty.
    #[schema(example = json!(["192.0.2.0/24"]))]
    ip_allow: Vec<String>,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Its version.
    #[serde(skip)]
    version: i64,
}

/// An API key with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyWithSecret {
    #[serde(flatten)]
    api_key: ApiKey,
    /// For the `Authorization` header, as a bearer token. It is not shown again.
    #[schema(example = "ak_live_…")]
    key: String,
}

impl ApiKeyWithSecret {
    fn new(api_key: ApiKey, key: &SecretString) -> Self {
        let key = key.expose_secret().to_owned();
        Self { api_key, key }
    }

    fn with_status(self, status: StatusCode) -> Response {
        let version = self.api_key.version;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::ETAG, bz_http::etag(version));
        response
    }
}

/// What keys are called.
fn check_name(name: &str, errors: &mut Errors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("/name", "length", "must have 1 to 120 characters");
    }
}

fn check_scopes(scopes: &[String], errors: &mut Errors) {
    if !(1..=MOST).contains(&scopes.len()) {
        errors.add("/scopes", "length", "must be 1 to 50 permissions");
    }
    for (n, scope) in scopes.iter().enumerate() {
        if !is_scope(scope) {
            let message = "must be a permission such as leads:read or leads:*";
            errors.add(format!("/scopes/{n}"), "invalid_value", message);
        }
    }
}

fn check_ip_allow(ranges: &[String], errors: &mut Errors) {
    if ranges.len() > MOST {
        errors.add("/ip_allow", "length", "must be at most 50 ranges");
    }
    for (n, range) in ranges.iter().enumerate() {
        if range.parse::<IpNet>().is_err() {
            let message = "must be an address range such as 192.0.2.0/24 or 2001:db8::/32";
            errors.add(format!("/ip_allow/{n}"), "invalid_value", message);
        }
    }
}

/// `<resource>:<action>`, each a star for all.
fn is_scope(text: &str) -> bool {
    let is_name = |part: &str| {
        part == "*"
            || (!part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
    };
    text.len() <= 100
        && text
            .split_once(':')
            .is_some_and(|(resource, action)| is_name(resource) && is_name(action))
}

/// Nobody gives a key what they lack.
fn may_grant(caller: &Caller, scopes: &[String]) -> Result<(), Problem> {
    let lacks = |scope: &&String| effective(&caller.permissions, scope) != [(*scope).clone()];
    match scopes.iter().find(lacks) {
        None => Ok(()),
        Some(missing) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "privilege_escalation",
            "Nobody grants what they lack",
        )
        .detail(format!("You do not have {missing} yourself."))),
    }
}

/// What of a scope somebody with these permissions has: all of it, or the actions of it that they have.
fn effective(permissions: &Permissions, scope: &str) -> Vec<String> {
    if permissions.allow(scope) {
        return vec![scope.to_owned()];
    }
    let Some(resource) = scope.strip_suffix(":*") else {
        return Vec::new();
    };
    let each = ["read", "write", "manage"].map(|action| format!("{resource}:{action}"));
    each.into_iter()
        .filter(|name| permissions.allow(name))
        .collect()
}

/// Credentials are made by people: a program must not make, widen or renew any, and nobody does in somebody else's name.
///
/// # Errors
/// 403.
pub(crate) fn only_people(caller: &Caller) -> Result<(), Problem> {
    caller.refuse_impersonation()?;
    if caller.claims.api_key.is_none() && !caller.claims.is_service_account() {
        return Ok(());
    }
    Err(Problem::forbidden().detail("Not as a program: log in for this."))
}

/// When a key ends.
fn ends(wanted: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let ends = wanted.unwrap_or(now + LIFETIME);
    if ends > now && ends <= now + LONGEST_LIFETIME {
        return Ok(ends);
    }
    let message = "must be in the future, and in at most 365 days";
    Err(Problem::invalid("/expires_at", "out_of_range", message))
}

/// Forgets what services remember of a key, and writes down what was done to it.
async fn changed(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    (id, action): (Uuid, &'static str),
    changes: Value,
    origin: &Origin,
) -> Result<(), DbError> {
    revocations::revoke(tx, &app.core.sources, Revoked::ApiKey(id)).await?;
    let entry = Entry {
        actor: Actor::of(caller),
        action,
        target: Some(("api_key", id)),
        success: true,
        changes,
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}
