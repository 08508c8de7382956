//! SQL of the worker.

use bz_kernel::{RunId, TenantId};
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, query_as, query_scalar, types::Json};
use uuid::Uuid;

use crate::runs::{RunError, RunOutput, plan::Plan};

/// Takes runs that are due, of all tenants.
pub(super) async fn claim(
    db: &Db,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    worker: Uuid,
    most: i32,
) -> Result<Vec<(TenantId, RunId)>, DbError> {
    let due = query_as("-- ai.runs.claim\nSELECT tenant_id, id FROM ai.runs_claim($1, $2, $3, $4)");
    let due = due.bind(now).bind(lease).bind(worker).bind(most);
    let claimed = db.due(due).await?.into_iter();
    Ok(claimed
        .map(|(tenant, run)| (tenant, RunId::from_uuid(run)))
        .collect())
}

/// Renews a worker's leases; answers those that it still has.
pub(super) async fn renew(
    db: &Db,
    worker: Uuid,
    runs: &[RunId],
    until: DateTime<Utc>,
) -> Result<Vec<RunId>, DbError> {
    let ids: Vec<Uuid> = runs.iter().map(|run| run.as_uuid()).collect();
    let mut tx = db.system().await?;
    let kept: Vec<Uuid> =
        query_scalar("-- ai.run_leases.renew\nSELECT * FROM ai.run_leases_renew($1, $2, $3)")
            .bind(worker)
            .bind(ids)
            .bind(until)
            .fetch_all(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(kept.into_iter().map(RunId::from_uuid).collect())
}

/// The runs of a worker that somebody wants to end.
pub(super) async fn to_cancel(db: &Db, worker: Uuid) -> Result<Vec<RunId>, DbError> {
    let mut tx = db.system().await?;
    let runs: Vec<Uuid> = query_scalar("-- ai.runs.to_cancel\nSELECT * FROM ai.runs_to_cancel($1)")
        .bind(worker)
        .fetch_all(tx.conn())
        .await?;
    Ok(runs.into_iter().map(RunId::from_uuid).collect())
}

/// The open runs of all tenants, by state.
pub(super) async fn open(db: &Db) -> Result<Vec<(String, i64, Option<DateTime<Utc>>)>, DbError> {
    let mut tx = db.system().await?;
    let rows = query_as("-- ai.runs.open\nSELECT status, runs, oldest FROM ai.runs_open()");
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// A run as its worker needs it.
#[derive(FromRow)]
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) subject_id: Option<Uuid>,
    pub(super) status: String,
    pub(super) plan: Json<Plan>,
    pub(super) inputs: Json<Map<String, Value>>,
    pub(super) credential: Option<Vec<u8>>,
    pub(super) steps: i32,
    pub(super) tool_calls: i32,
    pub(super) prompt_tokens: i64,
    pub(super) completion_tokens: i64,
    pub(super) cost: i64,
    pub(super) worked_ms: i64,
    pub(super) attempt: i32,
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    pub(super) created_by: Uuid,
}

/// A run.
pub(super) async fn head(tx: &mut TenantTx, run: RunId) -> Result<Option<Head>, DbError> {
    let row = query_as(
        "-- ai.runs.head\n\
         SELECT kind, subject, subject_id, status, plan, inputs, credential, steps, tool_calls, prompt_tokens, \
           completion_tokens, cost, worked_ms, attempt, cancel_requested_at, created_by FROM ai.runs WHERE id = $1",
    );
    Ok(row.bind(run.as_uuid()).fetch_optional(tx.conn()).await?)
}

/// What the end of a walk depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked {
    /// Somebody wants the run to end.
    pub(super) cancel_wanted: bool,
    /// It waits for a decision.
    pub(super) pending: bool,
    /// How often it failed since the last step that was done.
    pub(super) failures: i32,
}

/// How a run is now; locked. None when it is another worker's.
pub(super) async fn locked(
    tx: &mut TenantTx,
    run: RunId,
    attempt: i32,
) -> Result<Option<Locked>, DbError> {
    let found: Option<(bool, i32)> = query_as(
        "-- ai.runs.lock\n\
         SELECT cancel_requested_at IS NOT NULL, failures FROM ai.runs WHERE id = $1 AND attempt = $2 AND status = 'running' FOR UPDATE",
    )
    .bind(run.as_uuid())
    .bind(attempt)
    .fetch_optional(tx.conn())
    .await?;
    let Some((cancel_wanted, failures)) = found else {
        return Ok(None);
    };
    // After the lock, so that a decision that came meanwhile is seen.
    let pending: bool = query_scalar(
        "-- ai.run_approvals.any_pending\n\
         SELECT EXISTS (SELECT FROM ai.run_approvals WHERE run_id = $1 AND status = 'pending')",
    )
    .bind(run.as_uuid())
    .fetch_one(tx.conn())
    .await?;
    Ok(Some(Locked {
        cancel_wanted,
        pending,
        failures,
    }))
}

/// How a walk ended.
pub(super) struct End {
    pub(super) status: &'static str,
    pub(super) over: bool,
    pub(super) output: Option<RunOutput>,
    pub(super) error: Option<RunError>,
    pub(super) events: Value,
    pub(super) failed: bool,
    pub(super) due_at: DateTime<Utc>,
    pub(super) worked_ms: i64,
}

/// Writes it, and gives the lease back. The run's row is locked by the caller.
pub(super) async fn end(
    tx: &mut TenantTx,
    run: RunId,
    end: &End,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let count = end.events.as_array().map_or(0, Vec::len);
    sqlx::query(
        "-- ai.runs.end\n\
         WITH run AS ( \
           UPDATE ai.runs SET status = $2, finished_at = CASE WHEN $3 THEN $4::timestamptz END, \
             credential = CASE WHEN $3 THEN NULL ELSE credential END, output = coalesce($5, output), error = $6, \
             failures = failures + CASE WHEN $7 THEN 1 ELSE 0 END, due_at = $8, worked_ms = $9, event_seq = event_seq + $10 \
           WHERE id = $1 RETURNING event_seq - $10 AS told \
         ), freed AS ( \
           DELETE FROM ai.run_leases WHERE run_id = $1 \
         ) INSERT INTO ai.run_events (run_id, seq, kind, at, data) \
         SELECT $1, run.told + e.n, e.event ->> 'kind', $4, e.event -> 'data' \
         FROM run CROSS JOIN LATERAL jsonb_array_elements($11) WITH ORDINALITY AS e (event, n)",
    )
    .bind(run.as_uuid())
    .bind(end.status)
    .bind(end.over)
    .bind(now)
    .bind(end.output.as_ref().map(Json))
    .bind(end.error.as_ref().map(Json))
    .bind(end.failed)
    .bind(end.due_at)
    .bind(end.worked_ms)
    .bind(i64::try_from(count).unwrap_or(0))
    .bind(&end.events)
    .execute(tx.conn())
    .await?;
    Ok(())
}
