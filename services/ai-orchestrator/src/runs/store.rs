//! SQL of runs, as the API needs it.

use bz_kernel::{RunId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::{Run, RunError, RunKind, RunOutput, RunStatus, RunUsage, Subject, plan::Plan};

/// A stored run.
#[derive(FromRow)]
pub(super) struct RunRow {
    id: Uuid,
    kind: String,
    subject: String,
    subject_id: Option<Uuid>,
    subject_version: i64,
    status: String,
    plan: Json<Plan>,
    inputs: Json<Map<String, Value>>,
    output: Option<Json<RunOutput>>,
    error: Option<Json<RunError>>,
    steps: i32,
    tool_calls: i32,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost: i64,
    worked_ms: i64,
    attempt: i32,
    cancel_requested_at: Option<DateTime<Utc>>,
    schedule_id: Option<Uuid>,
    forked_from: Option<Uuid>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, kind, subject, subject_id, subject_version, status, plan, inputs, output, error, steps, tool_calls, \
     prompt_tokens, completion_tokens, cost, worked_ms, attempt, cancel_requested_at, schedule_id, forked_from, created_by, \
     created_at, started_at, finished_at";

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        let usage = RunUsage {
            steps: row.steps,
            tool_calls: row.tool_calls,
            prompt_tokens: row.prompt_tokens,
            completion_tokens: row.completion_tokens,
            cost_micros: row.cost,
            worked_ms: row.worked_ms,
        };
        Self {
            id: RunId::from_uuid(row.id),
            subject: Subject {
                kind: if row.kind == "crew" {
                    RunKind::Crew
                } else {
                    RunKind::Agent
                },
                name: row.subject,
                id: row.subject_id,
                version: row.subject_version,
            },
            status: RunStatus::of(&row.status),
            inputs: row.inputs.0,
            limits: row.plan.0.limits,
            usage,
            output: row.output.map(|output| output.0),
            error: row.error.map(|error| error.0),
            attempt: row.attempt,
            cancel_requested_at: row.cancel_requested_at,
            schedule_id: row.schedule_id,
            forked_from: row.forked_from.map(RunId::from_uuid),
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

/// A run to store.
pub(crate) struct NewRun {
    pub(crate) id: RunId,
    pub(crate) subject: Subject,
    pub(crate) plan: Plan,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) credential: Option<Vec<u8>>,
    pub(crate) user: UserId,
    pub(crate) schedule: Option<Uuid>,
    pub(crate) forked_from: Option<RunId>,
}

/// Stores a run that waits for a worker, with its first event.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    new: NewRun,
    now: DateTime<Utc>,
) -> Result<Run, DbError> {
    let sql = format!(
        "-- ai.runs.insert\n\
         WITH made AS ( \
           INSERT INTO ai.runs (id, kind, subject, subject_id, subject_version, status, plan, inputs, credential, schedule_id, \
             forked_from, created_by, created_at, due_at, event_seq) \
           VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $10, $11, $12, $12, 1) RETURNING {COLUMNS} \
         ), told AS ( \
           INSERT INTO ai.run_events (run_id, seq, kind, at, data) VALUES ($1, 1, 'run.queued', $12, '{{}}') \
         ) SELECT {COLUMNS} FROM made"
    );
    let kind = match new.subject.kind {
        RunKind::Agent => "agent",
        RunKind::Crew => "crew",
    };
    let row: RunRow = query_as(&sql)
        .bind(new.id.as_uuid())
        .bind(kind)
        .bind(&new.subject.name)
        .bind(new.subject.id)
        .bind(new.subject.version)
        .bind(Json(&new.plan))
        .bind(Json(&new.inputs))
        .bind(new.credential)
        .bind(new.schedule)
        .bind(new.forked_from.map(RunId::as_uuid))
        .bind(new.user.as_uuid())
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// A run of this user, or of anybody.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: RunId,
    whose: Option<UserId>,
) -> Result<Option<Run>, DbError> {
    one(tx, id, whose, "").await
}

/// The same, locked.
pub(crate) async fn find_for_update(
    tx: &mut TenantTx,
    id: RunId,
    whose: Option<UserId>,
) -> Result<Option<Run>, DbError> {
    one(tx, id, whose, "FOR UPDATE").await
}

async fn one(
    tx: &mut TenantTx,
    id: RunId,
    whose: Option<UserId>,
    lock: &str,
) -> Result<Option<Run>, DbError> {
    let sql = format!(
        "-- ai.runs.find\n\
         SELECT {COLUMNS} FROM ai.runs WHERE id = $1 AND ($2::uuid IS NULL OR created_by = $2) {lock}"
    );
    let row: Option<RunRow> = query_as(&sql)
        .bind(id.as_uuid())
        .bind(whose.map(UserId::as_uuid))
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// Runs behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    whose: Option<UserId>,
    status: Option<&str>,
    (after, limit): (Option<RunId>, i64),
) -> Result<Vec<Run>, DbError> {
    // Two texts, so that each has its index.
    let owner = if whose.is_some() {
        "created_by = $1"
    } else {
        "$1::uuid IS NULL"
    };
    let sql = format!(
        "-- ai.runs.list\n\
         SELECT {COLUMNS} FROM ai.runs WHERE {owner} AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3) \
         ORDER BY id DESC LIMIT $4"
    );
    let rows: Vec<RunRow> = query_as(&sql)
        .bind(whose.map(UserId::as_uuid))
        .bind(after.map(RunId::as_uuid))
        .bind(status)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Ends a run on which nobody works; tells the worker of one that runs.
pub(crate) async fn cancel(
    tx: &mut TenantTx,
    id: RunId,
    running: bool,
    now: DateTime<Utc>,
) -> Result<Run, DbError> {
    let sql = if running {
        format!(
            "-- ai.runs.cancel_running\n\
             UPDATE ai.runs SET cancel_requested_at = coalesce(cancel_requested_at, $2) WHERE id = $1 RETURNING {COLUMNS}"
        )
    } else {
        format!(
            "-- ai.runs.cancel\n\
             WITH ended AS ( \
               UPDATE ai.runs SET status = 'cancelled', cancel_requested_at = coalesce(cancel_requested_at, $2), \
                 finished_at = $2, credential = NULL, error = NULL, event_seq = event_seq + 1 WHERE id = $1 \
               RETURNING event_seq, {COLUMNS} \
             ), told AS ( \
               INSERT INTO ai.run_events (run_id, seq, kind, at, data) SELECT $1, event_seq, 'run.cancelled', $2, '{{}}' FROM ended \
             ) SELECT {COLUMNS} FROM ended"
        )
    };
    let row: RunRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(now)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// Puts a run back into the queue, with a token if there is a new one, and tells it.
pub(crate) async fn requeue(
    tx: &mut TenantTx,
    id: RunId,
    (plan, credential): (Option<&Plan>, Option<Vec<u8>>),
    (kind, data): (&str, Value),
    now: DateTime<Utc>,
) -> Result<Run, DbError> {
    let sql = format!(
        "-- ai.runs.requeue\n\
         WITH queued AS ( \
           UPDATE ai.runs SET status = 'queued', due_at = $2, finished_at = NULL, error = NULL, failures = 0, \
             cancel_requested_at = NULL, plan = coalesce($3, plan), credential = coalesce($4, credential), \
             event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq, {COLUMNS} \
         ), told AS ( \
           INSERT INTO ai.run_events (run_id, seq, kind, at, data) SELECT $1, event_seq, $5, $2, $6 FROM queued \
         ) SELECT {COLUMNS} FROM queued"
    );
    let row: RunRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(now)
        .bind(plan.map(Json))
        .bind(credential)
        .bind(kind)
        .bind(data)
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

/// The plan of a run.
pub(crate) async fn plan_of(tx: &mut TenantTx, id: RunId) -> Result<Plan, DbError> {
    let plan = sqlx::query_scalar("-- ai.runs.plan\nSELECT plan FROM ai.runs WHERE id = $1");
    let plan: Json<Plan> = plan.bind(id.as_uuid()).fetch_one(tx.conn()).await?;
    Ok(plan.0)
}

/// Whether a run has finished this step.
pub(super) async fn has_step(tx: &mut TenantTx, run: RunId, seq: i64) -> Result<bool, DbError> {
    let found = sqlx::query_scalar(
        "-- ai.run_steps.has\n\
         SELECT EXISTS (SELECT FROM ai.run_steps WHERE run_id = $1 AND seq = $2 AND finished_at IS NOT NULL)",
    );
    let found = found.bind(run.as_uuid()).bind(seq);
    Ok(found.fetch_one(tx.conn()).await?)
}

/// Begins a run with the steps of another up to one.
pub(super) async fn copy_steps(
    tx: &mut TenantTx,
    from: RunId,
    to: RunId,
    last: i64,
) -> Result<(), DbError> {
    let copy = query(
        "-- ai.run_steps.copy\n\
         WITH copied AS ( \
           INSERT INTO ai.run_steps (run_id, path, seq, kind, name, task, status, key, request, response, prompt_tokens, \
             completion_tokens, cost, attempt, started_at, finished_at) \
           SELECT $2, path, seq, kind, name, task, status, key, request, response, prompt_tokens, completion_tokens, cost, 0, \
             started_at, finished_at \
           FROM ai.run_steps WHERE run_id = $1 AND seq <= $3 AND finished_at IS NOT NULL RETURNING kind, seq \
         ) \
         UPDATE ai.runs SET step_seq = (SELECT coalesce(max(seq), 0) FROM copied), steps = (SELECT count(*) FROM copied), \
           tool_calls = (SELECT count(*) FROM copied WHERE kind = 'tool') WHERE id = $2",
    );
    let copy = copy.bind(from.as_uuid()).bind(to.as_uuid()).bind(last);
    copy.execute(tx.conn()).await?;
    Ok(())
}
