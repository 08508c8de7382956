//! Scores on the leads themselves, which lists show and sort by, and their history.

use std::sync::Arc;

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_scoring::Model;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{
    answer::ScoreMode,
    assess::{Bare, Scorer},
    nightly, outcomes,
    settings::{self, Setup},
    subject::{self, Subject, Which},
};
use crate::app::AppState;

/// Leads of one transaction.
pub(crate) const BATCH: i64 = 1_000;
/// How long work is held before another process takes it over.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Scores to write.
struct Scores {
    leads: Vec<Uuid>,
    bare: Vec<Bare>,
    mode: ScoreMode,
    version: String,
}

/// Scores these leads as they are now and writes the scores down. Changes neither their versions nor their history of
/// changes.
pub(crate) async fn leads(app: &AppState, tenant: TenantId, ids: &[Uuid]) -> anyhow::Result<()> {
    let scope = TenantScope::new(tenant, None);
    for ids in ids.chunks(BATCH as usize) {
        let scores = score(app, &scope, Which::Ids(ids)).await?;
        let mut tx = app.core.db.tenant(&scope).await?;
        write(app, &mut tx, scores).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The same in a transaction that is there: of at most [`BATCH`] leads, which takes milliseconds.
pub(crate) async fn within(app: &AppState, tx: &mut TenantTx, ids: &[Uuid]) -> anyhow::Result<()> {
    let read = read(app, tx, Which::Ids(ids)).await?;
    let scores = read.scored(app).await?;
    Ok(write(app, tx, scores).await?)
}

async fn score(app: &AppState, scope: &TenantScope, which: Which<'_>) -> anyhow::Result<Scores> {
    let mut tx = app.core.db.read(scope).await?;
    let read = read(app, &mut tx, which).await?;
    drop(tx);
    read.scored(app).await
}

/// Leads, and what they are scored by.
struct Read {
    setup: Arc<Setup>,
    model: Option<Arc<Model>>,
    subjects: Vec<Subject>,
}

async fn read(app: &AppState, tx: &mut TenantTx, which: Which<'_>) -> Result<Read, DbError> {
    let setup = settings::setup(app, tx).await?;
    Ok(Read {
        model: setup.model(app, tx).await?,
        subjects: subject::current(tx, which, setup.settings.as_of_hours).await?,
        setup,
    })
}

impl Read {
    async fn scored(self, app: &AppState) -> anyhow::Result<Scores> {
        let now = app.core.sources.now();
        let score = move || {
            let scorer = Scorer {
                setup: &self.setup,
                model: self.model.as_deref(),
                now,
            };
            Scores::of(scorer, &self.subjects)
        };
        app.scoring.compute.run(score).await
    }
}

impl Scores {
    fn of(scorer: Scorer<'_>, subjects: &[Subject]) -> Self {
        Self {
            leads: subjects.iter().map(|subject| subject.id).collect(),
            bare: subjects.iter().map(|lead| scorer.bare(lead)).collect(),
            mode: scorer.mode(),
            version: scorer.version().to_owned(),
        }
    }
}

/// Writes scores on the leads, and into the history where they differ from those before.
async fn write(app: &AppState, tx: &mut TenantTx, scores: Scores) -> Result<(), DbError> {
    if scores.leads.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = scores.leads.iter().map(|_| app.core.sources.id()).collect();
    let points: Vec<i16> = scores.bare.iter().map(|bare| bare.score).collect();
    let grades: Vec<&str> = scores.bare.iter().map(|bare| bare.grade.as_str()).collect();
    let probabilities: Vec<f64> = scores.bare.iter().map(|bare| bare.probability).collect();
    query(
        "-- crm.lead_scores.write\n\
         WITH made AS ( \
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::double precision[]) \
             AS t (lead_id, id, score, grade, probability) \
         ), old AS ( \
           SELECT l.id, l.score, l.score_mode, l.grade FROM crm.leads AS l WHERE l.id = ANY($1) ORDER BY l.id FOR UPDATE \
         ), noted AS ( \
           INSERT INTO crm.lead_scores (lead_id, id, score, grade, probability, mode, model_version, scored_at) \
           SELECT m.lead_id, m.id, m.score, m.grade, m.probability, $6, $7, $8 FROM made AS m JOIN old AS o ON o.id = m.lead_id \
           WHERE (o.score, o.score_mode, o.grade) IS DISTINCT FROM (m.score, $6, m.grade) \
         ) \
         UPDATE crm.leads AS l \
         SET score = m.score, grade = m.grade, probability = m.probability, score_mode = $6, scored_at = $8 \
         FROM made AS m JOIN old AS o ON o.id = m.lead_id WHERE l.id = m.lead_id",
    )
    .bind(&scores.leads)
    .bind(ids)
    .bind(points)
    .bind(grades)
    .bind(probabilities)
    .bind(scores.mode.as_str())
    .bind(scores.version)
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Why scores could not be made, as an answer.
pub(crate) fn problem(error: anyhow::Error) -> Problem {
    match error.downcast::<DbError>() {
        Ok(error) => error.into(),
        Err(error) => Problem::internal(error),
    }
}

/// Has all leads of the tenant scored anew, soon, and how they ended written down where that follows from their state.
pub(crate) async fn order(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<(), DbError> {
    query(
        "-- crm.scoring_work.order\n\
         INSERT INTO crm.scoring_work (kind, due_at) SELECT 'rescore', $1 WHERE EXISTS (SELECT FROM crm.leads) \
         ON CONFLICT ON CONSTRAINT scoring_work_pkey DO UPDATE \
         SET due_at = excluded.due_at, position = NULL, generation = scoring_work.generation + 1",
    )
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same after leads were written that no event names one by one: those of an import.
pub(crate) async fn imported(app: &AppState, tx: &mut TenantTx) -> Result<(), DbError> {
    nightly::begin(app, tx).await?;
    order(tx, app.core.sources.now()).await
}

/// Scores all leads of a tenant, from where the work was left. Ends early when it was ordered anew or `stopped`.
pub(crate) async fn all(
    app: &AppState,
    tenant: TenantId,
    stopped: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let scope = TenantScope::new(tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let found: Option<(Option<Uuid>, i64)> = query_as(
        "-- crm.scoring_work.position\nSELECT position, generation FROM crm.scoring_work WHERE kind = 'rescore'",
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some((mut position, generation)) = found else {
        return Ok(());
    };
    // The order came with a change of the setup, which this process may not have seen yet.
    let setup = settings::fresh(app, &mut tx).await?;
    drop(tx);
    if position.is_none() {
        outcomes::derive_all(app, &scope, &setup.settings).await?;
    }
    while !stopped() {
        let scores = score(app, &scope, Which::After(position, BATCH)).await?;
        let last = scores.leads.last().copied();
        let mut tx = app.core.db.tenant(&scope).await?;
        if last.is_some() {
            write(app, &mut tx, scores).await?;
        }
        let going_on = advance(app, &mut tx, last, generation).await?;
        tx.commit().await?;
        if !going_on {
            break;
        }
        position = last;
    }
    Ok(())
}

/// Remembers how far the work has come; at the end it is done. Answers whether to go on.
async fn advance(
    app: &AppState,
    tx: &mut TenantTx,
    last: Option<Uuid>,
    generation: i64,
) -> Result<bool, DbError> {
    let Some(last) = last else {
        query("-- crm.scoring_work.done\nDELETE FROM crm.scoring_work WHERE kind = 'rescore' AND generation = $1")
            .bind(generation)
            .execute(tx.conn())
            .await?;
        return Ok(false);
    };
    let moved = query(
        "-- crm.scoring_work.advance\n\
         UPDATE crm.scoring_work SET position = $1, due_at = $2 WHERE kind = 'rescore' AND generation = $3",
    )
    .bind(last)
    .bind(app.core.sources.now() + LEASE)
    .bind(generation)
    .execute(tx.conn())
    .await?;
    Ok(moved.rows_affected() == 1)
}
