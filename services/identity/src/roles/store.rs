//! SQL of roles. Row-level security confines every statement to the tenant of the transaction.

use bz_http::Problem;
use bz_kernel::{RoleId, UserId};
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{Role, WriteRole, name_taken};

macro_rules! columns {
    () => {
        "id, name, description, permissions, created_at, updated_at, version"
    };
}

#[derive(FromRow)]
struct RoleRow {
    id: Uuid,
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<RoleRow> for Role {
    fn from(row: RoleRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            description: row.description,
            built_in: false,
            permissions: row.permissions,
            created_at: Some(row.created_at),
            updated_at: Some(row.updated_at),
            version: row.version,
        }
    }
}

/// Stores a role.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    id: RoleId,
    at: DateTime<Utc>,
    role: &WriteRole,
) -> Result<Role, Problem> {
    let row: RoleRow = query_as(concat!(
        "-- identity.roles.insert\n\
         INSERT INTO identity.roles (id, name, description, permissions, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5) RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(&role.name)
    .bind(&role.description)
    .bind(&role.permissions)
    .bind(at)
    .fetch_one(tx.conn())
    .await
    .on_constraint("roles_tenant_name_key", name_taken)?;
    Ok(row.into())
}

/// A role of the tenant's own.
pub(crate) async fn find(tx: &mut TenantTx, id: RoleId) -> Result<Option<Role>, DbError> {
    let row: Option<RoleRow> = query_as(concat!(
        "-- identity.roles.find\nSELECT ",
        columns!(),
        " FROM identity.roles WHERE id = $1"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// The same, locked until the end of the transaction: nobody is given a role while it changes.
pub(crate) async fn find_for_update(
    tx: &mut TenantTx,
    id: RoleId,
) -> Result<Option<Role>, DbError> {
    let row: Option<RoleRow> = query_as(concat!(
        "-- identity.roles.find_for_update\nSELECT ",
        columns!(),
        " FROM identity.roles WHERE id = $1 FOR UPDATE"
    ))
    .bind(id.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Those of the roles that there are, locked so that they do not change until the end of the transaction.
pub(crate) async fn find_all(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Role>, DbError> {
    let rows: Vec<RoleRow> = query_as(concat!(
        "-- identity.roles.find_all\nSELECT ",
        columns!(),
        " FROM identity.roles WHERE id = ANY($1) ORDER BY id FOR SHARE"
    ))
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Some roles and one more, in the order of their making.
pub(crate) async fn list(
    tx: &mut TenantTx,
    after: Option<RoleId>,
    limit: usize,
) -> Result<Vec<Role>, DbError> {
    let rows: Vec<RoleRow> = query_as(concat!(
        "-- identity.roles.list\nSELECT ",
        columns!(),
        " FROM identity.roles WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
    ))
    .bind(after.map(RoleId::as_uuid))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes all writable fields of a role that [`find_for_update`] locked.
pub(crate) async fn update(
    tx: &mut TenantTx,
    id: RoleId,
    at: DateTime<Utc>,
    role: &WriteRole,
) -> Result<Role, Problem> {
    let row: RoleRow = query_as(concat!(
        "-- identity.roles.update\n\
         UPDATE identity.roles SET name = $2, description = $3, permissions = $4, updated_at = $5, version = version + 1 \
         WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(&role.name)
    .bind(&role.description)
    .bind(&role.permissions)
    .bind(at)
    .fetch_one(tx.conn())
    .await
    .on_constraint("roles_tenant_name_key", name_taken)?;
    Ok(row.into())
}

/// Deletes a role that nobody has.
pub(crate) async fn delete(tx: &mut TenantTx, id: RoleId) -> Result<(), Problem> {
    query("-- identity.roles.delete\nDELETE FROM identity.roles WHERE id = $1")
        .bind(id.as_uuid())
        .execute(tx.conn())
        .await
        .on_constraint("membership_roles_role_fkey", || {
            Problem::conflict(
                "role_in_use",
                "Members have this role: take it from them first.",
            )
        })?;
    Ok(())
}

/// Who has a role, up to a number.
pub(crate) async fn holders(
    tx: &mut TenantTx,
    role: RoleId,
    most: usize,
) -> Result<Vec<UserId>, DbError> {
    let users: Vec<Uuid> = query_scalar(
        "-- identity.roles.holders\n\
         SELECT user_id FROM identity.membership_roles WHERE role_id = $1 ORDER BY user_id LIMIT $2",
    )
    .bind(role.as_uuid())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(tx.conn())
    .await?;
    Ok(users.into_iter().map(UserId::from).collect())
}
