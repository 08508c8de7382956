//! Does what is due: loads files that were brought, asks addresses.

use std::time::Duration;

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::{Job, retention};
use bz_tenant::{DbError, TenantScope};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    connector::{Connector as _, HttpPull, Pulled, Upload, headers},
    load::Loader,
    store::{self, NewRun, RunRow},
};
use crate::{
    app::AppState,
    sources::{
        MOST_ANSWER,
        read::Plan,
        resource::Pull,
        store::{self as source_store, SourceRow},
    },
};

/// Without a hint, runs are looked for this often.
const POLL: Duration = Duration::from_secs(2);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(10);
/// Runs in hand at once.
const MOST: i32 = 2;
/// When a run is taken by somebody else if nothing was heard of it.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// How often a run is begun before it is given up.
const ATTEMPTS: i32 = 5;
/// How long runs are kept after they ended.
const KEPT: TimeDelta = TimeDelta::days(90);

/// The jobs of the service that load what is due, and delete runs of long ago.
pub(crate) fn jobs(app: &AppState) -> [Job; 2] {
    let (worker, purged) = (app.clone(), app.clone());
    [
        Job::new("sources", move |stop| async move {
            work(&worker, &stop).await;
            Ok(())
        }),
        retention::job("retention-source-runs", move || {
            let app = purged.clone();
            async move {
                let before = app.core.sources.now() - KEPT;
                store::purge(&app.core.db, before, retention::BATCH).await
            }
        }),
    ]
}

async fn work(app: &AppState, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match due(app, stop).await {
            Ok(0) => POLL,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "sources wait: the database cannot be asked");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.sources.hint.notified() => {}
        }
    }
}

/// Does what is due now; answers how many runs that were.
async fn due(app: &AppState, stop: &CancellationToken) -> Result<usize, DbError> {
    let now = app.core.sources.now();
    for (tenant, id) in store::sources_due(&app.core.db, now).await? {
        if let Err(problem) = begin_sync(app, &TenantScope::new(tenant, None), id, None).await {
            tracing::warn!(data_source.id = %id, problem = ?problem, "a source could not be asked; it is tried again");
        }
    }
    let taken = store::due(&app.core.db, now, now + LEASE, MOST).await?;
    let mut running = tokio::task::JoinSet::new();
    for (tenant, id) in &taken {
        let (app, tenant, id, stop) = (app.clone(), *tenant, *id, stop.clone());
        running.spawn(async move { turn(&app, tenant, id, &stop).await });
    }
    while running.join_next().await.is_some() {}
    Ok(taken.len())
}

async fn turn(app: &AppState, tenant: TenantId, id: Uuid, stop: &CancellationToken) {
    let scope = TenantScope::new(tenant, None);
    let done = async {
        let mut tx = app.core.db.read(&scope).await?;
        let run = store::find(&mut tx, id).await?;
        drop(tx);
        match run {
            Some(run) => stop
                .run_until_cancelled(execute(app, &scope, &run))
                .await
                .unwrap_or(Ok(())),
            None => Ok(()),
        }
    };
    if let Err(problem) = done.await {
        tracing::warn!(run.id = %id, problem = ?problem, "a load failed; it is tried again when its lease runs out");
    }
}

/// Makes a run of a source whose address is to be asked; the one that is open, if there is one.
pub(crate) async fn begin_sync(
    app: &AppState,
    scope: &TenantScope,
    id: Uuid,
    by: Option<Uuid>,
) -> Result<RunRow, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(scope).await?;
    let source = source_store::lock(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let pull = source.pull.as_ref().ok_or_else(brought)?;
    let run = match store::open_sync(&mut tx, id).await? {
        Some(open) => open,
        None => {
            let new = NewRun {
                id: app.core.sources.id(),
                source_id: id,
                kind: "sync",
                status: "queued",
                plan: None,
                by,
                now,
            };
            store::insert(&mut tx, new).await?
        }
    };
    source_store::schedule(&mut tx, id, next(&source, pull, now), None).await?;
    tx.commit().await?;
    app.sources.hint.notify_one();
    Ok(run)
}

/// A source that has no address.
fn brought() -> Problem {
    Problem::conflict(
        "nothing_to_ask",
        "Files of this source are brought: send one to POST /api/analytics/imports.",
    )
}

/// When a source is asked the next time.
fn next(
    source: &SourceRow,
    pull: &Pull,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<chrono::DateTime<chrono::Utc>> {
    let every = pull.every_minutes.filter(|_| source.enabled)?;
    Some(now + TimeDelta::minutes(every.into()))
}

/// Does a run that waits at once, if nobody else has it; answers how it stands then.
pub(crate) async fn run_now(
    app: &AppState,
    scope: &TenantScope,
    id: Uuid,
) -> Result<Option<RunRow>, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.tenant(scope).await?;
    let claimed = store::claim(&mut tx, id, now, now + LEASE).await?;
    tx.commit().await?;
    if let Some(run) = &claimed
        && let Err(problem) = execute(app, scope, run).await
    {
        // The file is here and is loaded later: that is no reason to refuse it.
        tracing::warn!(run.id = %id, problem = ?problem, "a load failed; it is tried again");
    }
    let mut tx = app.core.db.read(scope).await?;
    Ok(store::find(&mut tx, id).await?)
}

