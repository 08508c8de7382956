//! SQL of runs.

use bz_kernel::TenantId;
use bz_tabular::Piece;
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use crate::sources::resource::{RunStatus, SourceRun};

/// A run as it stands in the table.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct RunRow {
    pub id: Uuid,
    pub source_id: Uuid,
    pub kind: String,
    pub status: String,
    pub plan: Option<Value>,
    pub rows_total: Option<i64>,
    pub rows_done: i64,
    pub error: Option<Value>,
    pub claims: i64,
    pub attempts: i32,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<RunRow> for SourceRun {
    fn from(row: RunRow) -> Self {
        let status = match row.status.as_str() {
            "preparing" => RunStatus::Preparing,
            "queued" => RunStatus::Queued,
            "running" => RunStatus::Running,
            "succeeded" => RunStatus::Succeeded,
            _ => RunStatus::Failed,
        };
        Self {
            id: row.id,
            source_id: row.source_id.into(),
            kind: row.kind,
            status,
            rows_total: row.rows_total,
            rows_done: row.rows_done,
            error: row.error,
            created_by: row.created_by.map(Into::into),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

const COLUMNS: &str = "id, source_id, kind, status, plan, rows_total, rows_done, error, claims, attempts, created_by, \
     created_at, started_at, finished_at";

/// A run to begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRun<'a> {
    pub id: Uuid,
    pub source_id: Uuid,
    pub kind: &'a str,
    pub status: &'a str,
    pub plan: Option<&'a Value>,
    pub by: Option<Uuid>,
    pub now: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &mut TenantTx, run: NewRun<'_>) -> Result<RunRow, DbError> {
    let sql = format!(
        "-- analytics.source_runs.insert\n\
         INSERT INTO analytics.source_runs (id, source_id, kind, status, plan, due_at, created_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6) RETURNING {COLUMNS}"
    );
    Ok(query_as(&sql)
        .bind(run.id)
        .bind(run.source_id)
        .bind(run.kind)
        .bind(run.status)
        .bind(run.plan)
        .bind(run.now)
        .bind(run.by)
        .fetch_one(tx.conn())
        .await?)
}

pub(crate) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<RunRow>, DbError> {
    let sql = format!(
        "-- analytics.source_runs.find\nSELECT {COLUMNS} FROM analytics.source_runs WHERE id = $1"
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// Runs of a source, newest first, one more than the page has; uploads that are not whole are not shown.
pub(crate) async fn list(
    tx: &mut TenantTx,
    source: Uuid,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Vec<RunRow>, DbError> {
    let sql = format!(
        "-- analytics.source_runs.list\n\
         SELECT {COLUMNS} FROM analytics.source_runs \
         WHERE source_id = $1 AND status <> 'preparing' AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    );
    let limit = i64::from(limit) + 1;
    Ok(query_as(&sql)
        .bind(source)
        .bind(after)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?)
}

/// A run of the source that is not over, if there is one.
pub(crate) async fn open_sync(tx: &mut TenantTx, source: Uuid) -> Result<Option<RunRow>, DbError> {
    let sql = format!(
        "-- analytics.source_runs.open_sync\n\
         SELECT {COLUMNS} FROM analytics.source_runs \
         WHERE source_id = $1 AND kind = 'sync' AND status IN ('queued', 'running') ORDER BY id LIMIT 1"
    );
    Ok(query_as(&sql)
        .bind(source)
        .fetch_optional(tx.conn())
        .await?)
}

/// What was received is whole: the run waits for its turn.
pub(crate) async fn queue(
    tx: &mut TenantTx,
    id: Uuid,
    total: i64,
    now: DateTime<Utc>,
) -> Result<Option<RunRow>, DbError> {
    let sql = format!(
        "-- analytics.source_runs.queue\n\
         UPDATE analytics.source_runs SET status = 'queued', rows_total = $2, due_at = $3 \
         WHERE id = $1 AND status = 'preparing' RETURNING {COLUMNS}"
    );
    Ok(query_as(&sql)
        .bind(id)
        .bind(total)
        .bind(now)
        .fetch_optional(tx.conn())
        .await?)
}

/// Takes a run that waits, to do it at once; none when somebody else has it.
pub(crate) async fn claim(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> Result<Option<RunRow>, DbError> {
    let sql = format!(
        "-- analytics.source_runs.claim\n\
         UPDATE analytics.source_runs SET status = 'running', due_at = $3, claims = claims + 1, attempts = attempts + 1, \
           started_at = coalesce(started_at, $2) \
         WHERE id = $1 AND status = 'queued' RETURNING {COLUMNS}"
    );
    Ok(query_as(&sql)
        .bind(id)
        .bind(now)
        .bind(lease)
        .fetch_optional(tx.conn())
        .await?)
}

/// Takes runs that are due in any tenant.
pub(crate) async fn due(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    max: i32,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let due = query_as(
        "-- analytics.source_runs.due\nSELECT tenant_id, id FROM analytics.source_runs_due($1, $2, $3)",
    );
    db.due(due.bind(now).bind(lease).bind(max)).await
}

/// Sources of any tenant whose next asking is due.
pub(crate) async fn sources_due(
    db: &Db,
    now: DateTime<Utc>,
) -> Result<Vec<(TenantId, Uuid)>, DbError> {
    let due = query_as(
        "-- analytics.data_sources.due\nSELECT tenant_id, id FROM analytics.data_sources_due($1, 100)",
    );
    db.due(due.bind(now)).await
}

/// How far a run is, and that it is still worked on. False when somebody else has taken it.
pub(crate) async fn progress(
    tx: &mut TenantTx,
    run: &RunRow,
    (total, done): (Option<i64>, i64),
    lease: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- analytics.source_runs.progress\n\
         UPDATE analytics.source_runs SET rows_total = coalesce($3, rows_total), rows_done = $4, due_at = $5 \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(run.id)
    .bind(run.claims)
    .bind(total)
    .bind(done)
    .bind(lease)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a run; its pieces go. False when somebody else has taken it: then nothing of the transaction may stay.
pub(crate) async fn finish(
    tx: &mut TenantTx,
    run: &RunRow,
    outcome: Result<i64, &Value>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let (status, rows, error) = match outcome {
        Ok(rows) => ("succeeded", Some(rows), None),
        Err(error) => ("failed", None, Some(error)),
    };
    let done = query(
        "-- analytics.source_runs.finish\n\
         UPDATE analytics.source_runs SET status = $3, error = $4, finished_at = $5, \
           rows_total = coalesce($6, rows_total), rows_done = coalesce($6, 0) \
         WHERE id = $1 AND claims = $2 AND status = 'running'",
    )
    .bind(run.id)
    .bind(run.claims)
    .bind(status)
    .bind(error)
    .bind(now)
    .bind(rows)
    .execute(tx.conn())
    .await?;
    query("-- analytics.source_run_pieces.drop\nDELETE FROM analytics.source_run_pieces WHERE run_id = $1")
        .bind(run.id)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets others have a run, from some time on.
pub(crate) async fn release(
    tx: &mut TenantTx,
    run: &RunRow,
    due_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query("-- analytics.source_runs.release\nUPDATE analytics.source_runs SET due_at = $3 WHERE id = $1 AND claims = $2")
        .bind(run.id)
        .bind(run.claims)
        .bind(due_at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes a run that never began, with what was received.
pub(crate) async fn discard(tx: &mut TenantTx, id: Uuid) -> Result<(), DbError> {
    query("-- analytics.source_runs.discard\nDELETE FROM analytics.source_runs WHERE id = $1 AND status = 'preparing'")
        .bind(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(crate) async fn insert_piece(
    tx: &mut TenantTx,
    run: Uuid,
    n: i32,
    piece: &Piece,
) -> Result<(), DbError> {
    query(
        "-- analytics.source_run_pieces.insert\n\
         INSERT INTO analytics.source_run_pieces (run_id, n, first_row, rows, content) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(run)
    .bind(n)
    .bind(piece.first_row)
    .bind(piece.rows)
    .bind(&piece.content)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The next piece behind `after`.
pub(crate) async fn piece(tx: &mut TenantTx, run: Uuid, n: i32) -> Result<Option<Piece>, DbError> {
    let row: Option<(i64, i32, Vec<u8>)> = query_as(
        "-- analytics.source_run_pieces.find\n\
         SELECT first_row, rows, content FROM analytics.source_run_pieces WHERE run_id = $1 AND n = $2",
    )
    .bind(run)
    .bind(n)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|(first_row, rows, content)| Piece {
        first_row,
        rows,
        content,
    }))
}

/// Deletes runs that ended before an instant, in all tenants; answers how many.
pub(crate) async fn purge(db: &Db, before: DateTime<Utc>, batch: i32) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let deleted =
        query_scalar("-- analytics.source_runs.purge\nSELECT analytics.purge_source_runs($1, $2)")
            .bind(before)
            .bind(batch)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(deleted)
}
