//! SQL of users as a directory sees them. Row-level security confines every statement to the tenant of the transaction.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::{ScimUser, WriteUser};
use crate::scim::{
    query::Wanted,
    resource::Record,
    sql::{self, Column, Listing},
};

#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    user_name: String,
    email: String,
    external_id: Option<String>,
    display_name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    active: bool,
    #[sqlx(flatten)]
    record: Record,
}

impl From<UserRow> for ScimUser {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            written: WriteUser {
                user_name: row.user_name,
                email: row.email,
                external_id: row.external_id,
                display_name: row.display_name,
                given_name: row.given_name,
                family_name: row.family_name,
                active: row.active,
            },
            record: row.record,
        }
    }
}

// Guests are provisioned where their home is.
macro_rules! from {
    () => {
        " FROM identity.users u \
          LEFT JOIN identity.scim_users s ON s.tenant_id = u.tenant_id AND s.user_id = u.id \
          WHERE coalesce(u.home_tenant_id, u.tenant_id) = u.tenant_id AND "
    };
}

macro_rules! select {
    ($name:literal) => {
        concat!(
            "-- identity.scim_users.",
            $name,
            "\n\
             SELECT u.id, coalesce(s.user_name, u.email) AS user_name, u.email, s.external_id, \
                    u.name AS display_name, s.given_name, s.family_name, u.status = 'active' AS active, \
                    u.created_at, u.updated_at, u.version",
            from!()
        )
    };
}

pub(in crate::scim) fn column(name: &str) -> Option<Column> {
    Some(match name {
        "id" => Column::Text("u.id::text"),
        "username" => Column::Text("coalesce(s.user_name, u.email)"),
        "externalid" => Column::Exact("s.external_id"),
        "displayname" => Column::Text("u.name"),
        "name.givenname" => Column::Text("s.given_name"),
        "name.familyname" => Column::Text("s.family_name"),
        "emails" | "emails.value" => Column::Text("u.email"),
        "emails.type" => Column::Text("'work'"),
        "active" => Column::Flag("(u.status = 'active')"),
        "meta.created" => Column::Time("u.created_at"),
        "meta.lastmodified" => Column::Time("u.updated_at"),
        _ => return None,
    })
}

/// A user.
pub(super) async fn find(tx: &mut TenantTx, id: UserId) -> Result<Option<ScimUser>, DbError> {
    let row: Option<UserRow> = query_as(concat!(select!("find"), "u.id = $1"))
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// How many users pass a filter, and those that are wanted of them.
///
/// # Errors
/// 400 `invalidFilter`.
pub(super) async fn list(
    tx: &mut TenantTx,
    wanted: &Wanted,
) -> Result<(i64, Vec<ScimUser>), Problem> {
    let listing = Listing {
        count: concat!("-- identity.scim_users.count\nSELECT count(*)", from!()),
        select: select!("list"),
        order: "u.id",
        column_of: column,
    };
    let (total, rows): (_, Vec<UserRow>) = sql::page(tx, &listing, wanted).await?;
    Ok((total, rows.into_iter().map(Into::into).collect()))
}

/// Writes what a directory writes, but for whether the user is active. A changed address is not verified.
pub(super) async fn write(
    tx: &mut TenantTx,
    id: UserId,
    user: &WriteUser,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    query(
        "-- identity.scim_users.write_user\n\
         UPDATE identity.users SET name = $2, updated_at = $4, version = version + 1, email = $3, \
           email_verified_at = CASE WHEN email = $3 THEN email_verified_at END WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(&user.display_name)
    .bind(&user.email)
    .bind(at)
    .execute(tx.conn())
    .await
    .on_constraint("users_tenant_email_key", taken)?;
    query(
        "-- identity.scim_users.write\n\
         INSERT INTO identity.scim_users (user_id, user_name, external_id, given_name, family_name) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT scim_users_pkey DO UPDATE SET \
           user_name = excluded.user_name, external_id = excluded.external_id, \
           given_name = excluded.given_name, family_name = excluded.family_name",
    )
    .bind(id.as_uuid())
    .bind(&user.user_name)
    .bind(&user.external_id)
    .bind(&user.given_name)
    .bind(&user.family_name)
    .execute(tx.conn())
    .await
    .on_constraint("scim_users_tenant_user_name_key", taken)?;
    Ok(())
}

fn taken() -> Problem {
    Problem::conflict(
        "uniqueness",
        "A user of the tenant has this name or address.",
    )
}
