//! The journal of one run, as its worker has it: what is done is read from it, and every step is written before it counts. Each
//! write names the worker's attempt and changes nothing when another worker has the run.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest;
use bz_kernel::{RunId, Sources};
use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{FromRow, query_as, query_scalar};
use uuid::Uuid;

use super::{approvals::Approval, engine::Halt, worker::Runs};

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepStatus {
    /// It waits for a person, or to be tried again; nothing was sent.
    Waiting,
    /// It was sent, and there is no answer yet.
    Sent,
    /// It was sent, its answer is lost, and a person is asked.
    Uncertain,
    /// It is done.
    Succeeded,
    /// It is done, and did not work.
    Failed,
    /// A person did not want it.
    Rejected,
}

impl StepStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Uncertain => "uncertain",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "waiting" => Self::Waiting,
            "sent" => Self::Sent,
            "uncertain" => Self::Uncertain,
            "succeeded" => Self::Succeeded,
            "rejected" => Self::Rejected,
            _ => Self::Failed,
        }
    }

    /// Whether it is never done again.
    pub(crate) const fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Rejected)
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// Its place in the run.
    pub path: String,
    /// `llm`, `tool` or `review`.
    pub kind: &'static str,
    /// The model or the tool.
    pub name: String,
    /// The task it belongs to.
    pub task: String,
    /// Where it is.
    pub status: StepStatus,
    /// What was asked.
    pub request: Value,
    /// What was answered.
    pub response: Option<Value>,
    /// Tokens of question and answer, and the cost.
    pub spent: (i64, i64, i64),
    /// When it began.
    pub started_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct StepRow {
    path: String,
    kind: String,
    name: String,
    task: String,
    status: String,
    request: Value,
    response: Option<Value>,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost: i64,
    started_at: DateTime<Utc>,
}

impl From<StepRow> for Step {
    fn from(row: StepRow) -> Self {
        Self {
            path: row.path,
            kind: match row.kind.as_str() {
                "llm" => "llm",
                "review" => "review",
                _ => "tool",
            },
            name: row.name,
            task: row.task,
            status: StepStatus::of(&row.status),
            request: row.request,
            response: row.response,
            spent: (row.prompt_tokens, row.completion_tokens, row.cost),
            started_at: row.started_at,
        }
    }
}

/// A question to a person.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The step that waits.
    pub path: String,
    /// `destructive`, `uncertain` or `result`.
    pub reason: &'static str,
    /// The tool, or the task.
    pub subject: String,
    /// What it is about.
    pub arguments: Value,
}

/// An event.
pub(crate) type Event = (&'static str, Value);

/// What is written at once.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The step as it is now.
    pub step: Option<Step>,
    /// What a person is asked.
    pub ask: Option<Ask>,
    /// What is told.
    pub events: Vec<Event>,
    /// Steps and calls of tools that this begins.
    pub begins: (i32, i32),
    /// How long the run was worked on, in milliseconds.
    pub worked_ms: i64,
}

/// The journal.
pub(crate) struct Journal {
    db: Db,
    sources: Sources,
    runs: Runs,
    scope: TenantScope,
    /// The run.
    pub run: RunId,
    /// The worker's attempt.
    pub attempt: i32,
    steps: Mutex<HashMap<String, Step>>,
    decisions: HashMap<(String, String), Approval>,
    told: Mutex<HashSet<String>>,
}

