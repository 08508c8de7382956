//! SQL of passkeys. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as, query_scalar, types::Json};
use uuid::Uuid;
use webauthn_rs::prelude::{CredentialID, Passkey as Credential, PasskeyRegistration};

use super::Passkey;

/// A passkey of a login: its id, and the key.
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) credential: Credential,
}

/// The passkeys of a user, oldest first.
pub(crate) async fn list(tx: &mut TenantTx, user: UserId) -> Result<Vec<Passkey>, DbError> {
    Ok(query_as(
        "-- identity.passkeys.list\n\
         SELECT id, name, created_at, last_used_at FROM identity.passkeys WHERE user_id = $1 ORDER BY id",
    )
    .bind(user.as_uuid())
    .fetch_all(tx.conn())
    .await?)
}

/// The ids of the credentials of a user, for the browser not to offer them again.
pub(super) async fn credential_ids(
    tx: &mut TenantTx,
    user: UserId,
) -> Result<Vec<CredentialID>, DbError> {
    let ids: Vec<Vec<u8>> = query_scalar(
        "-- identity.passkeys.credential_ids\n\
         SELECT credential_id FROM identity.passkeys WHERE user_id = $1",
    )
    .bind(user.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// Keeps what a registration asked of the browser, in the place of what the user began before.
pub(super) async fn insert_registration(
    tx: &mut TenantTx,
    id: Uuid,
    user: UserId,
    state: &PasskeyRegistration,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.passkey_registrations.insert\n\
         WITH before AS (DELETE FROM identity.passkey_registrations WHERE user_id = $2) \
         INSERT INTO identity.passkey_registrations (id, user_id, state, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id)
    .bind(user.as_uuid())
    .bind(Json(state))
    .bind(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a registration asked of the browser; it is good once.
pub(super) async fn take_registration(
    tx: &mut TenantTx,
    id: Uuid,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<PasskeyRegistration>, DbError> {
    let state: Option<Json<PasskeyRegistration>> = query_scalar(
        "-- identity.passkey_registrations.take\n\
         DELETE FROM identity.passkey_registrations WHERE id = $1 AND user_id = $2 AND expires_at > $3 RETURNING state",
    )
    .bind(id)
    .bind(user.as_uuid())
    .bind(now)
    .fetch_optional(tx.conn())
    .await?;
    Ok(state.map(|Json(state)| state))
}

/// Stores a passkey; `None` when the credential is somebody's already.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    user: UserId,
    name: &str,
    credential: &Credential,
    at: DateTime<Utc>,
) -> Result<Option<Passkey>, DbError> {
    let credential_id: &[u8] = credential.cred_id().as_ref();
    Ok(query_as(
        "-- identity.passkeys.insert\n\
         INSERT INTO identity.passkeys (id, user_id, name, credential_id, credential, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (credential_id) DO NOTHING \
         RETURNING id, name, created_at, last_used_at",
    )
    .bind(id)
    .bind(user.as_uuid())
    .bind(name)
    .bind(credential_id)
    .bind(Json(credential))
    .bind(at)
    .fetch_optional(tx.conn())
    .await?)
}

/// Renames a passkey of a user; `None` when there is none.
pub(super) async fn rename(
    tx: &mut TenantTx,
    user: UserId,
    id: Uuid,
    name: &str,
) -> Result<Option<Passkey>, DbError> {
    Ok(query_as(
        "-- identity.passkeys.rename\n\
         UPDATE identity.passkeys SET name = $3 WHERE id = $1 AND user_id = $2 \
         RETURNING id, name, created_at, last_used_at",
    )
    .bind(id)
    .bind(user.as_uuid())
    .bind(name)
    .fetch_optional(tx.conn())
    .await?)
}

/// Removes a passkey of a user; false when there is none.
pub(super) async fn remove(tx: &mut TenantTx, user: UserId, id: Uuid) -> Result<bool, DbError> {
    let done = query(
        "-- identity.passkeys.remove\nDELETE FROM identity.passkeys WHERE id = $1 AND user_id = $2",
    )
    .bind(id)
    .bind(user.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The tenant in which a credential logs in.
#[expect(
    clippy::disallowed_methods,
    reason = "the directory of credentials is a trusted row"
)]
pub(super) async fn tenant_of(
    tx: &mut SystemTx,
    credential_id: &[u8],
) -> Result<Option<TenantId>, DbError> {
    let tenant: Option<Uuid> =
        query_scalar("-- identity.passkeys.tenant_of\nSELECT identity.tenant_of_passkey($1)")
            .bind(credential_id)
            .fetch_one(tx.conn())
            .await?;
    Ok(tenant.map(TenantId::trusted))
}

/// The passkey that a login is made with, locked: its counter moves once at a time.
pub(super) async fn lock(
    tx: &mut TenantTx,
    user: UserId,
    credential_id: &[u8],
) -> Result<Option<Stored>, DbError> {
    let row: Option<(Uuid, Json<Credential>)> = query_as(
        "-- identity.passkeys.lock\n\
         SELECT id, credential FROM identity.passkeys WHERE user_id = $1 AND credential_id = $2 FOR UPDATE",
    )
    .bind(user.as_uuid())
    .bind(credential_id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(id, Json(credential))| Stored { id, credential }))
}

/// Notes that a passkey was used in a ceremony; false when the ceremony was used before.
pub(super) async fn note_use(
    tx: &mut TenantTx,
    user: UserId,
    passkey: &Stored,
    ceremony: (Uuid, DateTime<Utc>),
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let (ceremony_id, expires_at) = ceremony;
    let done = query(
        "-- identity.passkeys.note_use\n\
         WITH over AS (DELETE FROM identity.passkey_logins WHERE user_id = $2 AND expires_at < $5), \
         used AS (UPDATE identity.passkeys SET credential = $4, last_used_at = $5 WHERE id = $3) \
         INSERT INTO identity.passkey_logins (ceremony_id, user_id, expires_at) VALUES ($1, $2, $6) \
         ON CONFLICT (tenant_id, ceremony_id) DO NOTHING",
    )
    .bind(ceremony_id)
    .bind(user.as_uuid())
    .bind(passkey.id)
    .bind(Json(&passkey.credential))
    .bind(at)
    .bind(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a user has a passkey.
pub(crate) async fn has_any(tx: &mut TenantTx, user: UserId) -> Result<bool, DbError> {
    Ok(query_scalar(
        "-- identity.passkeys.has_any\n\
         SELECT EXISTS (SELECT FROM identity.passkeys WHERE user_id = $1)",
    )
    .bind(user.as_uuid())
    .fetch_one(tx.conn())
    .await?)
}

/// Removes every passkey of a user.
pub(crate) async fn remove_all(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query("-- identity.passkeys.remove_all\nDELETE FROM identity.passkeys WHERE user_id = $1")
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
