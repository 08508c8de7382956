//! The jobs of automations: running them, and deleting old runs.

use std::time::Duration;

use bz_events::{NewEvent, channel};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::{Job, retention};
use bz_tenant::{DbError, TenantScope};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::json;
use sqlx::{query_as, query_scalar};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{act, creator, store, store::Taken};
use crate::app::AppState;

/// Without a wake-up the outbox is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Events that become runs in one transaction, and runs that are taken at once, of a tenant and in all.
const EVENTS: i32 = 500;
const EACH: i32 = 10;
const MOST: i32 = 50;
/// When a run is taken again if nobody ended it.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How often a run is tried whose failure is the service's own.
const ATTEMPTS: i32 = 5;
/// The longest chain of automations that start each other.
const DEEPEST: i32 = 5;
/// After so many failures one after the other an automation is disabled.
const PATIENCE: i32 = 10;
/// How long runs are kept after they ended.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// The jobs.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(crate) fn jobs(app: &AppState) -> anyhow::Result<[Job; 3]> {
    let (runner, purger) = (app.clone(), app.clone());
    let run = Job::new("automations", async move |stop| {
        follow(&runner, &stop).await;
        Ok(())
    });
    let purge = retention::job("retention-automation-runs", move || purge(purger.clone()));
    Ok([run, purge, creator::job(app)?])
}

async fn purge(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let purged =
        query_scalar("-- crm.automation_runs.purge\nSELECT crm.purge_automation_runs($1, $2)")
            .bind(before)
            .bind(retention::BATCH)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(purged)
}

async fn follow(app: &AppState, stop: &CancellationToken) {
    let mut hints = app.core.redis.subscribe(&[&channel(app.core.db.schema())]);
    while !stop.is_cancelled() {
        hints.skip_heard();
        let pause = match turn(app, stop).await {
            Ok(true) => continue,
            Ok(false) => POLL,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "automations wait: the database cannot be asked");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            _ = hints.next(), if pause == POLL => {}
        }
    }
}

/// Turns events into runs and does what is due. Answers whether there is more to do at once.
async fn turn(app: &AppState, stop: &CancellationToken) -> Result<bool, DbError> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.system().await?;
    let read: Option<i64> =
        query_scalar("-- crm.automations.fan_out\nSELECT crm.automations_fan_out($1, $2, $3)")
            .bind(now)
            .bind(EVENTS)
            .bind(DEEPEST)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    let mut tx = app.core.db.system().await?;
    let due: Vec<(Uuid, Uuid)> =
        query_as("-- crm.automation_runs.due\nSELECT tenant_id, id FROM crm.automation_runs_due($1, $2, $3, $4)")
            .bind(now)
            .bind(now + LEASE)
            .bind(EACH)
            .bind(MOST)
            .fetch_all(tx.conn())
            .await?;
    tx.commit().await?;
    let more = read == Some(i64::from(EVENTS)) || !due.is_empty();
    for (tenant, id) in due {
        if stop.is_cancelled() {
            break;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the tenant of a row of this service, which its function answers"
        )]
        let scope = TenantScope::new(TenantId::trusted(tenant), None);
        run(app, &scope, id).await?;
    }
    Ok(more)
}

/// Does one run: its changes and its end are one transaction, so that it is done once whenever the process ends.
async fn run(app: &AppState, scope: &TenantScope, id: Uuid) -> Result<(), DbError> {
    let mut tx = app.core.db.tenant(scope).await?;
    let Some(run) = store::taken(&mut tx, id).await? else {
        return Ok(());
    };
    let automation = store::find(&mut tx, run.automation_id).await?;
    let Some(automation) = automation.filter(|automation| automation.wanted.enabled) else {
        store::forget(&mut tx, id).await?;
        return tx.commit().await;
    };
    let event = (run.kind.as_str(), run.record_id);
    let done = async {
        if !act::concerns(app, &mut tx, &automation, event).await? {
            store::forget(&mut tx, id).await?;
            return Ok(());
        }
        let outcomes = act::all(app, &mut tx, &automation, event).await?;
        let now = app.core.sources.now();
        store::caused(&mut tx, automation.id, run.depth + 1, now).await?;
        store::finish(&mut tx, id, ("done", None), act::stored(&outcomes), now).await?;
        store::recovered(&mut tx, automation.id).await?;
        Ok::<(), Problem>(())
    };
    match done.await {
        Ok(()) => {
            tx.commit().await?;
            app.wake();
            Ok(())
        }
        Err(problem) => {
            drop(tx);
            give_up(app, scope, &run, &problem).await
        }
    }
}

#[derive(Serialize)]
struct AutomationDisabled {
    automation_id: Uuid,
    reason: &'static str,
}

/// Writes down why a run failed. One that may go well later is left for the end of its lease.
async fn give_up(
    app: &AppState,
    scope: &TenantScope,
    run: &Taken,
    problem: &Problem,
) -> Result<(), DbError> {
    if problem.status().is_server_error() && run.attempts < ATTEMPTS {
        return Ok(());
    }
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(scope).await?;
    store::finish(
        &mut tx,
        run.id,
        ("failed", Some(act::said(problem))),
        json!([]),
        now,
    )
    .await?;
    if store::failed(&mut tx, run.automation_id, PATIENCE, now).await? {
        let data = AutomationDisabled {
            automation_id: run.automation_id,
            reason: "failing",
        };
        let event = NewEvent {
            kind: "automation.disabled",
            actor: None,
            data,
        };
        bz_events::append(&mut tx, &app.core.sources, event).await?;
    }
    tx.commit().await
}
