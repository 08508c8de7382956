//! The search by meaning: vectors of texts, made by the AI orchestrator. Without it the text is searched all the same.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use bz_auth::ServiceTokens;
use bz_http::client::Sibling;
use bz_kernel::{TenantId, platform};
use bz_service::{Core, Job};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{query_as, query_scalar};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Up to so many vectors a tenant's are all compared.
const EXACT_BELOW: i32 = 20_000;
/// Texts that are embedded in one call.
const BATCH: i32 = 128;
/// How often the queue is looked at when it was empty, and the pause after a failure.
const POLL: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(15);
/// When somebody else may take a document that nobody came back with.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How long a search waits for its vector, and the job for a batch.
const SEARCH_PATIENCE: Duration = Duration::from_millis(800);
const JOB_PATIENCE: Duration = Duration::from_secs(30);

/// Where vectors come from.
#[derive(Clone)]
pub(crate) struct Meaning {
    /// The model that makes them.
    pub model: String,
    /// Up to so many vectors a tenant's are all compared.
    pub exact_below: i32,
    tokens: ServiceTokens,
    quick: Sibling,
    patient: Sibling,
}

#[derive(Serialize)]
struct Request<'a> {
    input: &'a [String],
    model: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    model: String,
    embeddings: Vec<Vec<f32>>,
}

impl Meaning {
    /// Vectors of this model.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(crate) fn new(core: &Core, model: String) -> anyhow::Result<Self> {
        let ai = &platform::AI_ORCHESTRATOR;
        let sibling = |patience| {
            Sibling::with_timeout(ai.name, core.siblings.of(ai), &core.sources, patience)
        };
        Ok(Self {
            model,
            exact_below: EXACT_BELOW,
            tokens: core.tokens.clone(),
            quick: sibling(SEARCH_PATIENCE)?,
            patient: sibling(JOB_PATIENCE)?,
        })
    }

    /// The vector of a query; none when there is no way to one now.
    pub(super) async fn vector(&self, query: &str) -> Option<String> {
        match self.vectors(&self.quick, &[query.to_owned()]).await {
            Ok(vectors) => vectors.into_iter().next(),
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "no search by meaning");
                None
            }
        }
    }

    async fn vectors(&self, sibling: &Sibling, input: &[String]) -> anyhow::Result<Vec<String>> {
        let token = self.tokens.get().await?;
        let request = Request {
            input,
            model: &self.model,
        };
        let call = sibling
            .post("/internal/embeddings")
            .bearer(&token)
            .json(&request);
        let answer: Answer = call.send().await?;
        let whole = answer.model == self.model && answer.embeddings.len() == input.len();
        anyhow::ensure!(whole, "the vectors are not those that were asked for");
        Ok(answer
            .embeddings
            .iter()
            .map(|vector| literal(vector))
            .collect())
    }
}

/// A vector as Postgres reads it.
fn literal(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// The job that makes the vectors of what was written.
pub(crate) fn job(core: &Core, meaning: Meaning) -> Job {
    let core = core.clone();
    Job::new("search-embeddings", async move |stop| {
        follow(&core, &meaning, &stop).await;
        Ok(())
    })
}

async fn follow(core: &Core, meaning: &Meaning, stop: &CancellationToken) {
    let mut outdated = true;
    while !stop.is_cancelled() {
        let turn = async {
            // Only after a start can there be vectors of another model.
            if outdated {
                outdated = queue_outdated(core, &meaning.model).await? > 0;
            }
            embed_due(core, meaning).await
        };
        let pause = match turn.await {
            Ok(0) if !outdated => POLL,
            Ok(_) => continue,
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "vectors wait");
                PAUSE
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

async fn queue_outdated(core: &Core, model: &str) -> Result<i64, DbError> {
    let mut tx = core.db.system().await?;
    let queued =
        query_scalar("-- crm.search.embeddings_outdated\nSELECT crm.embeddings_outdated($1, 1000)");
    let queued = queued.bind(model).fetch_one(tx.conn()).await?;
    tx.commit().await?;
    Ok(queued)
}

/// Takes a batch of documents, and stores their vectors tenant by tenant. Answers how many were taken.
async fn embed_due(core: &Core, meaning: &Meaning) -> anyhow::Result<usize> {
    let now = core.sources.now();
    let lease = now + LEASE;
    let mut tx = core.db.system().await?;
    let due: Vec<(Uuid, String, Uuid)> = query_as(
        "-- crm.search.embeddings_due\nSELECT tenant_id, record_type, record_id FROM crm.embeddings_due($1, $2, $3)",
    )
    .bind(now)
    .bind(lease)
    .bind(BATCH)
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    let taken = due.len();
    let mut tenants: BTreeMap<Uuid, (Vec<String>, Vec<Uuid>)> = BTreeMap::new();
    for (tenant, record_type, id) in due {
        let of_tenant = tenants.entry(tenant).or_default();
        of_tenant.0.push(record_type);
        of_tenant.1.push(id);
    }
    for (tenant, documents) in tenants {
        #[expect(
            clippy::disallowed_methods,
            reason = "the tenant of a row of this service, which its function answers"
        )]
        let scope = TenantScope::new(TenantId::trusted(tenant), None);
        let texts = texts(core, &scope, documents).await?;
        if !texts.is_empty() {
            embed(core, meaning, &scope, texts, (now, lease)).await?;
        }
    }
    Ok(taken)
}

/// The texts of a tenant's documents: type, id, text.
async fn texts(
    core: &Core,
    scope: &TenantScope,
    (types, ids): (Vec<String>, Vec<Uuid>),
) -> Result<Vec<(String, Uuid, String)>, DbError> {
    let mut tx = core.db.read(scope).await?;
    let texts = query_as(
        "-- crm.search.embedding_texts\nSELECT record_type, record_id, text FROM crm.embedding_texts($1, $2)",
    )
    .bind(types)
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    Ok(texts)
}

/// Makes the vectors of a tenant's texts, while no transaction is open, and stores them.
async fn embed(
    core: &Core,
    meaning: &Meaning,
    scope: &TenantScope,
    texts: Vec<(String, Uuid, String)>,
    (now, lease): (DateTime<Utc>, DateTime<Utc>),
) -> anyhow::Result<()> {
    let input: Vec<String> = texts.iter().map(|(_, _, text)| text.clone()).collect();
    let vectors = meaning.vectors(&meaning.patient, &input).await;
    let vectors = vectors.context("no vectors")?;
    let documents = texts.into_iter().map(|(kind, id, _)| (kind, id));
    let (types, ids): (Vec<String>, Vec<Uuid>) = documents.unzip();
    let stored = async |tx: &mut TenantTx| {
        let stored: i64 = query_scalar(
            "-- crm.search.embeddings_store\nSELECT crm.embeddings_store($1, $2, $3, $4, $5, $6)",
        )
        .bind(types)
        .bind(ids)
        .bind(&meaning.model)
        .bind(vectors)
        .bind(now)
        .bind(lease)
        .fetch_one(tx.conn())
        .await?;
        Ok::<i64, DbError>(stored)
    };
    core.db.run("crm.search.embed", scope, stored).await?;
    Ok(())
}
