//! SQL of users under administration. Row-level security confines every statement to the tenant of the transaction.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::ManagedUser;
use crate::{
    guests,
    members::store::held_roles,
    roles::rights::{Rights, own_roles},
    users::Email,
};

#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    email: String,
    email_verified: bool,
    name: Option<String>,
    status: String,
    has_password: bool,
    role: Option<String>,
    role_ids: Option<Vec<Uuid>>,
    role_names: Option<Vec<String>>,
    role_permissions: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<UserRow> for ManagedUser {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            email: row.email,
            email_verified: row.email_verified,
            name: row.name,
            status: row.status,
            has_password: row.has_password,
            rights: Rights::read(row.role.as_deref(), row.role_permissions.as_deref()),
            roles: held_roles(row.role, row.role_ids, row.role_names),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

// Guests are members here and users where their home is.
macro_rules! select_user {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- identity.users.",
            $name,
            "\n\
             SELECT u.id, u.email, u.email_verified_at IS NOT NULL AS email_verified, u.name, u.status, \
                    u.password_hash IS NOT NULL AS has_password, m.role, own.ids AS role_ids, \
                    own.names AS role_names, own.permissions AS role_permissions, \
                    u.created_at, u.updated_at, u.version \
             FROM identity.users u \
             LEFT JOIN identity.memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id",
            own_roles!(),
            " WHERE coalesce(u.home_tenant_id, u.tenant_id) = u.tenant_id AND ",
            $condition
        )
    };
}

/// A user.
pub(crate) async fn find(tx: &mut TenantTx, user: UserId) -> Result<Option<ManagedUser>, DbError> {
    let row: Option<UserRow> = query_as(select_user!("find_managed", "u.id = $1"))
        .bind(user.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// Whether there is a user.
pub(crate) async fn exists(tx: &mut TenantTx, user: UserId) -> Result<bool, DbError> {
    let exists = query_scalar(
        "-- identity.users.exists\nSELECT EXISTS (SELECT FROM identity.users WHERE id = $1)",
    )
    .bind(user.as_uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(exists)
}

/// Which users to list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Only those in this status.
    pub(crate) status: Option<&'a str>,
    /// Only the one with this address.
    pub(crate) email: Option<&'a str>,
}

/// One page of users and one more, the newest first.
pub(crate) async fn list(
    tx: &mut TenantTx,
    wanted: Wanted<'_>,
    before: Option<UserId>,
    limit: u16,
) -> Result<Vec<ManagedUser>, DbError> {
    let rows: Vec<UserRow> = query_as(select_user!(
        "list",
        "($1::text IS NULL OR u.status = $1) AND ($2::text IS NULL OR u.email = $2) \
         AND ($3::uuid IS NULL OR u.id < $3) ORDER BY u.id DESC LIMIT $4"
    ))
    .bind(wanted.status)
    .bind(wanted.email)
    .bind(before.map(UserId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a user without a password.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    id: UserId,
    email: &Email,
    name: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    query(
        "-- identity.users.insert_managed\n\
         INSERT INTO identity.users (id, email, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id.as_uuid())
    .bind(email.as_str())
    .bind(name)
    .bind(at)
    .execute(tx.conn())
    .await
    .on_constraint("users_tenant_email_key", email_taken)?;
    Ok(())
}

fn email_taken() -> Problem {
    Problem::conflict("email_taken", "A user of the tenant has this address.")
}

/// Writes what an administrator may write.
pub(crate) async fn set_name(
    tx: &mut TenantTx,
    user: UserId,
    name: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.set_name\n\
         UPDATE identity.users SET name = $2, updated_at = $3, version = version + 1 WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(name)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a user log in, or not.
pub(crate) async fn set_status(
    tx: &mut TenantTx,
    user: UserId,
    status: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.set_status\n\
         UPDATE identity.users SET status = $2, updated_at = $3, version = version + 1 WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(status)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the password away: the user has to set a new one.
pub(crate) async fn clear_password(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.clear_password\n\
         UPDATE identity.users SET password_hash = NULL, updated_at = $2, version = version + 1 WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes a user, and what is the user's.
pub(crate) async fn delete(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    guests::store::forget_guest(tx, user, at).await?;
    query("-- identity.users.delete\nDELETE FROM identity.users WHERE id = $1")
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
