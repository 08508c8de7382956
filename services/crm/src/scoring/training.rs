//! Training: a job in a table, one at a time for a tenant. It is held by a lease, so that another process does it again
//! when this one ends; what it makes depends on the leads alone.

use std::time::Duration;

use bz_kernel::{TenantId, UserId};
use bz_scoring::{Dataset, Excluded, Metrics, Model, Report, Trained, train};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query, query_as};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    models::{self, NewModel},
    outcomes, rescore,
    settings::{self, Setup},
    subject::{self, Subject, Which},
};
use crate::app::AppState;

/// Leads read at once.
const PAGE: i64 = 2_000;
/// How long a training is held without a word from the process that does it.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often that process says that it is still at it.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After so many processes have ended over a training, it has failed.
const MOST_ATTEMPTS: i32 = 5;
/// By so much the share of the log loss that a model explains may be lower than its predecessor's.
const TOLERANCE: f64 = 0.005;

/// The model card: what a training learned from and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    pub report: Option<Report>,
    /// When the first and the last of the leads were created.
    pub window: Option<[DateTime<Utc>; 2]>,
    pub horizon_days: u16,
    pub as_of_hours: u16,
    pub positive_outcome: String,
    /// What the model was not shown, and why.
    pub left_out: Vec<Excluded>,
}

