//! SQL of the to-dos. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{TodoId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use crate::rules;

use super::{CreateTodo, Todo, TodoPriority, TodoStatus, list::TodoFilter};

rules::read_from_text!(TodoStatus);
rules::read_from_text!(TodoPriority);

macro_rules! columns {
    () => {
        "id, title, description, status, priority, due_at, due_date, completed_at, created_by, created_at, \
         updated_at, version"
    };
}

#[derive(FromRow)]
struct TodoRow {
    id: Uuid,
    title: String,
    description: Option<String>,
    status: TodoStatus,
    priority: TodoPriority,
    due_at: Option<DateTime<Utc>>,
    due_date: Option<NaiveDate>,
    completed_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl From<TodoRow> for Todo {
    fn from(row: TodoRow) -> Self {
        Self {
            id: row.id.into(),
            title: row.title,
            description: row.description,
            status: row.status,
            completed: row.status == TodoStatus::Done,
            priority: row.priority,
            due_at: row.due_at,
            due_date: row.due_date,
            completed_at: row.completed_at,
            created_by: row.created_by.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: TodoId,
    by: UserId,
    now: DateTime<Utc>,
    todo: &CreateTodo,
) -> Result<Todo, DbError> {
    let row: TodoRow = query_as(concat!(
        "-- crm.todos.insert\n\
         INSERT INTO crm.todos (id, created_by, created_at, updated_at, title, description, status, priority, due_at, \
         due_date, completed_at) \
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $6 = 'done' THEN $3 END) \
         RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(by.as_uuid())
    .bind(now)
    .bind(&todo.title)
    .bind(&todo.description)
    .bind(todo.wanted_status().as_str())
    .bind(todo.priority.as_str())
    .bind(todo.due_at)
    .bind(todo.due_date)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}

macro_rules! by_id {
    ($table:literal, $id:ty, $row:ty => $record:ty) => {
        pub(super) async fn find(tx: &mut TenantTx, id: $id) -> Result<Option<$record>, DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".find\nSELECT ",
                columns!(),
                " FROM ",
                $table,
                " WHERE id = $1"
            );
            let row: Option<$row> = query_as(sql)
                .bind(id.as_uuid())
                .fetch_optional(tx.conn())
                .await?;
            Ok(row.map(Into::into))
        }

        /// Locks the record until the transaction ends, so that a change is made on what was read.
        pub(super) async fn find_for_update(
            tx: &mut TenantTx,
            id: $id,
        ) -> Result<Option<$record>, DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".find_for_update\nSELECT ",
                columns!(),
                " FROM ",
                $table,
                " WHERE id = $1 FOR UPDATE"
            );
            let row: Option<$row> = query_as(sql)
                .bind(id.as_uuid())
                .fetch_optional(tx.conn())
                .await?;
            Ok(row.map(Into::into))
        }

        /// Deletes a record that [`find_for_update`] locked.
        pub(super) async fn delete(tx: &mut TenantTx, id: $id) -> Result<(), DbError> {
            let sql = concat!(
                "-- ",
                $table,
                ".delete\nDELETE FROM ",
                $table,
                " WHERE id = $1"
            );
            query(sql).bind(id.as_uuid()).execute(tx.conn()).await?;
            Ok(())
        }
    };
}

by_id!("crm.todos", TodoId, TodoRow => Todo);

/// One page and one more, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    filter: &TodoFilter,
    before: Option<TodoId>,
    limit: u16,
) -> Result<Vec<Todo>, DbError> {
    let rows: Vec<TodoRow> = query_as(concat!(
        "-- crm.todos.list\nSELECT ",
        columns!(),
        " FROM crm.todos WHERE ($1::text IS NULL OR status = $1) \
         AND ($2::boolean IS NULL OR (status = 'done') = $2) AND ($3::uuid IS NULL OR id < $3) \
         ORDER BY id DESC LIMIT $4"
    ))
    .bind(filter.status.map(TodoStatus::as_str))
    .bind(filter.completed)
    .bind(before.map(TodoId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Writes all writable fields of a to-do that [`find_for_update`] locked. A to-do that was done before keeps the time
/// at which it was done.
pub(super) async fn update(
    tx: &mut TenantTx,
    id: TodoId,
    now: DateTime<Utc>,
    todo: &CreateTodo,
) -> Result<Todo, DbError> {
    let row: TodoRow = query_as(concat!(
        "-- crm.todos.update\n\
         UPDATE crm.todos SET updated_at = $2, version = version + 1, title = $3, description = $4, status = $5, \
         priority = $6, due_at = $7, due_date = $8, \
         completed_at = CASE WHEN $5 = 'done' THEN coalesce(completed_at, $2) END WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.as_uuid())
    .bind(now)
    .bind(&todo.title)
    .bind(&todo.description)
    .bind(todo.wanted_status().as_str())
    .bind(todo.priority.as_str())
    .bind(todo.due_at)
    .bind(todo.due_date)
    .fetch_one(tx.conn())
    .await?;
    Ok(row.into())
}
