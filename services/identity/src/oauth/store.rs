//! SQL of the sessions that applications have, and of the retention of codes.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::codes::Code;
use crate::oauth_clients::OauthClientId;

/// What a session of an application may do, while it lasts.
pub(super) struct ClientSession {
    /// The application.
    pub(super) client: OauthClientId,
    /// Whose session it is.
    pub(super) user: UserId,
    /// What the user allowed.
    pub(super) scopes: Vec<String>,
}

#[derive(FromRow)]
struct ClientSessionRow {
    client_id: Uuid,
    user_id: Uuid,
    scopes: Vec<String>,
}

/// Notes which application a session is of. The login that it comes from may be older than the session.
pub(super) async fn attach(
    tx: &mut TenantTx,
    session: SessionId,
    code: &Code,
) -> Result<(), DbError> {
    query(
        "-- identity.oauth_grants.insert\n\
         WITH session AS (UPDATE identity.sessions SET auth_time = $4 WHERE id = $1 RETURNING id) \
         INSERT INTO identity.oauth_grants (session_id, client_id, scopes, login_session_id) \
         SELECT id, $2, $3, $5 FROM session",
    )
    .bind(session.as_uuid())
    .bind(code.client.as_uuid())
    .bind(&code.scopes)
    .bind(code.auth_time)
    .bind(code.login.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A session of an application that has not ended.
pub(super) async fn live(
    tx: &mut TenantTx,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<Option<ClientSession>, DbError> {
    let row: Option<ClientSessionRow> = query_as(
        "-- identity.oauth_grants.live\n\
         SELECT g.client_id, s.user_id, g.scopes FROM identity.oauth_grants g \
         JOIN identity.sessions s ON s.tenant_id = g.tenant_id AND s.id = g.session_id \
         WHERE g.session_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2",
    )
    .bind(session.as_uuid())
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| ClientSession {
        client: row.client_id.into(),
        user: row.user_id.into(),
        scopes: row.scopes,
    }))
}

/// The sessions of applications that came from a login and were not allowed to go on without it.
pub(super) async fn bound_to_login(
    tx: &mut TenantTx,
    login: SessionId,
) -> Result<Vec<SessionId>, DbError> {
    let sessions: Vec<Uuid> = query_scalar(
        "-- identity.oauth_grants.bound_to_login\n\
         SELECT session_id FROM identity.oauth_grants \
         WHERE login_session_id = $1 AND NOT 'offline_access' = ANY (scopes)",
    )
    .bind(login.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(sessions.into_iter().map(SessionId::from).collect())
}

/// Deletes a batch of the authorization codes of all tenants that ended before an instant; answers how many.
pub(crate) async fn purge_codes(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted = query_scalar(
        "-- identity.authorization_codes.purge\nSELECT identity.purge_authorization_codes($1, $2)",
    )
    .bind(before)
    .bind(batch)
    .fetch_one(tx.conn())
    .await?;
    Ok(deleted)
}
