//! The job that cuts and embeds documents. A document is due until that is done; whoever takes it has a lease, which goes on with
//! every batch. After a restart it goes on where it was: parts that have their vector keep it.

use std::{sync::Arc, time::Duration};

use bz_service::{Job, Pace};
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::query_as;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    chunks,
    extract::Kind,
    find::literal,
    index::{self, Due},
};
use crate::{
    app::AppState,
    models::{EMBEDDINGS, ModelError},
};

/// How often the queue is looked at when it was empty, and the pause after a failure.
const PACE: Pace = Pace {
    idle: Duration::from_secs(1),
    failed: Duration::from_secs(10),
};
/// Documents that are taken in a turn: few, so that other processes get theirs.
const TAKEN: i32 = 4;
/// When somebody else may take a document that nobody came back with.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Parts that are embedded at once; other requests have their turn between two batches.
const BATCH: i64 = 16;
/// How often a document is tried, and the first pause, which grows.
const TRIES: i32 = 5;
const PAUSE: TimeDelta = TimeDelta::seconds(15);
/// Documents that are queued at once when the model is another one.
const OUTDATED: i32 = 1000;

/// The job.
pub(crate) fn job(app: &AppState) -> Job {
    let app = app.clone();
    let seen = Arc::new(Mutex::new(None));
    Job::in_turns("knowledge", PACE, move |stop| {
        turn(app.clone(), Arc::clone(&seen), stop)
    })
}

/// Why a document is not done.
#[derive(Debug, thiserror::Error)]
enum Undone {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Model(#[from] ModelError),
}

async fn turn(
    app: AppState,
    seen: Arc<Mutex<Option<&'static str>>>,
    stop: CancellationToken,
) -> anyhow::Result<bool> {
    let (db, now) = (&app.core.db, app.core.sources.now());
    let model = app.models.offers(EMBEDDINGS).then_some(EMBEDDINGS);
    let mut seen = seen.lock().await;
    if let Some(model) = model
        && *seen != Some(model)
    {
        // There may be documents without its vectors: of the time before it was there, or of another one.
        while index::outdated(db, model, now, OUTDATED).await? >= i64::from(OUTDATED) {}
    }
    *seen = model;
    // Stored as whole microseconds, and compared with what is stored.
    let lease = now + LEASE;
    let due =
        query_as("-- ai.knowledge.due\nSELECT tenant_id, id FROM ai.knowledge_due($1, $2, $3)");
    let due = db.due(due.bind(now).bind(lease).bind(TAKEN)).await?;
    let mut any = false;
    for (tenant, id) in due {
        any = true;
        let mut work = Work {
            app: &app,
            scope: TenantScope::new(tenant, None),
            id,
            lease,
            model,
        };
        work.index(&stop).await?;
    }
    Ok(any)
}

/// A document under a lease.
struct Work<'a> {
    app: &'a AppState,
    scope: TenantScope,
    id: Uuid,
    lease: DateTime<Utc>,
    model: Option<&'static str>,
}

impl Work<'_> {
    async fn index(&mut self, stop: &CancellationToken) -> Result<(), DbError> {
        let mut tx = self.app.core.db.read(&self.scope).await?;
        let due = index::taken(&mut tx, self.id, self.lease).await?;
        drop(tx);
        let Some(due) = due else { return Ok(()) };
        let attempts = due.attempts;
        match self.steps(due, stop).await {
            Ok(()) => Ok(()),
            Err(Undone::Db(error)) => Err(error),
            Err(Undone::Model(error)) => self.failed(attempts, &error).await,
        }
    }

    async fn steps(&mut self, due: Due, stop: &CancellationToken) -> Result<(), Undone> {
        if !due.chunked && !self.cut(&due).await? {
            return Ok(());
        }
        let mut embedded = self.model;
        while let Some(model) = embedded {
            if stop.is_cancelled() {
                return Ok(self.leave().await?);
            }
            match self.embed(model).await {
                Ok(Some(true)) => {}
                Ok(Some(false)) => break,
                // Another worker's, or replaced.
                Ok(None) => return Ok(()),
                // Unloaded meanwhile: when it is back, the document is queued again.
                Err(Undone::Model(ModelError::NotLoaded)) => embedded = None,
                Err(error) => return Err(error),
            }
        }
        let now = self.app.core.sources.now();
        let mut tx = self.app.core.db.tenant(&self.scope).await?;
        index::done(&mut tx, (self.id, self.lease), embedded, now).await?;
        Ok(tx.commit().await?)
    }

    /// Cuts the text; false when the document is not this worker's any more.
    async fn cut(&mut self, due: &Due) -> Result<bool, DbError> {
        let sources = &self.app.core.sources;
        let cut = chunks::cut(&due.text, Kind::is_markdown(&due.media_type));
        let cut: Vec<_> = cut.into_iter().map(|chunk| (sources.id(), chunk)).collect();
        let later = sources.now() + LEASE;
        let mut tx = self.app.core.db.tenant(&self.scope).await?;
        if !index::goes_on(&mut tx, self.id, (self.lease, later)).await? {
            return Ok(false);
        }
        index::put_chunks(&mut tx, self.id, &cut).await?;
        tx.commit().await?;
        self.lease = later;
        Ok(true)
    }

    /// Embeds a batch, while no transaction is open. False when there was none left, none when the document is not this
    /// worker's any more.
    async fn embed(&mut self, model: &'static str) -> Result<Option<bool>, Undone> {
        let db = &self.app.core.db;
        let mut tx = db.read(&self.scope).await?;
        let chunks = index::without_vector(&mut tx, self.id, model, BATCH).await?;
        drop(tx);
        if chunks.is_empty() {
            return Ok(Some(false));
        }
        let (ids, texts): (Vec<Uuid>, Vec<String>) = chunks.into_iter().unzip();
        let vectors = self.app.models.embed(texts).await?;
        let vectors = vectors.iter().map(|vector| literal(vector));
        let vectors: Vec<(Uuid, String)> = ids.into_iter().zip(vectors).collect();
        let now = self.app.core.sources.now();
        let later = now + LEASE;
        let mut tx = db.tenant(&self.scope).await?;
        if !index::goes_on(&mut tx, self.id, (self.lease, later)).await? {
            return Ok(None);
        }
        index::put_vectors(&mut tx, (model, now), &vectors).await?;
        tx.commit().await?;
        self.lease = later;
        Ok(Some(true))
    }

    /// Another process goes on at once.
    async fn leave(&self) -> Result<(), DbError> {
        let now = self.app.core.sources.now();
        let mut tx = self.app.core.db.tenant(&self.scope).await?;
        index::goes_on(&mut tx, self.id, (self.lease, now)).await?;
        tx.commit().await
    }

    async fn failed(&self, attempts: i32, error: &ModelError) -> Result<(), DbError> {
        let now = self.app.core.sources.now();
        let next = (attempts < TRIES).then(|| now + PAUSE * attempts.max(1));
        let told = error.to_string();
        tracing::warn!(error = told, document.id = %self.id, attempts, "a document is not embedded");
        let mut tx = self.app.core.db.tenant(&self.scope).await?;
        index::failed(&mut tx, (self.id, self.lease), next, &told).await?;
        tx.commit().await
    }
}
