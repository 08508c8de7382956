//! SQL of second factors. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::users;

/// An authenticator app.
#[derive(FromRow)]
pub(crate) struct Factor {
    /// Its id.
    pub(crate) id: Uuid,
    /// The sealed secret.
    pub(crate) sealed_secret: Vec<u8>,
    /// When it was shown.
    pub(crate) created_at: DateTime<Utc>,
}

/// A login that waits for its second factor.
#[derive(FromRow)]
pub(crate) struct Challenge {
    /// Whose password was right.
    pub(crate) user_id: Uuid,
    /// SHA-256 of the token's secret.
    pub(crate) secret_hash: Vec<u8>,
    /// Attempts before this one.
    pub(crate) attempts: i32,
    /// As the login asked.
    pub(crate) remember: bool,
    /// As the login said.
    pub(crate) device_name: Option<String>,
    /// When the password was right.
    pub(crate) created_at: DateTime<Utc>,
    /// When it is too late.
    pub(crate) expires_at: DateTime<Utc>,
}

/// Stores an app that is not active yet, in the place of those that were never activated.
pub(crate) async fn insert_factor(
    tx: &mut TenantTx,
    id: Uuid,
    user: UserId,
    sealed_secret: &[u8],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.totp_factors.insert\n\
         WITH forgotten AS ( \
           DELETE FROM identity.totp_factors WHERE user_id = $2 AND activated_at IS NULL) \
         INSERT INTO identity.totp_factors (id, user_id, sealed_secret, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id)
    .bind(user.as_uuid())
    .bind(sealed_secret)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One of the user's apps, active or not.
pub(crate) async fn factor(
    tx: &mut TenantTx,
    user: UserId,
    id: Uuid,
) -> Result<Option<Factor>, DbError> {
    Ok(query_as(
        "-- identity.totp_factors.find\n\
         SELECT id, sealed_secret, created_at FROM identity.totp_factors WHERE user_id = $1 AND id = $2",
    )
    .bind(user.as_uuid())
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// The app that counts.
pub(crate) async fn active_factor(
    tx: &mut TenantTx,
    user: UserId,
) -> Result<Option<Factor>, DbError> {
    Ok(query_as(
        "-- identity.totp_factors.active\n\
         SELECT id, sealed_secret, created_at FROM identity.totp_factors \
         WHERE user_id = $1 AND activated_at IS NOT NULL",
    )
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// The app that waits for its first code.
pub(crate) async fn pending_factor(
    tx: &mut TenantTx,
    user: UserId,
) -> Result<Option<Factor>, DbError> {
    Ok(query_as(
        "-- identity.totp_factors.pending\n\
         SELECT id, sealed_secret, created_at FROM identity.totp_factors \
         WHERE user_id = $1 AND activated_at IS NULL",
    )
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Takes a step of an app as used; false when it, or a later one, was used before.
pub(crate) async fn use_step(tx: &mut TenantTx, id: Uuid, step: i64) -> Result<bool, DbError> {
    let done = query(
        "-- identity.totp_factors.use_step\n\
         UPDATE identity.totp_factors SET last_step = $2 WHERE id = $1 AND last_step < $2",
    )
    .bind(id)
    .bind(step)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes an app the one that counts.
pub(crate) async fn activate(
    tx: &mut TenantTx,
    user: UserId,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.totp_factors.activate\n\
         WITH users AS ( \
           UPDATE identity.users SET mfa = array_append(array_remove(mfa, 'totp'), 'totp'), updated_at = $3 \
           WHERE id = $1) \
         UPDATE identity.totp_factors SET activated_at = $3 WHERE id = $2",
    )
    .bind(user.as_uuid())
    .bind(id)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes every app and recovery code of a user; answers whether there was an active app.
pub(crate) async fn remove_totp(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    users::store::hold(tx, user).await?;
    Ok(query_scalar(
        "-- identity.totp_factors.remove\n\
         WITH codes AS (DELETE FROM identity.recovery_codes WHERE user_id = $1), \
         waiting AS (DELETE FROM identity.mfa_challenges WHERE user_id = $1), \
         users AS ( \
           UPDATE identity.users SET mfa = array_remove(mfa, 'totp'), updated_at = $2 WHERE id = $1), \
         gone AS (DELETE FROM identity.totp_factors WHERE user_id = $1 RETURNING activated_at) \
         SELECT COALESCE(bool_or(activated_at IS NOT NULL), false) FROM gone",
    )
    .bind(user.as_uuid())
    .bind(at)
    .fetch_one(tx.conn())
    .await?)
}

/// Replaces the recovery codes of a user.
pub(crate) async fn replace_codes(
    tx: &mut TenantTx,
    user: UserId,
    macs: &[Vec<u8>],
) -> Result<(), DbError> {
    query(
        "-- identity.recovery_codes.clear\nDELETE FROM identity.recovery_codes WHERE user_id = $1",
    )
    .bind(user.as_uuid())
    .execute(tx.conn())
    .await?;
    query(
        "-- identity.recovery_codes.insert\n\
         INSERT INTO identity.recovery_codes (user_id, code_mac) SELECT $1, unnest($2::bytea[])",
    )
    .bind(user.as_uuid())
    .bind(macs)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a recovery code as used; false when there is none, or it was used before.
pub(crate) async fn use_code(
    tx: &mut TenantTx,
    user: UserId,
    mac: &[u8],
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.recovery_codes.use\n\
         UPDATE identity.recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_mac = $2 AND used_at IS NULL",
    )
    .bind(user.as_uuid())
    .bind(mac)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Recovery codes that were not used yet.
pub(crate) async fn codes_left(tx: &mut TenantTx, user: UserId) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- identity.recovery_codes.left\n\
         SELECT count(*) FROM identity.recovery_codes WHERE user_id = $1 AND used_at IS NULL",
    )
    .bind(user.as_uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// Stores a login that waits for its second factor, in the place of those of the user that waited too long.
pub(crate) async fn insert_challenge(
    tx: &mut TenantTx,
    id: Uuid,
    challenge: &Challenge,
) -> Result<(), DbError> {
    query(
        "-- identity.mfa_challenges.insert\n\
         WITH late AS (DELETE FROM identity.mfa_challenges WHERE user_id = $2 AND expires_at < $6) \
         INSERT INTO identity.mfa_challenges \
           (id, user_id, secret_hash, remember, device_name, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(challenge.user_id)
    .bind(&challenge.secret_hash)
    .bind(challenge.remember)
    .bind(challenge.device_name.as_deref())
    .bind(challenge.created_at)
    .bind(challenge.expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A waiting login, locked until the end of the transaction: attempts at one challenge happen one after the other. Its user
/// first, as by everybody who ends challenges.
pub(crate) async fn lock_challenge(
    tx: &mut TenantTx,
    id: Uuid,
) -> Result<Option<Challenge>, DbError> {
    Ok(query_as(
        "-- identity.mfa_challenges.lock\n\
         SELECT c.user_id, c.secret_hash, c.attempts, c.remember, c.device_name, c.created_at, c.expires_at \
         FROM identity.mfa_challenges c JOIN identity.users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id \
         WHERE c.id = $1 FOR NO KEY UPDATE OF u FOR UPDATE OF c",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?)
}

/// Counts an attempt at a challenge.
pub(crate) async fn count_attempt(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query(
        "-- identity.mfa_challenges.count\n\
         UPDATE identity.mfa_challenges SET attempts = attempts + 1 WHERE id = $1",
    )
    .bind(id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends the challenges of a user.
pub(crate) async fn forget_challenges(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query(
        "-- identity.mfa_challenges.forget\nDELETE FROM identity.mfa_challenges WHERE user_id = $1",
    )
    .bind(user.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a challenge.
pub(crate) async fn remove_challenge(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- identity.mfa_challenges.remove\nDELETE FROM identity.mfa_challenges WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Counts an attempt of a user, before it is known whether the code is right; answers how many there were in the window
/// with this one. The row is locked until the end of the transaction: attempts of one user happen one after the other.
pub(crate) async fn count_failure(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
    window: TimeDelta,
) -> Result<i32, DbError> {
    Ok(query_scalar(
        "-- identity.mfa_failures.count\n\
         INSERT INTO identity.mfa_failures AS f (user_id, window_start, attempts) VALUES ($1, $2, 1) \
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET \
           attempts = CASE WHEN f.window_start > $3 THEN f.attempts + 1 ELSE 1 END, \
           window_start = CASE WHEN f.window_start > $3 THEN f.window_start ELSE $2 END \
         RETURNING attempts",
    )
    .bind(user.as_uuid())
    .bind(at)
    .bind(at - window)
    .fetch_one(tx.conn())
    .await?)
}

/// Forgets a user's wrong codes.
pub(crate) async fn forgive(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query("-- identity.mfa_failures.forgive\nDELETE FROM identity.mfa_failures WHERE user_id = $1")
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes a batch of what logins, and registrations of passkeys, of all tenants that were given up before an instant left
/// behind; answers how many.
pub(crate) async fn purge_ceremonies(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    Ok(
        query_scalar("-- identity.mfa.purge_ceremonies\nSELECT identity.purge_ceremonies($1, $2)")
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await?,
    )
}
