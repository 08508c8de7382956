//! SQL of accounts. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::users::Email;

/// The tenant of the latest registration with an address that was never verified.
#[expect(
    clippy::disallowed_methods,
    reason = "the row of a user is a trusted row"
)]
pub(super) async fn unverified_home(
    tx: &mut SystemTx,
    email: &Email,
) -> Result<Option<TenantId>, DbError> {
    let home: Option<Uuid> =
        query_scalar("-- identity.users.unverified_home\nSELECT identity.unverified_home($1)")
            .bind(email.as_str())
            .fetch_one(tx.conn())
            .await?;
    Ok(home.map(TenantId::trusted))
}

/// Gives a user another password. `old` is the hash that the change was decided on, if any; false when the user has
/// another one by now.
pub(super) async fn set_password(
    tx: &mut TenantTx,
    user: UserId,
    old: Option<&str>,
    new: &str,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.users.set_password\n\
         UPDATE identity.users SET password_hash = $3, updated_at = $4, version = version + 1 \
         WHERE id = $1 AND ($2::text IS NULL OR password_hash = $2)",
    )
    .bind(user.as_uuid())
    .bind(old)
    .bind(new)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether an address belongs to anybody in the tenant.
pub(super) async fn is_taken(tx: &mut TenantTx, email: &Email) -> Result<bool, DbError> {
    let taken = query_scalar(
        "-- identity.users.is_taken\nSELECT EXISTS (SELECT FROM identity.users WHERE email = $1)",
    )
    .bind(email.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(taken)
}

/// Gives a user another address, which counts as verified, and moves their default home along. False when somebody in
/// the tenant has the address.
pub(super) async fn set_email(
    tx: &mut TenantTx,
    user: UserId,
    old: &str,
    new: &str,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.users.set_email\n\
         UPDATE identity.users AS u SET email = $2, email_verified_at = $3, updated_at = $3, version = u.version + 1 \
         WHERE id = $1 AND NOT EXISTS (SELECT FROM identity.users AS o WHERE o.email = $2 AND o.id <> u.id)",
    )
    .bind(user.as_uuid())
    .bind(new)
    .bind(at)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    query("-- identity.users.rename_home\nSELECT identity.rename_home($1, $2, $3)")
        .bind(old)
        .bind(new)
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(true)
}

/// What of a profile can be changed.
#[derive(Clone)]
pub(super) struct Profile {
    pub(super) name: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) picture: Option<String>,
}

/// The profile of a user for a change, with its version. Changes of one user wait for each other.
pub(super) async fn lock_profile(
    tx: &mut TenantTx,
    user: UserId,
) -> Result<Option<(i64, Profile)>, DbError> {
    type Row = (i64, Option<String>, Option<String>, Option<String>);
    let row: Option<Row> = query_as(
        "-- identity.users.lock_profile\n\
         SELECT version, name, locale, picture FROM identity.users WHERE id = $1 FOR UPDATE",
    )
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    let profile = |(version, name, locale, picture)| {
        (
            version,
            Profile {
                name,
                locale,
                picture,
            },
        )
    };
    Ok(row.map(profile))
}

/// Stores a profile.
pub(super) async fn set_profile(
    tx: &mut TenantTx,
    user: UserId,
    profile: &Profile,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.set_profile\n\
         UPDATE identity.users SET name = $2, locale = $3, picture = $4, updated_at = $5, version = version + 1 \
         WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(&profile.name)
    .bind(&profile.locale)
    .bind(&profile.picture)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes changes of the tenant's owners wait for each other.
pub(super) async fn lock_tenant(tx: &mut TenantTx) -> Result<(), DbError> {
    query("-- identity.tenants.lock\nSELECT FROM identity.tenants FOR UPDATE")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whether others belong to the tenant, and none of them is an owner who stays.
pub(super) async fn is_last_owner(tx: &mut TenantTx, user: UserId) -> Result<bool, DbError> {
    let is_last = query_scalar(
        "-- identity.memberships.is_last_owner\n\
         SELECT EXISTS (SELECT FROM identity.memberships WHERE user_id = $1 AND role = 'owner') \
            AND EXISTS (SELECT FROM identity.memberships WHERE user_id <> $1) \
            AND NOT EXISTS ( \
              SELECT FROM identity.memberships m \
              JOIN identity.users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id \
              WHERE m.user_id <> $1 AND m.role = 'owner' AND m.status = 'active' AND u.status = 'active' \
                AND u.delete_after IS NULL)",
    )
    .bind(user.as_uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(is_last)
}

/// Notes when a user goes for good.
pub(super) async fn schedule_deletion(
    tx: &mut TenantTx,
    user: UserId,
    after: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.schedule_deletion\n\
         UPDATE identity.users SET delete_after = $2, updated_at = $3, version = version + 1 WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(after)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Users of all tenants whose time to go has come, a few.
#[expect(
    clippy::disallowed_methods,
    reason = "the row of a user is a trusted row"
)]
pub(super) async fn to_delete(
    tx: &mut SystemTx,
    at: DateTime<Utc>,
    batch: i32,
) -> Result<Vec<(TenantId, UserId)>, DbError> {
    let rows: Vec<(Uuid, Uuid)> = query_as(
        "-- identity.users.to_delete\nSELECT tenant_id, id FROM identity.users_to_delete($1, $2)",
    )
    .bind(at)
    .bind(batch)
    .fetch_all(tx.conn())
    .await?;
    let found = |(tenant, user)| (TenantId::trusted(tenant), UserId::from_uuid(user));
    Ok(rows.into_iter().map(found).collect())
}

/// Whether the time of a user to go has come, and keeps them from coming back until the transaction ends.
pub(super) async fn lock_due(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let due: Option<Uuid> = query_scalar(
        "-- identity.users.lock_due\n\
         SELECT id FROM identity.users WHERE id = $1 AND delete_after <= $2 FOR UPDATE",
    )
    .bind(user.as_uuid())
    .bind(at)
    .fetch_optional(tx.conn())
    .await?;
    Ok(due.is_some())
}

/// Whether anybody belongs to the tenant.
pub(super) async fn has_members(tx: &mut TenantTx) -> Result<bool, DbError> {
    Ok(query_scalar(
        "-- identity.memberships.any\nSELECT EXISTS (SELECT FROM identity.memberships)",
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Deletes a batch of registrations of all tenants that nobody verified; answers how many.
pub(super) async fn purge_unverified(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted = query_scalar(
        "-- identity.users.purge_unverified\nSELECT identity.purge_unverified($1, $2)",
    )
    .bind(before)
    .bind(batch)
    .fetch_one(tx.conn())
    .await?;
    Ok(deleted)
}
