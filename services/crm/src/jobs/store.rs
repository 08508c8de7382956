//! SQL of jobs.

use bz_kernel::{TenantId, UserId};
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::{JobStatus, Order};

/// A job as it stands in the table.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct JobRow {
    pub id: Uuid,
    pub kind: String,
    pub record_type: Option<String>,
    pub status: JobStatus,
    pub params: Value,
    pub state: Value,
    pub result: Option<Value>,
    pub error: Option<Value>,
    pub total: Option<i64>,
    pub done: i64,
    pub claims: i64,
    pub attempts: i32,
    pub cancelled: bool,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub version: i64,
}

const COLUMNS: &str = "id, kind, record_type, status, params, state, result, error, total, done, claims, attempts, cancelled, \
     created_by, created_at, started_at, updated_at, finished_at, version";

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    by: UserId,
    now: DateTime<Utc>,
    order: Order,
) -> Result<JobRow, DbError> {
    let sql = format!(
        "-- crm.jobs.insert\n\
         INSERT INTO crm.jobs (id, kind, record_type, status, params, total, due_at, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $7) RETURNING {COLUMNS}"
    );
    let row = query_as(&sql)
        .bind(id)
        .bind(order.kind)
        .bind(order.record_type)
        .bind(order.status.as_str())
        .bind(order.params)
        .bind(order.total)
        .bind(now)
        .bind(by.as_uuid())
        .fetch_one(tx.conn())
        .await?;
    Ok(row)
}

pub(crate) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<JobRow>, DbError> {
    let sql = format!("-- crm.jobs.find\nSELECT {COLUMNS} FROM crm.jobs WHERE id = $1");
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<JobRow>, DbError> {
    let sql = format!("-- crm.jobs.lock\nSELECT {COLUMNS} FROM crm.jobs WHERE id = $1 FOR UPDATE");
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Takes jobs that are due in any tenant.
pub(super) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: usize,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let max = i32::try_from(max).unwrap_or(i32::MAX);
    let due = query_as("-- crm.jobs.due\nSELECT tenant_id, id FROM crm.jobs_due($1, $2, $3)");
    db.due(due.bind(now).bind(lease).bind(max)).await
}

/// Writes how far a job is, in the transaction of the step that got it there; who gets on has its attempts again.
pub(crate) async fn save(
    tx: &mut TenantTx,
    job: &JobRow,
    now: DateTime<Utc>,
    due_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let over = job.status.is_over();
    query(
        "-- crm.jobs.save\n\
         UPDATE crm.jobs SET status = $2, state = $3, result = $4, error = $5, total = $6, done = $7, due_at = $8, \
           attempts = 0, cancelled = $9, updated_at = $10, version = version + 1, \
           finished_at = CASE WHEN $11 THEN coalesce(finished_at, $10) END \
         WHERE id = $1",
    )
    .bind(job.id)
    .bind(job.status.as_str())
    .bind(&job.state)
    .bind(&job.result)
    .bind(&job.error)
    .bind(job.total)
    .bind(job.done)
    .bind(due_at)
    .bind(job.cancelled)
    .bind(now)
    .bind(over)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives a job back, to be taken again at `due_at`; nothing when somebody else has taken it meanwhile.
pub(super) async fn release(
    tx: &mut TenantTx,
    (id, claims): (Uuid, i64),
    due_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query("-- crm.jobs.release\nUPDATE crm.jobs SET due_at = $3 WHERE id = $1 AND claims = $2 AND status = 'running'")
        .bind(id)
        .bind(claims)
        .bind(due_at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes a job that never began, with all that belongs to it.
pub(crate) async fn discard(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- crm.jobs.discard\nDELETE FROM crm.jobs WHERE id = $1 AND status = 'preparing'")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes what has served its time, in all tenants; answers the largest number of rows of one table.
pub(super) async fn purge(
    db: &Db,
    before: DateTime<Utc>,
    undo_before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let deleted = sqlx::query_scalar("-- crm.jobs.purge\nSELECT crm.purge_jobs($1, $2, $3)")
        .bind(before)
        .bind(undo_before)
        .bind(batch)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Writes that a job is not wanted any more; lease and attempts stay as they are.
pub(super) async fn mark_cancelled(
    tx: &mut TenantTx,
    job: &JobRow,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- crm.jobs.mark_cancelled\n\
         UPDATE crm.jobs SET cancelled = true, status = $2, updated_at = $3, version = version + 1, \
           finished_at = CASE WHEN $4 THEN $3 END \
         WHERE id = $1",
    )
    .bind(job.id)
    .bind(job.status.as_str())
    .bind(now)
    .bind(job.status.is_over())
    .execute(tx.conn())
    .await?;
    Ok(())
}
