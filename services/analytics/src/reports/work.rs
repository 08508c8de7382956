//! The worker: takes reports that are due with a lease, reads their numbers once, makes each file on its own. A process
//! that dies loses no more than the file in hand: the next one goes on with the numbers that were read.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::{Job, retention};
use bz_tenant::{DbError, TenantScope};
use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    answers, deliver,
    document::{Document, Failure},
    files::{self, Made},
    resource::{Format, ReportStatus},
    store::{self, NewFile, ReportRow},
};
use crate::app::AppState;

/// Without a hint, reports are looked for this often.
const POLL: Duration = Duration::from_secs(1);
/// The pause after the database failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Reports in hand at once: each may take a core and some ten megabytes.
const MOST: usize = 2;
/// When a report is taken by somebody else if nothing was heard of it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often it is said that a report is still being made.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a report is taken before it is given up.
const ATTEMPTS: i32 = 5;
/// How long one knows of a report whose files are gone.
const REMEMBERED: TimeDelta = TimeDelta::days(365);

/// How long one knows of a mail that left.
const MAILS_KEPT: TimeDelta = TimeDelta::days(30);

/// The jobs of reports.
pub(super) fn jobs(app: &AppState) -> [Job; 3] {
    let (worker, keeper, mails) = (app.clone(), app.clone(), app.clone());
    let make = Job::new("reports", async move |stop| {
        work(worker, stop).await;
        Ok(())
    });
    let expire = retention::job("retention-reports", move || {
        let app = keeper.clone();
        async move {
            let now = app.core.sources.now();
            store::expire(&app.core.db, now, now - REMEMBERED, retention::BATCH).await
        }
    });
    let forget = retention::job("retention-mails", move || {
        let app = mails.clone();
        async move {
            let before = app.core.sources.now() - MAILS_KEPT;
            store::purge_mails(&app.core.db, before, retention::BATCH).await
        }
    });
    [make, expire, forget]
}

async fn work(app: AppState, stop: CancellationToken) {
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        let free = MOST - running.len();
        let pause = match start(&app, &mut running, free).await {
            Ok(()) => POLL,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "reports wait: the database cannot be asked");
                PAUSE
            }
        };
        let full = running.len() >= MOST;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause), if !full => {}
            () = app.reports.woken(), if !full => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn start(app: &AppState, running: &mut JoinSet<()>, free: usize) -> Result<(), DbError> {
    if free == 0 {
        return Ok(());
    }
    let now = app.core.sources.now();
    for (tenant, id) in store::due(&app.core.db, now, now + LEASE, free).await? {
        let app = app.clone();
        running.spawn(async move { turn(&app, tenant, id).await });
    }
    Ok(())
}

/// Makes a report while saying that it is at it.
async fn turn(app: &AppState, tenant: TenantId, id: Uuid) {
    let scope = TenantScope::new(tenant, None);
    let claims = match claims(app, &scope, id).await {
        Ok(Some(claims)) => claims,
        Ok(None) => return,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            return tracing::warn!(error, report.id = %id, "a report waits: it could not be read");
        }
    };
    let mut making = std::pin::pin!(make(app, &scope, id, claims));
    let made = loop {
        tokio::select! {
            made = &mut making => break made,
            () = tokio::time::sleep(HEARTBEAT) => extend(app, &scope, (id, claims), LEASE).await,
        }
    };
    match made {
        Ok(()) => app.reports.wake(),
        Err(problem) => {
            tracing::warn!(report.id = %id, problem = ?problem, "a report could not be made; it is tried again");
            extend(app, &scope, (id, claims), TimeDelta::seconds(5)).await;
        }
    }
}

async fn claims(app: &AppState, scope: &TenantScope, id: Uuid) -> Result<Option<i64>, DbError> {
    let mut tx = app.core.db.read(scope).await?;
    Ok(store::find(&mut tx, id).await?.map(|row| row.claims))
}

async fn extend(app: &AppState, scope: &TenantScope, claim: (Uuid, i64), by: TimeDelta) {
    let due_at = app.core.sources.now() + by;
    let done = async {
        let mut tx = app.core.db.tenant(scope).await?;
        store::lease(&mut tx, claim, due_at).await?;
        tx.commit().await
    };
    if let Err(error) = done.await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, report.id = %claim.0, "the lease of a report could not be set; it runs out by itself");
    }
}

