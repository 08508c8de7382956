//! How a walk through a run ends.

use std::time::Duration;

use bz_tenant::DbError;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::store::{self, End, Locked};
use crate::runs::{
    RunError, RunOutput, RunStatus,
    engine::{Engine, Halt},
    told::{self, Finished},
};

/// How a walk ended.
pub(super) type Ended = Result<RunOutput, Halt>;

/// How often a run is tried again after failures of others, without a step in between.
const TRIES: i32 = 5;
/// How often the end is written again when the database does not answer.
const WRITES: u32 = 3;

/// Writes the end; answers where the run is then. None when it is another worker's or could not be written: then its lease
/// ends, and another worker comes to the same end.
pub(super) async fn write(engine: &Engine, ended: Ended) -> Option<RunStatus> {
    if ended == Err(Halt::Lost) {
        return None;
    }
    for try_ in 0..WRITES {
        match try_write(engine, &ended).await {
            Ok(status) => {
                engine.app.runs.tell(engine.journal.run);
                engine.app.wake();
                if status == Some(RunStatus::Queued) {
                    engine.app.runs.wake();
                }
                return status;
            }
            Err(error) => {
                late(engine, &error);
                tokio::time::sleep(Duration::from_millis(200) * (try_ + 1)).await;
            }
        }
    }
    None
}

fn late(engine: &Engine, error: &DbError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, run.id = %engine.journal.run, "the end of a run could not be written");
}

async fn try_write(engine: &Engine, ended: &Ended) -> Result<Option<RunStatus>, DbError> {
    let (journal, app) = (&engine.journal, &engine.app);
    let now = journal.now();
    let _turn = app.runs.turn().await;
    let mut tx = app.core.db.tenant(journal.scope()).await?;
    let locked = store::locked(&mut tx, journal.run, journal.attempt).await?;
    let Some(locked) = locked else {
        return Ok(None);
    };
    let (status, error) = place(ended, locked);
    let retries = status == RunStatus::WaitingRetry;
    let pause =
        TimeDelta::seconds(4_i64.pow(u32::try_from(locked.failures.clamp(0, 5)).unwrap_or(0)));
    let output = match ended {
        Ok(output) => output.clone(),
        Err(_) => engine.so_far(),
    };
    let end = End {
        status: status.name(),
        over: status.is_over(),
        output: Some(output),
        events: events(status, ended, error.as_ref()),
        failed: retries,
        due_at: if retries { now + pause } else { now },
        worked_ms: engine.meter.worked_ms(),
        error,
    };
    store::end(&mut tx, journal.run, &end, now).await?;
    if status.is_over() {
        let over = Finished {
            run_id: journal.run,
            status: status.name(),
            crew_id: engine.crew,
            created_by: engine.user,
        };
        told::finished(&mut tx, &app.core.sources, None, over).await?;
    }
    tx.commit().await?;
    Ok(Some(status))
}

/// Where the run is now, and why.
fn place(ended: &Ended, locked: Locked) -> (RunStatus, Option<RunError>) {
    let error = |code: &str, message: &str, limit: Option<&str>| {
        Some(RunError {
            code: code.to_owned(),
            message: message.to_owned(),
            limit: limit.map(str::to_owned),
        })
    };
    match ended {
        Ok(_) => (RunStatus::Succeeded, None),
        Err(Halt::Limit { limit, message }) => {
            let code = match *limit {
                "max_identical_calls" => "loop_detected",
                "deadline_seconds" => "deadline_exceeded",
                "budget" => "budget_exceeded",
                _ => "limit_exceeded",
            };
            (RunStatus::LimitExceeded, error(code, message, Some(limit)))
        }
        Err(Halt::Failed { code, message }) => (RunStatus::Failed, error(code, message, None)),
        Err(Halt::Cancelled) => (RunStatus::Cancelled, None),
        // Whoever wants it to end need not wait for what it waits for.
        Err(_) if locked.cancel_wanted => (RunStatus::Cancelled, None),
        Err(Halt::Retry { code, message }) if locked.failures + 1 >= TRIES => {
            (RunStatus::Failed, error(code, message, None))
        }
        Err(Halt::Retry { code, message }) => (RunStatus::WaitingRetry, error(code, message, None)),
        Err(Halt::Unauthorized) => {
            let message = "The token with which the run works has ended. Resume it to give it a new one; an API key lasts longer.";
            (
                RunStatus::WaitingApproval,
                error("authorization_expired", message, None),
            )
        }
        Err(Halt::Blocked) if locked.pending => (RunStatus::WaitingApproval, None),
        Err(Halt::Blocked | Halt::Drained | Halt::Lost) => (RunStatus::Queued, None),
    }
}

fn events(status: RunStatus, ended: &Ended, error: Option<&RunError>) -> Value {
    let why = json!({ "code": error.map(|error| &error.code), "message": error.map(|error| &error.message) });
    let event = |kind: &str, data: Value| json!({ "kind": kind, "data": data });
    let events = match (status, ended) {
        (RunStatus::Succeeded, _) => vec![event("run.completed", json!({}))],
        (RunStatus::Cancelled, _) => vec![event("run.cancelled", json!({}))],
        (RunStatus::Failed, _) => vec![event("run.failed", why)],
        (RunStatus::LimitExceeded, Err(Halt::Limit { limit, message })) => {
            let exceeded = event(
                "limit.exceeded",
                json!({ "limit": limit, "message": message }),
            );
            match *limit {
                "max_identical_calls" => vec![
                    event("loop.detected", json!({ "message": message })),
                    exceeded,
                ],
                _ => vec![exceeded],
            }
        }
        (RunStatus::WaitingApproval, Err(Halt::Unauthorized)) => {
            vec![event(
                "approval.requested",
                json!({ "reason": "authorization" }),
            )]
        }
        (RunStatus::WaitingRetry, _) => vec![event("run.waiting", why)],
        _ => Vec::new(),
    };
    Value::Array(events)
}
