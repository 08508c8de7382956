//! Orders the reports whose time has come.

use std::time::Duration;

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::Job;
use bz_tenant::TenantScope;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{store, times};
use crate::{
    app::AppState,
    reports::{Failure, order},
};

/// How often schedules are looked at: well within the minute that they name.
const EVERY: Duration = Duration::from_secs(5);
/// How many are run at once.
const BATCH: i32 = 50;

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    Job::new("report-schedules", async move |stop| {
        run(&app, &stop).await;
        Ok(())
    })
}

async fn run(app: &AppState, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let now = app.core.sources.now();
        match store::due(&app.core.db, now, BATCH).await {
            Ok(due) => {
                for (tenant, id) in due {
                    if let Err(problem) = one(app, tenant, id).await {
                        tracing::warn!(schedule.id = %id, problem = ?problem, "a schedule could not be run; it is tried again");
                    }
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "schedules wait: the database cannot be asked");
            }
        }
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Orders one report and moves the schedule on, in one transaction. Runs that were missed while no process was there are
/// made up for by one.
async fn one(app: &AppState, tenant: TenantId, id: Uuid) -> Result<(), Problem> {
    let scope = TenantScope::new(tenant, None);
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(&scope).await?;
    let Some((schedule, due_at)) = store::take_due(&mut tx, id, now).await? else {
        return Ok(());
    };
    let next = times::next(&schedule.cron, &schedule.timezone, now, 1)
        .first()
        .copied();
    let by = schedule.created_by.as_uuid();
    match order::report(app, &mut tx, by, &schedule.report, Some((id, due_at))).await {
        Ok(Some(report)) => store::ran(&mut tx, id, now, next, Ok(report.id)).await?,
        // That time has its report.
        Ok(None) => match schedule.last_report_id {
            Some(last) => store::ran(&mut tx, id, now, next, Ok(last)).await?,
            None => return Ok(()),
        },
        Err(problem) if problem.status().is_server_error() => return Err(problem),
        Err(problem) => store::ran(&mut tx, id, now, next, Err(&Failure::of(&problem))).await?,
    }
    tx.commit().await?;
    app.reports.wake();
    Ok(())
}
