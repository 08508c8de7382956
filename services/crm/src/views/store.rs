//! SQL of the views. Nobody sees what another keeps for themselves.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, OnConstraint, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::View;
use crate::{problems, records::filter::Filter};

macro_rules! columns {
    () => {
        "id, record_type, name, filter, sort, columns, shared, created_by, created_at, updated_at, version"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    record_type: String,
    name: String,
    filter: Option<Json<Filter>>,
    sort: Option<String>,
    columns: Vec<String>,
    shared: bool,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<Row> for View {
    fn from(row: Row) -> Self {
        let sort = row.sort.unwrap_or_default();
        let names = sort.split(',').filter(|name| !name.is_empty());
        Self {
            id: row.id,
            record_type: row.record_type,
            name: row.name,
            filter: row.filter,
            sort: names.map(ToOwned::to_owned).collect(),
            columns: row.columns,
            shared: row.shared,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Writes a new view.
pub(super) async fn insert(tx: &mut TenantTx, view: &View) -> Result<View, Problem> {
    let row: Row = query_as(concat!(
        "-- crm.views.insert\nINSERT INTO crm.views \
         (id, record_type, name, filter, sort, columns, shared, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING ",
        columns!()
    ))
    .bind(view.id)
    .bind(&view.record_type)
    .bind(&view.name)
    .bind(&view.filter)
    .bind(view.sort.join(","))
    .bind(&view.columns)
    .bind(view.shared)
    .bind(view.created_by.as_uuid())
    .bind(view.created_at)
    .fetch_one(tx.conn())
    .await
    .on_constraint("views_name_key", problems::view_exists)?;
    Ok(row.into())
}

/// Writes a view that is locked.
pub(super) async fn update(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    view: &View,
) -> Result<View, Problem> {
    let row: Row = query_as(concat!(
        "-- crm.views.update\nUPDATE crm.views SET name = $2, filter = $3, sort = $4, columns = $5, shared = $6, \
         updated_at = $7, version = version + 1 WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(view.id)
    .bind(&view.name)
    .bind(&view.filter)
    .bind(view.sort.join(","))
    .bind(&view.columns)
    .bind(view.shared)
    .bind(now)
    .fetch_one(tx.conn())
    .await
    .on_constraint("views_name_key", problems::view_exists)?;
    Ok(row.into())
}

/// One view that a user sees.
pub(crate) async fn find(
    tx: &mut TenantTx,
    user: UserId,
    id: Uuid,
) -> Result<Option<View>, DbError> {
    let sql = concat!(
        "-- crm.views.find\nSELECT ",
        columns!(),
        " FROM crm.views WHERE id = $1 AND (shared OR created_by = $2)"
    );
    one(tx, sql, (user, id)).await
}

/// The same, locked.
pub(super) async fn find_for_update(
    tx: &mut TenantTx,
    user: UserId,
    id: Uuid,
) -> Result<Option<View>, DbError> {
    let sql = concat!(
        "-- crm.views.find_for_update\nSELECT ",
        columns!(),
        " FROM crm.views WHERE id = $1 AND (shared OR created_by = $2) FOR UPDATE"
    );
    one(tx, sql, (user, id)).await
}

async fn one(
    tx: &mut TenantTx,
    sql: &'static str,
    (user, id): (UserId, Uuid),
) -> Result<Option<View>, DbError> {
    let row: Option<Row> = query_as(sql)
        .bind(id)
        .bind(user.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// A page of the views that a user sees, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    (user, record_type): (UserId, Option<&str>),
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<View>, DbError> {
    let rows: Vec<Row> = query_as(concat!(
        "-- crm.views.list\nSELECT ",
        columns!(),
        " FROM crm.views WHERE (shared OR created_by = $1) AND ($2::text IS NULL OR record_type = $2) \
         AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
    ))
    .bind(user.as_uuid())
    .bind(record_type)
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Deletes a view.
pub(super) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.views.delete\nDELETE FROM crm.views WHERE id = $1")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}
