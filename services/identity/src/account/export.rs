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
use sqlx::{FromRow, query_as};
use utoipa::ToSchema;
use uuid::Uuid;

use super::account_of;
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
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
    /// Where the user belongs to.
    memberships: Vec<ExportedMembership>,
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
            memberships: memberships(tx, user).await?,
            sessions: sessions(tx, user).await?,
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

// Those where the user is a guest are not among them: each tenant answers for what it has of a person.
async fn memberships(tx: &mut TenantTx, user: UserId) -> Result<Vec<ExportedMembership>, DbError> {
    let sql = "-- identity.memberships.export\n\
         SELECT m.tenant_id, t.slug AS tenant_slug, t.name AS tenant_name, m.role, m.status, m.created_at \
         FROM identity.memberships m JOIN identity.tenants t ON t.tenant_id = m.tenant_id WHERE m.user_id = $1";
    Ok(query_as(sql)
        .bind(user.as_uuid())
        .fetch_all(tx.conn())
        .await?)
}

async fn sessions(tx: &mut TenantTx, user: UserId) -> Result<Vec<ExportedSession>, DbError> {
    let sql = "-- identity.sessions.export\n\
         SELECT id, client_id, ip, user_agent, device_name, auth_time, last_used_at, expires_at, revoked_at, \
           revoked_reason \
         FROM identity.sessions WHERE user_id = $1 ORDER BY auth_time DESC";
    Ok(query_as(sql)
        .bind(user.as_uuid())
        .fetch_all(tx.conn())
        .await?)
}

async fn entries(tx: &mut TenantTx, user: UserId) -> Result<Vec<ExportedEntry>, DbError> {
    let sql = "-- identity.audit.export\n\
         SELECT id, at, action, target_type, target_id, ip, user_agent, result, changes::jsonb AS changes \
         FROM identity.audit_log WHERE actor_id = $1 OR (target_type = 'user' AND target_id = $1) \
         ORDER BY id DESC LIMIT $2";
    let entries = query_as(sql).bind(user.as_uuid()).bind(MOST_ENTRIES);
    Ok(entries.fetch_all(tx.conn()).await?)
}
