//! SQL of sessions and refresh tokens. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{issue::NewSession, token::RefreshToken};
use crate::{origin::Origin, tenants::policy::Policy};

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
    /// When it started.
    pub(crate) started_at: DateTime<Utc>,
    /// When its refresh token was last exchanged, or it started.
    pub(crate) last_used_at: DateTime<Utc>,
    /// The absolute end.
    pub(crate) expires_at: DateTime<Utc>,
    /// How long a refresh token waits for its use.
    pub(crate) refresh_lifetime: TimeDelta,
    /// Whether it was ended before.
    pub(crate) revoked: bool,
}

impl Session {
    /// Shortens it to what the tenant's policy allows, which may have been another one when it started.
    pub(crate) fn limit(&mut self, policy: &Policy) {
        if let Some(end) = policy.session_end(self.started_at) {
            self.expires_at = self.expires_at.min(end);
        }
        if let Some(hours) = policy.session_idle_hours {
            let longest = TimeDelta::hours(hours.into());
            self.refresh_lifetime = self.refresh_lifetime.min(longest);
        }
    }

    /// Whether it has ended, or rested for too long.
    pub(crate) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at
            .min(self.last_used_at + self.refresh_lifetime)
            <= now
    }

    fn lifetime_seconds(&self) -> i32 {
        i32::try_from(self.refresh_lifetime.num_seconds()).unwrap_or(i32::MAX)
    }
}

/// When a session started: its id is made then, and carries the time.
pub(crate) fn started_at(session: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = session.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    user_id: Uuid,
    auth_time: DateTime<Utc>,
    client_id: String,
    acr: String,
    amr: Vec<String>,
    last_used_at: DateTime<Utc>,
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
            started_at: started_at(row.id).unwrap_or(row.auth_time),
            last_used_at: row.last_used_at,
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

/// Stores a session, no longer than the tenant's policy allows, and the first generation of its refresh token; answers when
/// that ends. Waits for whoever ends the user's sessions, who waits for this: what comes of it is seen then.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    session: &NewSession<'_>,
    token: &RefreshToken,
    at: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbError> {
    let seconds = session.refresh_lifetime().num_seconds();
    Ok(query_scalar(
        "-- identity.sessions.insert\n\
         WITH turn AS MATERIALIZED (SELECT FROM identity.users WHERE id = $2 FOR NO KEY UPDATE), \
         session AS ( \
           INSERT INTO identity.sessions (id, user_id, client_id, auth_time, last_used_at, expires_at, \
             ip, user_agent, device_name, acr, amr, refresh_lifetime) \
           SELECT $1, $2, $3, $4, $4, \
             least($5, $4 + make_interval(hours => (t.policy->>'session_hours')::int)), \
             $8, $9, $10, $11, $12, least($13, (t.policy->>'session_idle_hours')::int * 3600) \
           FROM identity.tenants t LEFT JOIN turn ON true RETURNING id, expires_at, refresh_lifetime), \
         back AS ( \
           UPDATE identity.users SET delete_after = NULL WHERE id = $2 AND delete_after IS NOT NULL) \
         INSERT INTO identity.refresh_tokens (session_id, generation, secret_hash, created_at, expires_at) \
         SELECT id, $6, $7, $4, least(expires_at, $4 + make_interval(secs => refresh_lifetime)) FROM session \
         RETURNING expires_at",
    )
    .bind(token.session.as_uuid())
    .bind(session.user.as_uuid())
    .bind(session.client_id)
    .bind(at)
    .bind(session.ends(at))
    .bind(token.generation)
    .bind(token.secret_hash())
    .bind(session.origin.ip_text())
    .bind(session.origin.user_agent.as_deref())
    .bind(session.device_name)
    .bind(session.acr)
    .bind(session.amr)
    .bind(i32::try_from(seconds).unwrap_or(i32::MAX))
    .fetch_one(tx.conn())
    .await?)
}

/// The session, locked: refresh, logout and revocation of one session happen one after the other. The weak lock of its
/// user lets whoever revokes the user's tokens wait for a refresh that is under way.
pub(crate) async fn lock(
    tx: &mut TenantTx,
    session: SessionId,
) -> Result<Option<Session>, DbError> {
    let row: Option<SessionRow> = query_as(
        "-- identity.sessions.lock\n\
         SELECT s.id, s.user_id, s.auth_time, s.client_id, s.acr, s.amr, s.last_used_at, s.expires_at, \
           s.refresh_lifetime, s.revoked_at IS NOT NULL AS revoked \
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

/// Exchanges the token of a locked session for its successor, and shortens what is stored of the session to what it was
/// limited to.
pub(crate) async fn rotate(
    tx: &mut TenantTx,
    session: &Session,
    (used, successor): (&RefreshToken, &RefreshToken),
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
           SET last_used_at = $5, ip = coalesce($7, ip), user_agent = coalesce($8, user_agent), expires_at = $9, \
             refresh_lifetime = $10 WHERE id = $1) \
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
    .bind(session.expires_at)
    .bind(session.lifetime_seconds())
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
