//! Makes the runs whose time has come.

use std::time::Duration;

use bz_auth::{AuthError, Permissions};
use bz_http::Problem;
use bz_kernel::{RunId, SecretString, TenantId, UserId};
use bz_service::{Job, app::Pace};
use bz_tenant::{TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Misfire, Overlap, Schedule, ScheduleId, credential, store, times};
use crate::{
    app::AppState,
    runs::{
        RunError,
        cancel::cancel,
        order::{self, Behalf},
        store as runs,
    },
};

/// How often schedules are looked at: well within the minute that they name.
const PACE: Pace = Pace {
    idle: Duration::from_secs(5),
    failed: Duration::from_secs(5),
};
/// How many are looked at in a turn.
const BATCH: i32 = 50;
/// A time that went by longer ago was missed.
const MISSED: TimeDelta = TimeDelta::minutes(5);

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::in_turns("schedules", PACE, move |_| {
        let app = app.clone();
        async move {
            let now = app.core.sources.now();
            let due = store::due(&app.core.db, now, BATCH).await?;
            let full = usize::try_from(BATCH).is_ok_and(|most| due.len() >= most);
            let mut made = false;
            for (tenant, id) in due {
                match one(&app, tenant, id).await {
                    Ok(passed) => made |= passed,
                    Err(problem) => {
                        tracing::warn!(schedule.id = %id, ?problem, "a schedule could not be run; it is tried again");
                    }
                }
            }
            Ok(full && made)
        }
    })
}

/// What becomes of a time.
enum Fate {
    /// Nothing yet: it is looked at again.
    Wait,
    /// It is left out.
    LeftOut(&'static str),
    /// A run is made.
    Run,
}

/// Makes one run and moves the schedule on, in one transaction; false when it stays where it is. Identity is asked about the
/// API key before it begins.
async fn one(app: &AppState, tenant: TenantId, id: Uuid) -> Result<bool, Problem> {
    let scope = TenantScope::new(tenant, None);
    let now = app.core.sources.now();
    let Some((sealed, user)) = store::credential(&app.core.db, &scope, id).await? else {
        return Ok(false);
    };
    let key = credential::opened(app, ScheduleId::from_uuid(id), &sealed);
    let allowed = allowed(app, key.as_ref(), (tenant, user)).await?;
    let mut tx = app.core.db.tenant(&scope).await?;
    let Some(schedule) = store::take_due(&mut tx, id, now).await? else {
        return Ok(false);
    };
    let passed = (now, times::next(&schedule.cron, &schedule.timezone, now));
    match fate(app, &mut tx, &schedule, now).await? {
        Fate::Wait => return Ok(false),
        Fate::LeftOut(why) => store::passed(&mut tx, schedule.id, passed, why, Ok(None)).await?,
        Fate::Run => match made(app, &mut tx, &schedule, key.as_ref(), allowed).await {
            Ok(run) => {
                store::passed(&mut tx, schedule.id, passed, "started", Ok(Some(run))).await?;
            }
            Err(problem) if problem.status().is_server_error() => return Err(problem),
            Err(problem) => {
                let error = why(&problem);
                store::passed(&mut tx, schedule.id, passed, "failed", Err(&error)).await?;
            }
        },
    }
    tx.commit().await?;
    app.runs.wake();
    app.wake();
    Ok(true)
}

/// What the API key lets its user do; none when it is not good any more.
async fn allowed(
    app: &AppState,
    key: Option<&SecretString>,
    whose: (TenantId, UserId),
) -> Result<Option<Permissions>, Problem> {
    let Some(key) = key else { return Ok(None) };
    match credential::permissions(app, key, whose).await {
        Ok(permissions) => Ok(Some(permissions)),
        Err(AuthError::KeysUnavailable) => Err(Problem::unavailable("identity cannot be asked")),
        Err(_) => Ok(None),
    }
}

async fn fate(
    app: &AppState,
    tx: &mut TenantTx,
    schedule: &Schedule,
    now: DateTime<Utc>,
) -> Result<Fate, Problem> {
    let missed = schedule.next_run_at.is_some_and(|at| now - at > MISSED);
    if missed && schedule.misfire == Misfire::Skip {
        return Ok(Fate::LeftOut("skipped_misfire"));
    }
    let Some(last) = schedule.last_run_id else {
        return Ok(Fate::Run);
    };
    let before = runs::find_for_update(tx, last, None).await?;
    let Some(before) = before.filter(|run| !run.status.is_over()) else {
        return Ok(Fate::Run);
    };
    match schedule.overlap {
        Overlap::Skip => Ok(Fate::LeftOut("skipped_overlap")),
        Overlap::Queue => Ok(Fate::Wait),
        Overlap::Cancel => {
            cancel(app, tx, &before, None).await?;
            app.runs.cancel(last);
            Ok(Fate::Run)
        }
    }
}

/// Makes the run, if the user's API key is still good. What refuses it has written nothing yet.
async fn made(
    app: &AppState,
    tx: &mut TenantTx,
    schedule: &Schedule,
    key: Option<&SecretString>,
    allowed: Option<Permissions>,
) -> Result<RunId, Problem> {
    let Some(permissions) = allowed else {
        let detail =
            "The API key of the schedule is not good any more. Change the schedule with a new one.";
        return Err(Problem::forbidden().detail(detail));
    };
    let behalf = Behalf {
        user: schedule.created_by,
        permissions: &permissions,
        token: key,
        schedule: Some(schedule.id.as_uuid()),
    };
    Ok(order::run(app, tx, &behalf, &schedule.run).await?.id)
}

fn why(problem: &Problem) -> RunError {
    let document = problem.document();
    let faults = document
        .errors
        .iter()
        .map(|fault| fault.message.to_string());
    let words = document.detail.into_iter().chain(faults);
    RunError {
        code: document.code,
        message: words.collect::<Vec<_>>().join("; "),
        limit: None,
    }
}