impl Journal {
    /// Reads what is there of a run.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub(crate) async fn open(
        (db, sources, runs): (Db, Sources, Runs),
        scope: TenantScope,
        (run, attempt): (RunId, i32),
    ) -> Result<Self, DbError> {
        let mut tx = db.read(&scope).await?;
        let (steps, told) = past(&mut tx, run).await?;
        let decisions = super::approvals::store::of_run(&mut tx, run).await?;
        drop(tx);
        let decisions = decisions.into_iter();
        Ok(Self {
            db,
            sources,
            runs,
            scope,
            run,
            attempt,
            steps: Mutex::new(steps),
            decisions: decisions
                .map(|asked| ((asked.path.clone(), asked.reason.clone()), asked))
                .collect(),
            told: Mutex::new(told),
        })
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.sources.now()
    }

    /// The step at a place.
    pub(crate) fn step(&self, path: &str) -> Option<Step> {
        lock(&self.steps).get(path).cloned()
    }

    /// What a person decided of a step; none while it is pending or was never asked.
    pub(crate) fn decision(&self, path: &str, reason: &str) -> Option<&Approval> {
        let asked = self.decisions.get(&(path.to_owned(), reason.to_owned()))?;
        (asked.status != "pending").then_some(asked)
    }

    /// Whether a person was asked before.
    pub(crate) fn was_asked(&self, path: &str, reason: &str) -> bool {
        let key = (path.to_owned(), reason.to_owned());
        self.decisions.contains_key(&key)
    }

    /// Whether this is the first time that it is told of this task; later ones are another worker's.
    pub(crate) fn first_time(&self, kind: &str, task: &str) -> bool {
        lock(&self.told).insert(told_key(kind, task))
    }

    /// By which the other side tells a repeat of a call: the same whoever sends it, however often.
    pub(crate) fn key(&self, path: &str, tool: &str) -> String {
        let text = format!("{}\n{path}\n{tool}", self.run);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        format!("run-{}", hex::encode(&hash.as_ref()[..16]))
    }

    /// Writes.
    ///
    /// # Errors
    /// [`Halt::Lost`] when the run is another worker's, or the database does not answer: then the lease ends, and whoever
    /// takes the run finds what was written.
    pub(crate) async fn write(&self, entry: Entry) -> Result<(), Halt> {
        match self.try_write(&entry).await {
            Ok(true) => {}
            Ok(false) => return Err(Halt::Lost),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, run.id = %self.run, "a step could not be written; the run is left to its lease");
                return Err(Halt::Lost);
            }
        }
        if let Some(step) = entry.step {
            lock(&self.steps).insert(step.path.clone(), step);
        }
        self.runs.tell(self.run);
        Ok(())
    }

    /// The tenant and the user of the run.
    pub(crate) const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    async fn try_write(&self, entry: &Entry) -> Result<bool, DbError> {
        let now = self.sources.now();
        let events: Vec<Value> = entry
            .events
            .iter()
            .map(|(kind, data)| json!({ "kind": kind, "data": data }))
            .collect();
        let step = entry.step.as_ref();
        let spent = step.map_or((0, 0, 0), |step| step.spent);
        let _turn = self.runs.turn().await;
        let mut tx = self.db.tenant(&self.scope).await?;
        let found: i64 = query_scalar(WRITE)
            .bind(self.run.as_uuid())
            .bind(self.attempt)
            .bind(i64::try_from(events.len()).unwrap_or(0))
            .bind(Value::Array(events))
            .bind(now)
            .bind(entry.begins.0)
            .bind(entry.begins.1)
            .bind(spent.0)
            .bind(spent.1)
            .bind(spent.2)
            .bind(entry.worked_ms)
            .bind(step.map(|step| &step.path))
            .bind(step.map(|step| step.kind))
            .bind(step.map(|step| &step.name))
            .bind(step.map(|step| &step.task))
            .bind(step.map(|step| step.status.name()))
            .bind(step.map(|step| self.key(&step.path, &step.name)))
            .bind(step.map(|step| &step.request))
            .bind(step.and_then(|step| step.response.as_ref()))
            .bind(step.map(|step| step.started_at))
            .bind(step.and_then(|step| step.status.is_finished().then_some(now)))
            .bind(entry.ask.as_ref().map(|_| self.sources.id::<Uuid>()))
            .bind(entry.ask.as_ref().map(|ask| &ask.path))
            .bind(entry.ask.as_ref().map(|ask| ask.reason))
            .bind(entry.ask.as_ref().map(|ask| &ask.subject))
            .bind(entry.ask.as_ref().map(|ask| &ask.arguments))
            .fetch_one(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(found == 1)
    }
}