async fn make(app: &AppState, scope: &TenantScope, id: Uuid, claims: i64) -> Result<(), Problem> {
    let mut tx = app.core.db.read(scope).await?;
    let Some(row) = store::find(&mut tx, id).await? else {
        return Ok(());
    };
    let done = store::files(&mut tx, &[id]).await?;
    let kept = store::document(&mut tx, id).await?;
    drop(tx);
    if row.attempts > ATTEMPTS {
        let why = Failure {
            code: "given_up".to_owned(),
            detail: "It failed again and again.".to_owned(),
        };
        return end(app, scope, &row, claims, Some(why)).await;
    }
    let document = match kept {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(Problem::internal)?,
        None => match read(app, scope, &row, claims).await? {
            Some(document) => document,
            None => return Ok(()),
        },
    };
    for format in row.formats() {
        if done.iter().all(|file| file.format() != Some(format)) {
            file(app, scope, (&row, claims), &document, format).await?;
        }
    }
    end(app, scope, &row, claims, None).await
}

/// Reads the numbers from one snapshot and keeps them; none when somebody else is at it now.
async fn read(
    app: &AppState,
    scope: &TenantScope,
    row: &ReportRow,
    claims: i64,
) -> Result<Option<Document>, Problem> {
    let now = app.core.sources.now();
    let mut tx = app.core.db.snapshot(scope).await?;
    let document = answers::document(&mut tx, now, &row.title, &row.plan).await?;
    drop(tx);
    let bytes = serde_json::to_vec(&document).map_err(Problem::internal)?;
    let mut tx = app.core.db.tenant(scope).await?;
    let facts = (document.data_version, document.as_of);
    let mine = store::keep_document(&mut tx, (row.id, claims), &bytes, facts).await?;
    tx.commit().await?;
    Ok(mine.then_some(document))
}

/// Makes one file. That it cannot be made is told in its place, and the others are made.
async fn file(
    app: &AppState,
    scope: &TenantScope,
    (row, claims): (&ReportRow, i64),
    document: &Document,
    format: Format,
) -> Result<(), Problem> {
    let began = std::time::Instant::now();
    let (made, error) = match apart(document.clone(), format, row.plan.formula_guard).await {
        Ok(made) => (made, None),
        Err(error) => {
            tracing::error!(report.id = %row.id, report.format = format.as_str(), error = %error, "a file of a report could not be made");
            let detail = "This file could not be made. The others are not affected.".to_owned();
            let code = "format_failed".to_owned();
            (Made::nothing(), Some(Failure { code, detail }))
        }
    };
    metrics_of(format, began.elapsed());
    let sha256 = hex::encode(digest(&SHA256, &made.bytes));
    let new = NewFile {
        format,
        content: &made.bytes,
        sha256: &sha256,
        missing_glyphs: &made.missing_glyphs,
        error: error.as_ref(),
    };
    let mut tx = app.core.db.tenant(scope).await?;
    store::keep_file(&mut tx, (row.id, claims), &new, app.core.sources.now()).await?;
    Ok(tx.commit().await?)
}

fn metrics_of(format: Format, took: Duration) {
    metrics::histogram!("report_file_seconds", "format" => format.as_str())
        .record(took.as_secs_f64());
}

/// On a thread of its own, where it holds up no request and a panic is an error.
#[expect(
    clippy::disallowed_methods,
    reason = "bounded: at most as many as reports are in hand"
)]
async fn apart(document: Document, format: Format, formula_guard: bool) -> anyhow::Result<Made> {
    tokio::task::spawn_blocking(move || files::make(&document, format, formula_guard)).await?
}

/// Ends a report, and sends it on its way to who gets it in the same transaction.
async fn end(
    app: &AppState,
    scope: &TenantScope,
    row: &ReportRow,
    claims: i64,
    why: Option<Failure>,
) -> Result<(), Problem> {
    let mut tx = app.core.db.tenant(scope).await?;
    let files = store::files(&mut tx, &[row.id]).await?;
    let any = files.iter().any(|file| file.error.is_none());
    let status = if any && why.is_none() {
        ReportStatus::Succeeded
    } else {
        ReportStatus::Failed
    };
    let nothing = || Failure {
        code: "no_file".to_owned(),
        detail: "None of its files could be made.".to_owned(),
    };
    let why = (status == ReportStatus::Failed).then(|| why.unwrap_or_else(nothing));
    let now = app.core.sources.now();
    if store::finish(&mut tx, (row.id, claims), status, why.as_ref(), now).await? {
        deliver::begin(app, &mut tx, row, status).await?;
        tx.commit().await?;
        bz_events::wake(&app.core.redis, app.core.db.schema());
    }
    Ok(())
}
