//! SQL of a user's own sessions.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

/// A session that a token can still come of.
#[derive(FromRow)]
pub(super) struct LiveSession {
    pub(super) id: Uuid,
    pub(super) client_id: String,
    pub(super) auth_time: DateTime<Utc>,
    pub(super) last_used_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) ip: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) device_name: Option<String>,
    pub(super) acr: String,
    pub(super) amr: Vec<String>,
}

/// One page and one more of the sessions of a user that have not ended, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    user: UserId,
    before: Option<SessionId>,
    limit: u16,
    now: DateTime<Utc>,
) -> Result<Vec<LiveSession>, DbError> {
    Ok(query_as(
        "-- identity.sessions.list\n\
         SELECT id, client_id, auth_time, last_used_at, expires_at, ip, user_agent, device_name, acr, amr \
         FROM identity.sessions \
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) AND revoked_at IS NULL AND expires_at > $3 \
           AND last_used_at + make_interval(secs => refresh_lifetime) > $3 \
         ORDER BY id DESC LIMIT $4",
    )
    .bind(user.as_uuid())
    .bind(before.map(SessionId::as_uuid))
    .bind(now)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?)
}

/// Whether a session, ended or not, is the user's.
pub(super) async fn belongs_to(
    tx: &mut TenantTx,
    session: SessionId,
    user: UserId,
) -> Result<bool, DbError> {
    Ok(query_scalar(
        "-- identity.sessions.belongs_to\n\
         SELECT EXISTS (SELECT FROM identity.sessions WHERE id = $1 AND user_id = $2)",
    )
    .bind(session.as_uuid())
    .bind(user.as_uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// Whose a session is, without locking it.
pub(super) async fn owner(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<Option<UserId>, DbError> {
    let owner: Option<Uuid> = query_scalar(
        "-- identity.sessions.owner\n\
         SELECT user_id FROM identity.sessions WHERE id = $1",
    )
    .bind(session.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(owner.map(UserId::from))
}

/// Notes that the user of a session proved who they are once more.
pub(super) async fn reauthenticated(
    tx: &mut TenantTx,
    session: SessionId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.sessions.reauthenticated\n\
         UPDATE identity.sessions SET auth_time = $2 WHERE id = $1",
    )
    .bind(session.as_uuid())
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes by what else (RFC 8176) the user of a session proved who they are: with `mfa` among it the session has two factors.
pub(crate) async fn add_methods(
    tx: &mut TenantTx,
    session: Option<SessionId>,
    methods: &[&str],
) -> Result<(), DbError> {
    query(
        "-- identity.sessions.add_methods\n\
         UPDATE identity.sessions \
         SET acr = CASE WHEN 'mfa' = ANY ($2) THEN 'aal2' ELSE acr END, \
             amr = amr || ARRAY( \
               SELECT n.method FROM unnest($2::text[]) WITH ORDINALITY AS n (method, place) \
               WHERE n.method <> ALL (amr) ORDER BY n.place) \
         WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(session.map(SessionId::as_uuid))
    .bind(methods)
    .execute(tx.conn())
    .await?;
    Ok(())
}
