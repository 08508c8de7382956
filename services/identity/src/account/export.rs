use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Caller;
use bz_http::{Json, Problem};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, postgres::PgRow, query_as};
use utoipa::ToSchema;
use uuid::Uuid;

use super::account_of;
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    passkeys::{self, Passkey},
    users::User,
};

/// The most entries of the audit log that an export has, the latest ones.
const MOST_ENTRIES: i64 = 10_000;

/// Everything that this service knows of a user in the tenant of the token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Export {
    /// When it was made.
    exported_at: DateTime<Utc>,
    /// The user.
    user: User,
    /// What the user is in the tenant of the token.
    memberships: Vec<ExportedMembership>,
    /// Other tenants in which the user is a guest. Of what they have, each tells in an export there.
    guest_in: Vec<ExportedPlace>,
    /// The user's passkeys; no keys are among it.
    passkeys: Vec<Passkey>,
    /// The user's API keys, without their secrets.
    api_keys: Vec<ExportedApiKey>,
    /// What the user allowed applications.
    consents: Vec<ExportedConsent>,
    /// The user's sessions, also those that ended a short while ago.
    sessions: Vec<ExportedSession>,
    /// What the user did and what was done to their account, the latest first.
    audit_log: Vec<ExportedEntry>,
}

/// A membership of a user.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedMembership {
    tenant_id: Uuid,
    tenant_slug: String,
    tenant_name: String,
    role: String,
    status: String,
    created_at: DateTime<Utc>,
}

/// A tenant in which a user is a guest. Name and role are missing while the user cannot work there.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedPlace {
    tenant_id: Uuid,
    tenant_slug: Option<String>,
    tenant_name: Option<String>,
    role: Option<String>,
    created_at: DateTime<Utc>,
}

/// An API key of a user.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedApiKey {
    id: Uuid,
    name: String,
    scopes: Vec<String>,
    ip_allow: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

/// What a user allowed an application.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedConsent {
    client_id: Uuid,
    client_name: String,
    scopes: Vec<String>,
    granted_at: DateTime<Utc>,
}

/// A session of a user.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedSession {
    id: Uuid,
    client_id: String,
    ip: Option<String>,
    user_agent: Option<String>,
    device_name: Option<String>,
    auth_time: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_reason: Option<String>,
}

/// An entry of the audit log about a user.
#[derive(Serialize, FromRow, ToSchema)]
struct ExportedEntry {
    id: Uuid,
    at: DateTime<Utc>,
    action: String,
    target_type: Option<String>,
    target_id: Option<Uuid>,
    ip: Option<String>,
    user_agent: Option<String>,
    result: String,
    #[schema(value_type = Object)]
    changes: Value,
}

/// Take one's own data along: everything that this service knows of the user, as JSON.
///
/// Needs a login of the last five minutes.
#[utoipa::path(
    get, path = "/auth/me/export", tag = "account",
    responses((status = 200, description = "All data of the user", body = Export), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn export_me(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
) -> Result<Response, Problem> {
    caller.refuse_impersonation()?;
    caller.require_recent_login(app.core.sources.now())?;
    let account = account_of(&app, &caller).await?;
    let work = async |tx: &mut TenantTx| {
        let user = caller.user;
        let export = Export {
            exported_at: app.core.sources.now(),
            user: User::from(&account),
            memberships: of_user(tx, MEMBERSHIPS, user).await?,
            guest_in: guest_in(tx, user).await?,
            passkeys: passkeys::store::list(tx, user).await?,
            api_keys: of_user(tx, API_KEYS, user).await?,
            consents: of_user(tx, CONSENTS, user).await?,
            sessions: of_user(tx, SESSIONS, user).await?,
            audit_log: entries(tx, user).await?,
        };
        let entry = Entry {
            actor: Actor::of(&caller),
            action: "user.exported",
            target: Some(("user", user.as_uuid())),
            success: true,
            changes: json!({}),
            origin: &origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(export)
    };
    let export = app
        .core
        .db
        .run::<_, DbError>("identity.account.export", &caller.scope, work)
        .await?;
    let attachment = HeaderValue::from_static("attachment; filename=\"my-data.json\"");
    Ok(([(header::CONTENT_DISPOSITION, attachment)], Json(export)).into_response())
}

const MEMBERSHIPS: &str = "-- identity.memberships.export\n\
    SELECT m.tenant_id, t.slug AS tenant_slug, t.name AS tenant_name, m.role, m.status, m.created_at \
    FROM identity.memberships m JOIN identity.tenants t ON t.tenant_id = m.tenant_id WHERE m.user_id = $1";

const API_KEYS: &str = "-- identity.api_keys.export\n\
    SELECT id, name, scopes, ip_allow, created_at, expires_at, last_used_at FROM identity.api_keys \
    WHERE owner_id = $1 ORDER BY id";

const CONSENTS: &str = "-- identity.oauth_consents.export\n\
    SELECT c.id AS client_id, c.name AS client_name, a.scopes, a.granted_at FROM identity.oauth_consents a \
    JOIN identity.oauth_clients c ON c.tenant_id = a.tenant_id AND c.id = a.client_id \
    WHERE a.user_id = $1 ORDER BY a.granted_at";

const SESSIONS: &str = "-- identity.sessions.export\n\
    SELECT id, client_id, ip, user_agent, device_name, auth_time, last_used_at, expires_at, revoked_at, revoked_reason \
    FROM identity.sessions WHERE user_id = $1 ORDER BY auth_time DESC";

/// The rows of the user, who is the statement's one parameter.
async fn of_user<T>(tx: &mut TenantTx, sql: &'static str, user: UserId) -> Result<Vec<T>, DbError>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(query_as(sql)
        .bind(user.as_uuid())
        .fetch_all(tx.conn())
        .await?)
}

/// Where a user of the transaction's tenant is a guest. The list is kept here; names and roles come from there.
async fn guest_in(tx: &mut TenantTx, user: UserId) -> Result<Vec<ExportedPlace>, DbError> {
    let sql = "-- identity.guest_memberships.export\n\
         SELECT g.guest_tenant_id AS tenant_id, p.slug AS tenant_slug, p.name AS tenant_name, p.role, g.created_at \
         FROM identity.guest_memberships g \
         LEFT JOIN identity.tenants_of_person($2, $1, NULL, 1000) p ON p.tenant = g.guest_tenant_id \
         WHERE g.user_id = $1 ORDER BY g.created_at";
    let home = tx.scope().tenant().as_uuid();
    let places = query_as(sql).bind(user.as_uuid()).bind(home);
    Ok(places.fetch_all(tx.conn()).await?)
}

async fn entries(tx: &mut TenantTx, user: UserId) -> Result<Vec<ExportedEntry>, DbError> {
    let sql = "-- identity.audit.export\n\
         SELECT id, at, action, target_type, target_id, ip, user_agent, result, changes::jsonb AS changes \
         FROM identity.audit_log WHERE actor_id = $1 OR (target_type = 'user' AND target_id = $1) \
         ORDER BY id DESC LIMIT $2";
    let entries = query_as(sql).bind(user.as_uuid()).bind(MOST_ENTRIES);
    Ok(entries.fetch_all(tx.conn()).await?)
}
