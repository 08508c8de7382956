//! SQL of sessions and refresh tokens. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{issue::NewSession, token::RefreshToken};
use crate::origin::Origin;

/// A session that was locked until the end of the transaction.
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) user: UserId,
    /// When the password was given.
    pub(crate) auth_time: DateTime<Utc>,
    /// The client that its tokens are given to.
    pub(crate) client_id: String,
    /// How strongly the user proved who they are.
    pub(crate) acr: String,
    /// By what.
    pub(crate) amr: Vec<String>,
    /// The absolute end.
    pub(crate) expires_at: DateTime<Utc>,
    /// How long a refresh token waits for its use.
    pub(crate) refresh_lifetime: TimeDelta,
    /// Whether it was ended before.
    pub(crate) revoked: bool,
}

#[derive(FromRow)]
struct SessionRow {
    user_id: Uuid,
    auth_time: DateTime<Utc>,
    client_id: String,
    acr: String,
    amr: Vec<String>,
    expires_at: DateTime<Utc>,
    refresh_lifetime: i32,
    revoked: bool,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            user: row.user_id.into(),
            auth_time: row.auth_time,
            client_id: row.client_id,
            acr: row.acr,
            amr: row.amr,
            expires_at: row.expires_at,
            refresh_lifetime: TimeDelta::seconds(row.refresh_lifetime.into()),
            revoked: row.revoked,
        }
    }
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
    /// A refresh token or an authorization code was presented that had been exchanged before.
    RefreshReuse,
    /// The user ended it from another session.
    EndedByUser,
    /// Somebody who manages the tenant's users ended it.
    EndedByAdmin,
    /// The user has a new password.
    PasswordChanged,
    /// The user lost the password and has a new one.
    PasswordReset,
    /// The user has another address.
    EmailChanged,
    /// A second factor was removed.
    MfaChanged,
    /// The user may not log in any more.
    UserDisabled,
    /// The user is gone.
    UserDeleted,
    /// The user does not belong to the tenant any more.
    MemberRemoved,
    /// The tenant is gone.
    TenantDeleted,
}

impl RevokedBecause {
    /// As the table has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::RefreshReuse => "refresh_reuse",
            Self::EndedByUser => "ended_by_user",
            Self::EndedByAdmin => "ended_by_admin",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChanged => "email_changed",
            Self::MfaChanged => "mfa_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserDeleted => "user_deleted",
            Self::MemberRemoved => "member_removed",
            Self::TenantDeleted => "tenant_deleted",
        }
    }
}

/// Stores a session and the first generation of its refresh token.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    session: &NewSession<'_>,
    token: &RefreshToken,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let seconds = session.refresh_lifetime().num_seconds();
    query(
        "-- identity.sessions.insert\n\
         WITH session AS ( \
           INSERT INTO identity.sessions (id, user_id, client_id, auth_time, last_used_at, expires_at, \
             ip, user_agent, device_name, acr, amr, refresh_lifetime) \
           VALUES ($1, $2, $3, $4, $4, $5, $9, $10, $11, $12, $13, $14) RETURNING id), \
         back AS ( \
           UPDATE identity.users SET delete_after = NULL WHERE id = $2 AND delete_after IS NOT NULL) \
         INSERT INTO identity.refresh_tokens (session_id, generation, secret_hash, created_at, expires_at) \
         SELECT id, $6, $7, $4, $8 FROM session",
    )
    .bind(token.session.as_uuid())
    .bind(session.user.as_uuid())
    .bind(session.client_id)
    .bind(at)
    .bind(session.ends(at))
    .bind(token.generation)
    .bind(token.secret_hash())
    .bind(at + session.refresh_lifetime())
    .bind(session.origin.ip_text())
    .bind(session.origin.user_agent.as_deref())
    .bind(session.device_name)
    .bind(session.acr)
    .bind(session.amr)
    .bind(i32::try_from(seconds).unwrap_or(i32::MAX))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The session, locked: refresh, logout and revocation of one session happen one after the other. The weak lock of its
/// user lets whoever revokes the user's tokens wait for a refresh that is under way.
pub(crate) async fn lock(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<Option<Session>, DbError> {
    let row: Option<SessionRow> = query_as(
        "-- identity.sessions.lock\n\
         SELECT s.user_id, s.auth_time, s.client_id, s.acr, s.amr, s.expires_at, s.refresh_lifetime, \
           s.revoked_at IS NOT NULL AS revoked \
         FROM identity.sessions s JOIN identity.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id \
         WHERE s.id = $1 FOR UPDATE OF s FOR KEY SHARE OF u",
    )
    .bind(session.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Session::from))
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
    origin: &Origin,
) -> Result<(), DbError> {
    query(
        "-- identity.refresh_tokens.rotate\n\
         WITH used AS ( \
           UPDATE identity.refresh_tokens SET used_at = $5 WHERE session_id = $1 AND generation = $2), \
         session AS ( \
           UPDATE identity.sessions \
           SET last_used_at = $5, ip = coalesce($7, ip), user_agent = coalesce($8, user_agent) WHERE id = $1) \
         INSERT INTO identity.refresh_tokens (session_id, generation, secret_hash, created_at, expires_at) \
         VALUES ($1, $3, $4, $5, $6)",
    )
    .bind(used.session.as_uuid())
    .bind(used.generation)
    .bind(successor.generation)
    .bind(successor.secret_hash())
    .bind(at)
    .bind(successor_ends)
    .bind(origin.ip_text())
    .bind(origin.user_agent.as_deref())
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

/// Ends the sessions of a user that have not ended, all or all but one; answers which.
pub(crate) async fn revoke_all(
    tx: &mut TenantTx,
    user: UserId,
    except: Option<SessionId>,
    because: RevokedBecause,
    at: DateTime<Utc>,
) -> Result<Vec<SessionId>, DbError> {
    let ended: Vec<Uuid> = query_scalar(
        "-- identity.sessions.revoke_all\n\
         UPDATE identity.sessions SET revoked_at = $3, revoked_reason = $4 \
         WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL RETURNING id",
    )
    .bind(user.as_uuid())
    .bind(except.map(SessionId::as_uuid))
    .bind(at)
    .bind(because.as_str())
    .fetch_all(tx.conn())
    .await?;
    Ok(ended.into_iter().map(SessionId::from).collect())
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
