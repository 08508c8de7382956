//! SQL of approvals.

use bz_kernel::{RunId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query_as, query_scalar};
use uuid::Uuid;

use super::{Approval, ApprovalId};

#[derive(FromRow)]
struct ApprovalRow {
    id: Uuid,
    path: String,
    reason: String,
    subject: String,
    arguments: Value,
    status: String,
    decided_arguments: Option<Value>,
    comment: Option<String>,
    decided_by: Option<Uuid>,
    decided_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, path, reason, subject, arguments, status, decided_arguments, comment, decided_by, decided_at, created_at";

impl From<ApprovalRow> for Approval {
    fn from(row: ApprovalRow) -> Self {
        Self {
            id: ApprovalId::from_uuid(row.id),
            path: row.path,
            reason: row.reason,
            subject: row.subject,
            arguments: row.arguments,
            status: row.status,
            decided_arguments: row.decided_arguments,
            comment: row.comment,
            decided_by: row.decided_by.map(UserId::from_uuid),
            decided_at: row.decided_at,
            created_at: row.created_at,
        }
    }
}

/// How many decisions a run waits for.
pub(crate) async fn pending(tx: &mut TenantTx, run: RunId) -> Result<i64, DbError> {
    let count = query_scalar(
        "-- ai.run_approvals.pending\nSELECT count(*) FROM ai.run_approvals WHERE run_id = $1 AND status = 'pending'",
    );
    Ok(count.bind(run.as_uuid()).fetch_one(tx.conn()).await?)
}

/// What a run asked, oldest first; bounded by its limit of steps.
pub(crate) async fn of_run(tx: &mut TenantTx, run: RunId) -> Result<Vec<Approval>, DbError> {
    let sql = format!(
        "-- ai.run_approvals.of_run\nSELECT {COLUMNS} FROM ai.run_approvals WHERE run_id = $1 ORDER BY id LIMIT 1000"
    );
    let rows: Vec<ApprovalRow> = query_as(&sql)
        .bind(run.as_uuid())
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One question of a run.
pub(super) async fn find(
    tx: &mut TenantTx,
    run: RunId,
    id: ApprovalId,
) -> Result<Option<Approval>, DbError> {
    let sql = format!(
        "-- ai.run_approvals.find\nSELECT {COLUMNS} FROM ai.run_approvals WHERE run_id = $1 AND id = $2"
    );
    let row: Option<ApprovalRow> = query_as(&sql)
        .bind(run.as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// What a person decided.
pub(super) struct Decided<'a> {
    pub(super) approved: bool,
    pub(super) arguments: Option<&'a Value>,
    pub(super) comment: Option<&'a str>,
    pub(super) by: UserId,
    pub(super) at: DateTime<Utc>,
}

pub(super) async fn decide(
    tx: &mut TenantTx,
    id: ApprovalId,
    decided: &Decided<'_>,
) -> Result<Approval, DbError> {
    let sql = format!(
        "-- ai.run_approvals.decide\n\
         UPDATE ai.run_approvals SET status = CASE WHEN $2 THEN 'approved' ELSE 'rejected' END, decided_arguments = $3, \
           comment = $4, decided_by = $5, decided_at = $6 WHERE id = $1 RETURNING {COLUMNS}"
    );
    let row: ApprovalRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(decided.approved)
        .bind(decided.arguments)
        .bind(decided.comment)
        .bind(decided.by.as_uuid())
        .bind(decided.at)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// Tells the decision in the run's events; a run that waits goes back into the queue. The run's row is locked by the caller.
pub(super) async fn tell(
    tx: &mut TenantTx,
    run: RunId,
    data: Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let told = sqlx::query(
        "-- ai.runs.decided\n\
         WITH run AS ( \
           UPDATE ai.runs SET event_seq = event_seq + 1, \
             due_at = CASE WHEN status = 'waiting_approval' THEN $3 ELSE due_at END, \
             error = CASE WHEN status = 'waiting_approval' THEN NULL ELSE error END, \
             status = CASE WHEN status = 'waiting_approval' THEN 'queued' ELSE status END \
           WHERE id = $1 RETURNING event_seq \
         ) INSERT INTO ai.run_events (run_id, seq, kind, at, data) SELECT $1, event_seq, 'approval.resolved', $3, $2 FROM run",
    );
    let told = told.bind(run.as_uuid()).bind(data).bind(now);
    told.execute(tx.conn()).await?;
    Ok(())
}