/// A training, waiting, running or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, FromRow)]
pub(crate) struct Training {
    /// Its id.
    pub id: Uuid,
    /// `queued`, `running`, `done` or `failed`.
    pub status: String,
    /// Why: `requested`, `schedule`, `outcomes` (a fifth more of them), `drift` or `first`.
    pub reason: String,
    /// The version that it made.
    pub model_version: Option<i32>,
    /// Whether that version is used since; the one before stays when it is better.
    pub activated: Option<bool>,
    /// What came of it, for people.
    pub outcome: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "id, status, reason, model_version, activated, outcome, created_at, started_at, finished_at";

/// Orders a training, or answers the one that waits or runs.
pub(crate) async fn order(
    app: &AppState,
    tx: &mut TenantTx,
    reason: &str,
    by: Option<UserId>,
) -> Result<Training, DbError> {
    query(
        "-- crm.scoring_trainings.insert\n\
         INSERT INTO crm.scoring_trainings (id, reason, requested_by, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant_id) WHERE status IN ('queued', 'running') DO NOTHING",
    )
    .bind(app.core.sources.id::<Uuid>())
    .bind(reason)
    .bind(by.map(UserId::as_uuid))
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await?;
    let sql = format!(
        "-- crm.scoring_trainings.open\nSELECT {COLUMNS} FROM crm.scoring_trainings WHERE status IN ('queued', 'running')"
    );
    Ok(query_as(&sql).fetch_one(tx.conn()).await?)
}

/// One training.
pub(crate) async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Training>, DbError> {
    let sql = format!(
        "-- crm.scoring_trainings.find\nSELECT {COLUMNS} FROM crm.scoring_trainings WHERE id = $1"
    );
    Ok(query_as(&sql).bind(id).fetch_optional(tx.conn()).await?)
}

/// The newest training.
pub(crate) async fn newest(tx: &mut TenantTx) -> Result<Option<Training>, DbError> {
    let sql = format!(
        "-- crm.scoring_trainings.newest\nSELECT {COLUMNS} FROM crm.scoring_trainings ORDER BY id DESC LIMIT 1"
    );
    Ok(query_as(&sql).fetch_optional(tx.conn()).await?)
}

/// Whether a lead was won in time.
pub(crate) fn won(lead: &Subject, horizon_days: u16) -> bool {
    let horizon = TimeDelta::days(horizon_days.into());
    lead.outcome
        .is_some_and(|(won, at)| won && at <= lead.created_at + horizon)
}

/// Leads to learn from.
struct Lessons {
    data: Dataset,
    ids: Vec<Uuid>,
    window: Option<[DateTime<Utc>; 2]>,
}

/// All leads of which the outcome is known, in short transactions.
async fn lessons(app: &AppState, scope: &TenantScope, setup: &Setup) -> Result<Lessons, DbError> {
    let mut builder = setup.plan.builder();
    let (mut ids, mut window): (Vec<Uuid>, Option<[DateTime<Utc>; 2]>) = (Vec::new(), None);
    loop {
        let mut tx = app.core.db.read(scope).await?;
        let which = Which::Ended(ids.last().copied(), PAGE);
        let page = subject::as_known(&mut tx, which, setup.settings.as_of_hours).await?;
        drop(tx);
        for lead in &page {
            let (won, at) = (won(lead, setup.settings.horizon_days), lead.created_at);
            builder.push(&setup.plan.row(lead), won, at.timestamp());
            ids.push(lead.id);
            window = Some(window.map_or([at, at], |[from, to]| [from.min(at), to.max(at)]));
        }
        if (page.len() as i64) < PAGE {
            break;
        }
    }
    Ok(Lessons {
        data: builder.finish(),
        ids,
        window,
    })
}

/// A training that this process holds.
#[derive(FromRow)]
struct Held {
    id: Uuid,
    attempts: i32,
    reason: String,
}

/// Does a training that was taken.
pub(crate) async fn run(app: &AppState, tenant: TenantId, id: Uuid) -> anyhow::Result<()> {
    let scope = TenantScope::new(tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let held: Option<Held> = query_as(
        "-- crm.scoring_trainings.held\n\
         SELECT id, attempts, reason FROM crm.scoring_trainings WHERE id = $1 AND status = 'running'",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    let Some(held) = held else { return Ok(()) };
    let setup = settings::fresh(app, &mut tx).await?;
    drop(tx);
    if held.attempts > MOST_ATTEMPTS {
        return fail(
            app,
            &scope,
            &held,
            "It was begun several times and never ended.",
        )
        .await;
    }
    let work = work(app, &scope, &setup, &held);
    let beating = async {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            if let Err(error) = beat(app, &scope, &held).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a training could not be held on to");
            }
        }
    };
    tokio::select! {
        done = work => match done {
            Ok(()) => Ok(()),
            // Left to the lease: it is done again once the database answers.
            Err(error) if matches!(error.downcast_ref(), Some(DbError::Unavailable(_))) => Err(error),
            Err(error) => {
                fail(app, &scope, &held, "It could not be done; the log says why.").await?;
                Err(error)
            }
        },
        () = beating => Ok(()),
    }
}

async fn work(
    app: &AppState,
    scope: &TenantScope,
    setup: &Setup,
    held: &Held,
) -> anyhow::Result<()> {
    // What just happened counts, also before the worker that follows it has seen it.
    outcomes::derive_all(app, scope, &setup.settings).await?;
    let lessons = lessons(app, scope, setup).await?;
    let (options, data) = (setup.options(), lessons.data);
    let Trained { model, report } = app
        .scoring
        .training
        .run(move || train(data, &options))
        .await?;
    let asked = held.reason == "requested" || held.reason == "first";
    let better = asked || challenge(app, scope, setup, &report, &lessons.ids).await?;
    let bytes = model.as_ref().map(Model::to_bytes).transpose()?;
    let outcome = if better {
        report.mode_reason.clone()
    } else {
        "The model that is used is better on the newest leads and stays.".to_owned()
    };
    let new = NewModel {
        mode: report.mode.into(),
        bytes,
        card: Card {
            report: Some(report),
            window: lessons.window,
            horizon_days: setup.settings.horizon_days,
            as_of_hours: setup.settings.as_of_hours,
            positive_outcome: setup.settings.positive_outcome.clone(),
            left_out: setup.plan.left_out.clone(),
        },
        at: app.core.sources.now(),
    };
    finish(app, scope, setup, held, (new, better, outcome)).await
}

/// Whether a model is better than the one that is used: on the newest leads when their times tell them apart, else by
/// the share of the log loss that both explain in cross-validation.
async fn challenge(
    app: &AppState,
    scope: &TenantScope,
    setup: &Setup,
    challenger: &Report,
    ids: &[Uuid],
) -> anyhow::Result<bool> {
    let mut tx = app.core.db.read(scope).await?;
    let Some(champion) = setup.model(app, &mut tx).await? else {
        return Ok(true);
    };
    let newest = ids.get(ids.len() * 4 / 5..).unwrap_or_default();
    let (mut probabilities, mut outcomes) = (Vec::new(), Vec::new());
    for ids in newest.chunks(PAGE as usize) {
        let which = Which::Ids(ids);
        for lead in subject::as_known(&mut tx, which, setup.settings.as_of_hours).await? {
            probabilities.push(champion.probability(&setup.plan.row(&lead)));
            outcomes.push(won(&lead, setup.settings.horizon_days));
        }
    }
    let champion = Metrics::of(&probabilities, &outcomes);
    let former = setup.active.as_ref().and_then(|active| {
        let report = active.card.report.as_ref()?;
        report.metrics
    });
    Ok(wins(challenger, champion, former))
}

/// `champion` is what the model in use reaches on the newest leads, `former` what it reached when it was trained.
fn wins(challenger: &Report, champion: Option<Metrics>, former: Option<Metrics>) -> bool {
    let explained = |metrics: Metrics| 1.0 - metrics.log_loss / metrics.baseline_log_loss;
    match (challenger.newest, champion, challenger.metrics, former) {
        (Some(new), Some(old), ..) => new.log_loss < old.log_loss,
        (_, _, Some(new), Some(old)) => explained(new) >= explained(old) - TOLERANCE,
        (_, _, Some(_), None) => true,
        (_, _, None, _) => false,
    }
}

async fn finish(
    app: &AppState,
    scope: &TenantScope,
    setup: &Setup,
    held: &Held,
    (new, better, outcome): (NewModel, bool, String),
) -> anyhow::Result<()> {
    let now = new.at;
    let next = (setup.settings.retrain_days > 0)
        .then(|| now + TimeDelta::days(setup.settings.retrain_days.into()));
    let mut tx = app.core.db.tenant(scope).await?;
    // Locks the training, so that of two processes that believe to hold it one writes.
    let done = query(
        "-- crm.scoring_trainings.finish\n\
         UPDATE crm.scoring_trainings SET status = 'done', lease_until = NULL, activated = $3, outcome = $4, finished_at = $5 \
         WHERE id = $1 AND attempts = $2 AND status = 'running'",
    )
    .bind(held.id)
    .bind(held.attempts)
    .bind(better)
    .bind(outcome)
    .bind(now)
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let version = models::insert(&mut tx, new).await?;
    query("-- crm.scoring_trainings.made\nUPDATE crm.scoring_trainings SET model_version = $2 WHERE id = $1")
        .bind(held.id)
        .bind(version)
        .execute(tx.conn())
        .await?;
    query(
        "-- crm.scoring_settings.retrain\n\
         INSERT INTO crm.scoring_settings (next_retrain_at, updated_at) VALUES ($1, $2) \
         ON CONFLICT ON CONSTRAINT scoring_settings_pkey DO UPDATE SET next_retrain_at = excluded.next_retrain_at",
    )
    .bind(next)
    .bind(now)
    .execute(tx.conn())
    .await?;
    if better {
        models::activate(&mut tx, version).await?;
        rescore::order(&mut tx, now).await?;
    }
    tx.commit().await?;
    app.scoring.forget(scope.tenant());
    Ok(())
}

async fn fail(app: &AppState, scope: &TenantScope, held: &Held, why: &str) -> anyhow::Result<()> {
    let mut tx = app.core.db.tenant(scope).await?;
    query(
        "-- crm.scoring_trainings.fail\n\
         UPDATE crm.scoring_trainings SET status = 'failed', lease_until = NULL, outcome = $3, finished_at = $4 \
         WHERE id = $1 AND attempts = $2 AND status = 'running'",
    )
    .bind(held.id)
    .bind(held.attempts)
    .bind(why)
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await?;
    Ok(tx.commit().await?)
}

async fn beat(app: &AppState, scope: &TenantScope, held: &Held) -> Result<(), DbError> {
    let mut tx = app.core.db.tenant(scope).await?;
    query(
        "-- crm.scoring_trainings.beat\n\
         UPDATE crm.scoring_trainings SET lease_until = $3 WHERE id = $1 AND attempts = $2 AND status = 'running'",
    )
    .bind(held.id)
    .bind(held.attempts)
    .bind(app.core.sources.now() + LEASE)
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
