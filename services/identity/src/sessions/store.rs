//! SQL of sessions and refresh tokens. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::token::RefreshToken;

/// A session that was locked until the end of the transaction.
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) user: UserId,
    /// When the password was given.
    pub(crate) auth_time: DateTime<Utc>,
    /// The absolute end.
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether it was ended before.
    pub(crate) revoked: bool,
}

/// One generation of a session's refresh token.
#[derive(FromRow)]
pub(crate) struct Generation {
    /// SHA-256 of its secret.
    pub(crate) secret_hash: Vec<u8>,
    /// When it ends unused.
    pub(crate) expires_at: DateTime<Utc>,
    /// When it was exchanged for its successor.
    pub(crate) used_at: Option<DateTime<Utc>>,
    /// Whether its successor was exchanged too.
    pub(crate) successor_used: bool,
}

/// Why a session was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RevokedBecause {
    /// The user asked for it.
    Logout,
    /// A refresh token was presented that had been exchanged before.
    RefreshReuse,
}

impl RevokedBecause {
    /// As the table has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::RefreshReuse => "refresh_reuse",
        }
    }
}

/// Stores a session and the first generation of its refresh token.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    user: UserId,
    token: &RefreshToken,
    client_id: &str,
    at: DateTime<Utc>,
    ends: (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbError> {
    let (session_ends, token_ends) = ends;
    query(
        "-- identity.sessions.insert\n\
         WITH session AS ( \
           INSERT INTO identity.sessions (id, user_id, client_id, auth_time, last_used_at, expires_at) \
           VALUES ($1, $2, $3, $4, $4, $5) RETURNING id) \
         INSERT INTO identity.refresh_tokens (session_id, generation, secret_hash, created_at, expires_at) \
         SELECT id, $6, $7, $4, $8 FROM session",
    )
    .bind(token.session.as_uuid())
    .bind(user.as_uuid())
    .bind(client_id)
    .bind(at)
    .bind(session_ends)
    .bind(token.generation)
    .bind(token.secret_hash())
    .bind(token_ends)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The session, locked: refresh, logout and revocation of one session happen one after the other.
pub(crate) async fn lock(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<Option<Session>, DbError> {
    let row: Option<(Uuid, DateTime<Utc>, DateTime<Utc>, bool)> = query_as(
        "-- identity.sessions.lock\n\
         SELECT user_id, auth_time, expires_at, revoked_at IS NOT NULL FROM identity.sessions WHERE id = $1 FOR UPDATE",
    )
    .bind(session.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(user, auth_time, expires_at, revoked)| Session {
        user: user.into(),
        auth_time,
        expires_at,
        revoked,
    }))
}

/// One generation of a locked session. A statement of its own: what the lock waited for must be seen.
pub(crate) async fn generation(
    tx: &mut TenantTx,
    session: SessionId,
    generation: i32,
) -> Result<Option<Generation>, DbError> {
    Ok(query_as(
        "-- identity.refresh_tokens.generation\n\
         SELECT t.secret_hash, t.expires_at, t.used_at, s.used_at IS NOT NULL AS successor_used \
         FROM identity.refresh_tokens t \
         LEFT JOIN identity.refresh_tokens s \
           ON s.tenant_id = t.tenant_id AND s.session_id = t.session_id AND s.generation = t.generation + 1 \
         WHERE t.session_id = $1 AND t.generation = $2",
    )
    .bind(session.as_uuid())
    .bind(generation)
    .fetch_optional(tx.conn())
    .await?)
}

/// Exchanges the token of a locked session for its successor.
pub(crate) async fn rotate(
    tx: &mut TenantTx,
    used: &RefreshToken,
    successor: &RefreshToken,
    at: DateTime<Utc>,
    successor_ends: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.refresh_tokens.rotate\n\
         WITH used AS ( \
           UPDATE identity.refresh_tokens SET used_at = $5 WHERE session_id = $1 AND generation = $2), \
         session AS ( \
           UPDATE identity.sessions SET last_used_at = $5 WHERE id = $1) \
         INSERT INTO identity.refresh_tokens (session_id, generation, secret_hash, created_at, expires_at) \
         VALUES ($1, $3, $4, $5, $6)",
    )
    .bind(used.session.as_uuid())
    .bind(used.generation)
    .bind(successor.generation)
    .bind(successor.secret_hash())
    .bind(at)
    .bind(successor_ends)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a session; false when it had ended before, or there is none.
pub(crate) async fn revoke(
    tx: &mut TenantTx,
    session: SessionId,
    because: RevokedBecause,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.sessions.revoke\n\
         UPDATE identity.sessions SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(session.as_uuid())
    .bind(at)
    .bind(because.as_str())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a batch of the sessions and refresh tokens of all tenants that ended before an instant; answers how many.
pub(crate) async fn purge_ended(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted =
        query_scalar("-- identity.sessions.purge_ended\nSELECT identity.purge_expired($1, $2)")
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await?;
    Ok(deleted)
}
