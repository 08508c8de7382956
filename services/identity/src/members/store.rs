//! SQL of memberships. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{HeldRole, Member};
use crate::roles::rights::{BuiltIn, Rights, own_roles};

#[derive(FromRow)]
struct MemberRow {
    user_id: Uuid,
    email: String,
    name: Option<String>,
    status: String,
    role: Option<String>,
    role_ids: Option<Vec<Uuid>>,
    role_names: Option<Vec<String>>,
    role_permissions: Option<String>,
    active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            user_id: row.user_id.into(),
            email: row.email,
            name: row.name,
            status: row.status,
            rights: Rights::read(row.role.as_deref(), row.role_permissions.as_deref()),
            roles: held_roles(row.role, row.role_ids, row.role_names),
            is_active: row.active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The built-in role and the tenant's own, as [`own_roles`] reads them.
pub(crate) fn held_roles(
    role: Option<String>,
    ids: Option<Vec<Uuid>>,
    names: Option<Vec<String>>,
) -> Vec<HeldRole> {
    let built_in = role.map(|name| HeldRole {
        id: name.clone(),
        name,
    });
    let own = ids
        .unwrap_or_default()
        .into_iter()
        .zip(names.unwrap_or_default());
    let own = own.map(|(id, name)| HeldRole {
        id: id.to_string(),
        name,
    });
    built_in.into_iter().chain(own).collect()
}

macro_rules! select_member {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- identity.members.",
            $name,
            "\n\
             SELECT m.user_id, u.email, u.name, m.status, m.role, own.ids AS role_ids, own.names AS role_names, \
                    own.permissions AS role_permissions, m.created_at, m.updated_at, m.version, \
                    m.status = 'active' AND u.status = 'active' AS active \
             FROM identity.memberships m \
             JOIN identity.users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id",
            own_roles!(),
            " WHERE ",
            $condition
        )
    };
}

/// A member.
pub(crate) async fn find(tx: &mut TenantTx, user: UserId) -> Result<Option<Member>, DbError> {
    let row: Option<MemberRow> = query_as(select_member!("find", "m.user_id = $1"))
        .bind(user.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// One page of members and one more, those who came last first.
pub(super) async fn list(
    tx: &mut TenantTx,
    status: Option<&str>,
    before: Option<UserId>,
    limit: u16,
) -> Result<Vec<Member>, DbError> {
    let rows: Vec<MemberRow> = query_as(select_member!(
        "list",
        "($1::text IS NULL OR m.status = $1) AND ($2::uuid IS NULL OR m.user_id < $2) \
         ORDER BY m.user_id DESC LIMIT $3"
    ))
    .bind(status)
    .bind(before.map(UserId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Makes all changes of memberships in the tenant, and of what they depend on, happen one after the other: of two owners
/// who take the role from each other at once, the second finds that they are the last.
pub(crate) async fn lock_all(tx: &mut TenantTx) -> Result<(), DbError> {
    query("-- identity.members.lock_all\nSELECT 1 FROM identity.tenants FOR NO KEY UPDATE")
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whether there is an owner who can log in.
pub(crate) async fn has_acting_owner(tx: &mut TenantTx) -> Result<bool, DbError> {
    let has = query_scalar(
        "-- identity.members.has_acting_owner\n\
         SELECT EXISTS (SELECT FROM identity.memberships m \
           JOIN identity.users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id \
           WHERE m.role = 'owner' AND m.status = 'active' AND u.status = 'active')",
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(has)
}

/// Gives a member these roles and no others; a user of the tenant who is no member becomes one.
pub(crate) async fn set_roles(
    tx: &mut TenantTx,
    user: UserId,
    built_in: Option<BuiltIn>,
    own: &[Uuid],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.members.set_role\n\
         INSERT INTO identity.memberships (user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT ON CONSTRAINT memberships_pkey \
         DO UPDATE SET role = excluded.role, updated_at = excluded.updated_at, version = memberships.version + 1",
    )
    .bind(user.as_uuid())
    .bind(built_in.map(BuiltIn::as_str))
    .bind(at)
    .execute(tx.conn())
    .await?;
    query(
        "-- identity.members.set_own_roles\n\
         WITH taken AS ( \
           DELETE FROM identity.membership_roles WHERE user_id = $1 AND role_id <> ALL ($2)) \
         INSERT INTO identity.membership_roles (user_id, role_id, created_at) \
         SELECT $1, role_id, $3 FROM unnest($2::uuid[]) AS given (role_id) ON CONFLICT DO NOTHING",
    )
    .bind(user.as_uuid())
    .bind(own)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a member in or keeps them out.
pub(crate) async fn set_status(
    tx: &mut TenantTx,
    user: UserId,
    status: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.members.set_status\n\
         UPDATE identity.memberships SET status = $2, updated_at = $3, version = version + 1 WHERE user_id = $1",
    )
    .bind(user.as_uuid())
    .bind(status)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a membership.
pub(crate) async fn delete(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query("-- identity.members.delete\nDELETE FROM identity.memberships WHERE user_id = $1")
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}