/// Does a run that this process has taken.
async fn execute(app: &AppState, scope: &TenantScope, run: &RunRow) -> Result<(), Problem> {
    if run.attempts > ATTEMPTS {
        let given_up = json!({ "code": "given_up", "detail": "It failed again and again." });
        return fail(app, scope, run, &given_up).await;
    }
    let done = if run.kind == "sync" {
        sync(app, scope, run).await
    } else {
        import(app, scope, run).await
    };
    match done {
        Ok(()) => Ok(()),
        // Another try may help: the database was away, or the other side was.
        Err(problem)
            if problem.status().is_server_error()
                && (run.kind == "import" || run.attempts < ATTEMPTS) =>
        {
            let mut tx = app.core.db.tenant(scope).await?;
            let pause = TimeDelta::seconds(i64::from(run.attempts) * 20);
            store::release(&mut tx, run, app.core.sources.now() + pause).await?;
            tx.commit().await?;
            Err(problem)
        }
        Err(problem) => fail(app, scope, run, &why(&problem)).await,
    }
}

/// What is kept of a problem.
fn why(problem: &Problem) -> Value {
    let document = problem.document();
    json!({
        "code": document.code, "detail": document.detail.unwrap_or(document.title), "errors": document.errors,
        "rows": document.members.get("rows")
    })
}

async fn fail(
    app: &AppState,
    scope: &TenantScope,
    run: &RunRow,
    error: &Value,
) -> Result<(), Problem> {
    let mut tx = app.core.db.tenant(scope).await?;
    store::finish(&mut tx, run, Err(error), app.core.sources.now()).await?;
    Ok(tx.commit().await?)
}

/// Loads a file that was brought.
async fn import(app: &AppState, scope: &TenantScope, run: &RunRow) -> Result<(), Problem> {
    let plan: Plan =
        serde_json::from_value(run.plan.clone().unwrap_or_default()).map_err(Problem::internal)?;
    let upload = Upload {
        db: &app.core.db,
        scope,
        run: run.id,
    };
    let mut loader = Loader::begin(app, scope, run, &plan)?;
    let mut n = 0;
    while let Some(piece) = upload.piece(n).await? {
        loader.take(&piece).await?;
        still_mine(app, scope, run, (None, loader.rows())).await?;
        n += 1;
    }
    loader.finish(run).await
}

/// Says how far the run is, in a transaction of its own.
async fn still_mine(
    app: &AppState,
    scope: &TenantScope,
    run: &RunRow,
    rows: (Option<i64>, i64),
) -> Result<(), Problem> {
    let mut tx = app.core.db.tenant(scope).await?;
    let mine = store::progress(&mut tx, run, rows, app.core.sources.now() + LEASE).await?;
    tx.commit().await?;
    if mine {
        Ok(())
    } else {
        Err(Problem::internal("somebody else has the run"))
    }
}

/// Asks an address and loads what it answers.
async fn sync(app: &AppState, scope: &TenantScope, run: &RunRow) -> Result<(), Problem> {
    let mut tx = app.core.db.read(scope).await?;
    let source = source_store::find(&mut tx, run.source_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    drop(tx);
    let (plan, pulled) = pull(app, &source).await?;
    let total = pulled
        .pieces
        .iter()
        .map(|piece| i64::from(piece.rows))
        .sum();
    let mut loader = Loader::begin(app, scope, run, &plan)?;
    for piece in &pulled.pieces {
        loader.take(piece).await?;
        still_mine(app, scope, run, (Some(total), loader.rows())).await?;
    }
    loader.finish(run).await?;
    let mut tx = app.core.db.tenant(scope).await?;
    let source = source_store::lock(&mut tx, run.source_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    source_store::schedule(&mut tx, source.id, source.next_sync_at, pulled.cursor).await?;
    Ok(tx.commit().await?)
}

/// Asks the address of a source, and makes the plan for what it answers.
pub(crate) async fn pull(app: &AppState, source: &SourceRow) -> Result<(Plan, Pulled), Problem> {
    let pull = source.pull.as_ref().ok_or_else(brought)?;
    let headers = match &source.sealed {
        Some(sealed) => {
            let plain = app
                .sources
                .sealer
                .open(source.id.as_bytes(), sealed)
                .map_err(Problem::internal)?;
            headers(&plain)?
        }
        None => http::HeaderMap::new(),
    };
    let connector = HttpPull {
        egress: &app.sources.egress,
        pull,
        reading: &source.reading,
        headers,
        today: app.core.sources.now().date_naive(),
        most: MOST_ANSWER,
    };
    let pulled = connector.pull(source.cursor).await?;
    let plan = Plan::new(
        &source.dataset,
        source.reading.0.clone(),
        pulled.header.clone(),
    )?;
    Ok((plan, pulled))
}