/// Everything in one statement: a step of a run costs three turns to the server.
const WRITE: &str = "-- ai.runs.write\n\
    WITH run AS ( \
      UPDATE ai.runs SET event_seq = event_seq + $3, steps = steps + $6, tool_calls = tool_calls + $7, \
        prompt_tokens = prompt_tokens + $8, completion_tokens = completion_tokens + $9, cost = cost + $10, worked_ms = $11, \
        failures = CASE WHEN $21::timestamptz IS NULL THEN failures ELSE 0 END, \
        step_seq = step_seq + CASE WHEN $12::text IS NULL THEN 0 ELSE 1 END \
      WHERE id = $1 AND attempt = $2 AND status = 'running' RETURNING event_seq - $3 AS told, step_seq \
    ), step AS ( \
      INSERT INTO ai.run_steps AS s (run_id, path, seq, kind, name, task, status, key, request, response, prompt_tokens, \
        completion_tokens, cost, attempt, started_at, finished_at) \
      SELECT $1, $12, run.step_seq, $13, $14, $15, $16, $17, $18, $19, $8, $9, $10, $2, $20, $21 FROM run WHERE $12 IS NOT NULL \
      ON CONFLICT (tenant_id, run_id, path) DO UPDATE SET name = excluded.name, status = excluded.status, \
        request = excluded.request, response = excluded.response, prompt_tokens = excluded.prompt_tokens, \
        completion_tokens = excluded.completion_tokens, cost = excluded.cost, attempt = excluded.attempt, \
        started_at = excluded.started_at, finished_at = excluded.finished_at \
    ), asked AS ( \
      INSERT INTO ai.run_approvals (id, run_id, path, reason, subject, arguments, status, created_at) \
      SELECT $22, $1, $23, $24, $25, $26, 'pending', $5 FROM run WHERE $22::uuid IS NOT NULL \
      ON CONFLICT ON CONSTRAINT run_approvals_path_key DO NOTHING \
    ), told AS ( \
      INSERT INTO ai.run_events (run_id, seq, kind, at, data) \
      SELECT $1, run.told + e.n, e.event ->> 'kind', $5, e.event -> 'data' \
      FROM run CROSS JOIN LATERAL jsonb_array_elements($4) WITH ORDINALITY AS e (event, n) \
    ) SELECT count(*) FROM run";

type Past = (HashMap<String, Step>, HashSet<String>);

/// What others did of a run before.
async fn past(tx: &mut TenantTx, run: RunId) -> Result<Past, DbError> {
    let told: Vec<(String, String)> = query_as(
        "-- ai.run_events.told\n\
         SELECT kind, coalesce(data ->> 'task', '') FROM ai.run_events \
         WHERE run_id = $1 AND kind IN ('run.started', 'task.started', 'task.completed')",
    )
    .bind(run.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    let told = told.iter().map(|(kind, task)| told_key(kind, task));
    Ok((all_steps(tx, run).await?, told.collect()))
}

async fn all_steps(tx: &mut TenantTx, run: RunId) -> Result<HashMap<String, Step>, DbError> {
    let rows: Vec<StepRow> = query_as(
        "-- ai.run_steps.all\n\
         SELECT path, kind, name, task, status, request, response, prompt_tokens, completion_tokens, cost, started_at \
         FROM ai.run_steps WHERE run_id = $1",
    )
    .bind(run.as_uuid())
    .fetch_all(tx.conn())
    .await?;
    let steps = rows.into_iter().map(Step::from);
    Ok(steps.map(|step| (step.path.clone(), step)).collect())
}

fn told_key(kind: &str, task: &str) -> String {
    format!("{kind}\n{task}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
