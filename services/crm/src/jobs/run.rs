//! The worker: takes jobs and does them, a turn of some seconds at a time, so that a long job of one tenant does not keep
//! others waiting.

use std::time::{Duration, Instant};

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::Job;
use bz_tenant::{DbError, TenantScope};
use chrono::TimeDelta;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    JobStatus,
    kinds::{self, Next, Step},
    store::{self, JobRow},
};
use crate::app::AppState;

/// Without a hint, jobs are looked for this often.
const POLL: Duration = Duration::from_secs(1);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Jobs in hand at once.
const MOST: usize = 2;
/// How long a job is worked on before others have their turn.
const TURN: Duration = Duration::from_secs(5);
/// When a job is taken by somebody else if nothing was heard of it: well behind the longest step.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often a job is taken without getting on before it is given up.
const ATTEMPTS: i32 = 5;
/// The longest that a statement of a step may take.
const STATEMENTS: &str = "SET LOCAL statement_timeout = '20s'";

/// The job of the service that does the jobs of tenants.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("jobs", move |stop| async move {
        work(app, stop).await;
        Ok(())
    })
}

async fn work(app: AppState, stop: CancellationToken) {
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        let free = MOST - running.len();
        let pause = match start(&app, &mut running, free, &stop).await {
            Ok(()) => POLL,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "jobs wait: the database cannot be asked");
                PAUSE
            }
        };
        let full = running.len() >= MOST;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause), if !full => {}
            () = app.jobs.notified(), if !full => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn start(
    app: &AppState,
    running: &mut JoinSet<()>,
    free: usize,
    stop: &CancellationToken,
) -> Result<(), DbError> {
    if free == 0 {
        return Ok(());
    }
    let now = app.core.sources.now();
    for (tenant, id) in store::due(&app.core.db, now, now + LEASE, free).await? {
        let (app, stop) = (app.clone(), stop.clone());
        running.spawn(async move { turn(&app, tenant, id, &stop).await });
    }
    Ok(())
}

/// Works on a job until it is over, its turn is, or the process stops.
async fn turn(app: &AppState, tenant: TenantId, id: Uuid, stop: &CancellationToken) {
    let began = Instant::now();
    let mut turn = Turn {
        app,
        scope: TenantScope::new(tenant, None),
        id,
        claims: None,
    };
    loop {
        match turn.step().await {
            Ok(true) if stop.is_cancelled() || began.elapsed() >= TURN => {
                return turn.release(TimeDelta::zero()).await;
            }
            Ok(true) => {}
            Ok(false) => return app.wake(),
            Err(problem) => {
                tracing::warn!(job.id = %id, problem = ?problem, "a step of a job failed; it is tried again");
                return turn.release(TimeDelta::seconds(2)).await;
            }
        }
    }
}

struct Turn<'a> {
    app: &'a AppState,
    scope: TenantScope,
    id: Uuid,
    claims: Option<i64>,
}

impl Turn<'_> {
    /// Does a step. Answers whether there is more to do for this worker.
    async fn step(&mut self) -> Result<bool, Problem> {
        let app = self.app;
        let mut tx = app.core.db.tenant(&self.scope).await?;
        let Some(mut job) = store::lock(&mut tx, self.id).await? else {
            return Ok(false);
        };
        let mine = *self.claims.get_or_insert(job.claims) == job.claims;
        if !mine || job.status != JobStatus::Running {
            return Ok(false);
        }
        if job.cancelled {
            drop(tx);
            return self.end(job, JobStatus::Cancelled, None).await;
        }
        if job.attempts > ATTEMPTS {
            drop(tx);
            let given_up = json!({ "code": "given_up", "detail": "It failed again and again without getting on." });
            return self.end(job, JobStatus::Failed, Some(given_up)).await;
        }
        sqlx::query(STATEMENTS)
            .execute(tx.conn())
            .await
            .map_err(DbError::from)?;
        let step = Step {
            app,
            tx: &mut tx,
            job: &mut job,
        };
        let more = match kinds::step(step).await {
            Ok(Next::More) => true,
            Ok(Next::Done(result)) => {
                job.result = Some(result);
                job.status = JobStatus::Succeeded;
                false
            }
            Err(problem) if problem.status().is_server_error() => return Err(problem),
            Err(problem) => {
                drop(tx);
                return self.fail(&problem).await;
            }
        };
        let now = app.core.sources.now();
        store::save(&mut tx, &job, now, now + LEASE).await?;
        tx.commit().await?;
        Ok(more)
    }

    /// Ends a job that cannot be done. What the step has done until then was rolled back.
    async fn fail(&self, problem: &Problem) -> Result<bool, Problem> {
        let mut tx = self.app.core.db.read(&self.scope).await?;
        let Some(job) = store::find(&mut tx, self.id).await? else {
            return Ok(false);
        };
        drop(tx);
        let document = problem.document();
        let detail = document.detail.unwrap_or(document.title);
        let why = json!({ "code": document.code, "detail": detail });
        self.end(job, JobStatus::Failed, Some(why)).await
    }

    /// Ends a job that is not done.
    async fn end(
        &self,
        mut job: JobRow,
        status: JobStatus,
        error: Option<serde_json::Value>,
    ) -> Result<bool, Problem> {
        kinds::ended(self.app, &self.scope, &mut job).await?;
        job.status = status;
        job.error = error;
        let now = self.app.core.sources.now();
        let mut tx = self.app.core.db.tenant(&self.scope).await?;
        let held = store::lock(&mut tx, job.id).await?;
        if held.is_some_and(|held| held.claims == job.claims && !held.status.is_over()) {
            store::save(&mut tx, &job, now, now).await?;
            tx.commit().await?;
        }
        Ok(false)
    }

    /// Lets others have the job, from some time on.
    async fn release(&self, pause: TimeDelta) {
        let Some(claims) = self.claims else { return };
        let due_at = self.app.core.sources.now() + pause;
        let released = async {
            let mut tx = self.app.core.db.tenant(&self.scope).await?;
            store::release(&mut tx, (self.id, claims), due_at).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, job.id = %self.id, "a job could not be given back; its lease runs out by itself");
        }
        self.app.hurry();
    }
}
