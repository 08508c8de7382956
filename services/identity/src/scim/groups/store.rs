//! SQL of groups. Row-level security confines every statement to the tenant of the transaction.

use bz_http::Problem;
use bz_kernel::{RoleId, UserId};
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{ScimGroup, WriteGroup};
use crate::{
    roles::rights::Rights,
    scim::{
        query::Wanted,
        resource::Record,
        sql::{self, Column, Listing},
    },
};

#[derive(FromRow)]
struct GroupRow {
    id: Uuid,
    name: String,
    external_id: Option<String>,
    permissions: Vec<String>,
    members: Vec<Uuid>,
    #[sqlx(flatten)]
    record: Record,
}

impl From<GroupRow> for ScimGroup {
    fn from(row: GroupRow) -> Self {
        Self {
            id: row.id.into(),
            written: WriteGroup {
                display_name: row.name,
                external_id: row.external_id,
                members: row.members.into_iter().collect(),
            },
            rights: Rights::of_permissions(row.permissions),
            record: row.record,
        }
    }
}

macro_rules! select {
    ($name:literal) => {
        concat!(
            "-- identity.scim_groups.",
            $name,
            "\n\
             SELECT r.id, r.name, r.external_id, r.permissions, r.created_at, r.updated_at, r.version, \
                    ARRAY(SELECT mr.user_id FROM identity.membership_roles mr \
                          WHERE mr.tenant_id = r.tenant_id AND mr.role_id = r.id) AS members \
             FROM identity.roles r WHERE "
        )
    };
}

pub(in crate::scim) fn column(name: &str) -> Option<Column> {
    Some(match name {
        "id" => Column::Text("r.id::text"),
        "displayname" => Column::Text("r.name"),
        "externalid" => Column::Exact("r.external_id"),
        "members" | "members.value" => Column::Any(
            "EXISTS (SELECT FROM identity.membership_roles mr \
             WHERE mr.tenant_id = r.tenant_id AND mr.role_id = r.id AND mr.user_id::text",
        ),
        "meta.created" => Column::Time("r.created_at"),
        "meta.lastmodified" => Column::Time("r.updated_at"),
        _ => return None,
    })
}

/// A group.
pub(super) async fn find(tx: &mut TenantTx, id: RoleId) -> Result<Option<ScimGroup>, DbError> {
    let row: Option<GroupRow> = query_as(concat!(select!("find"), "r.id = $1"))
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// How many groups pass a filter, and those that are wanted of them.
///
/// # Errors
/// 400 `invalidFilter`.
pub(super) async fn list(
    tx: &mut TenantTx,
    wanted: &Wanted,
) -> Result<(i64, Vec<ScimGroup>), Problem> {
    let listing = Listing {
        count: "-- identity.scim_groups.count\nSELECT count(*) FROM identity.roles r WHERE ",
        select: select!("list"),
        order: "r.id",
        column_of: column,
    };
    let (total, rows): (_, Vec<GroupRow>) = sql::page(tx, &listing, wanted).await?;
    Ok((total, rows.into_iter().map(Into::into).collect()))
}

/// Stores a group that allows nothing yet and has nobody in it.
pub(super) async fn insert(
    tx: &mut TenantTx,
    id: RoleId,
    group: &WriteGroup,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    query(
        "-- identity.scim_groups.insert\n\
         INSERT INTO identity.roles (id, name, external_id, permissions, created_at, updated_at) \
         VALUES ($1, $2, $3, '{}', $4, $4)",
    )
    .bind(id.as_uuid())
    .bind(&group.display_name)
    .bind(&group.external_id)
    .bind(at)
    .execute(tx.conn())
    .await
    .on_constraint("roles_tenant_name_key", taken)?;
    Ok(())
}

/// Writes what a directory writes, but for the members.
pub(super) async fn write(
    tx: &mut TenantTx,
    id: RoleId,
    group: &WriteGroup,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    query(
        "-- identity.scim_groups.write\n\
         UPDATE identity.roles SET name = $2, external_id = $3, updated_at = $4, version = version + 1 WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(&group.display_name)
    .bind(&group.external_id)
    .bind(at)
    .execute(tx.conn())
    .await
    .on_constraint("roles_tenant_name_key", taken)?;
    Ok(())
}

fn taken() -> Problem {
    Problem::conflict("uniqueness", "A role of the tenant has this name.")
}

/// Puts members into a group; false when one of them is no member of the tenant.
pub(super) async fn add_members(
    tx: &mut TenantTx,
    id: RoleId,
    users: &[Uuid],
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.scim_groups.add_members\n\
         INSERT INTO identity.membership_roles (user_id, role_id, created_at) \
         SELECT user_id, $1, $3 FROM identity.memberships WHERE user_id = ANY ($2)",
    )
    .bind(id.as_uuid())
    .bind(users)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(usize::try_from(done.rows_affected()) == Ok(users.len()))
}

/// Takes members out of a group.
pub(super) async fn remove_members(
    tx: &mut TenantTx,
    id: RoleId,
    users: &[Uuid],
) -> Result<(), DbError> {
    query(
        "-- identity.scim_groups.remove_members\n\
         DELETE FROM identity.membership_roles WHERE role_id = $1 AND user_id = ANY ($2)",
    )
    .bind(id.as_uuid())
    .bind(users)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One of the users who has more roles of the tenant's own than a token lists, if there is one.
pub(super) async fn with_too_many(
    tx: &mut TenantTx,
    users: &[Uuid],
    most: usize,
) -> Result<Option<UserId>, DbError> {
    let user: Option<Uuid> = query_scalar(
        "-- identity.scim_groups.with_too_many\n\
         SELECT user_id FROM identity.membership_roles WHERE user_id = ANY ($1) \
         GROUP BY user_id HAVING count(*) > $2 LIMIT 1",
    )
    .bind(users)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_optional(tx.conn())
    .await?;
    Ok(user.map(UserId::from))
}
