//! What is done for each tenant once a day: outcomes that follow from the state of leads, drift, trainings that are due,
//! and scores that fade with time.

use bz_kernel::TenantId;
use bz_scoring::{Drift, DriftStatus, Model, Needs};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;
use sqlx::{query, query_scalar, types::Json};

use super::{
    outcomes, rescore,
    settings::{self, Setup, StoredDrift},
    subject::{self, Subject, Which},
    training,
};
use crate::app::AppState;

/// Newest leads that are compared with those of training.
const RECENT: i64 = 2_000;
/// Fewest of them for a comparison, and fewest with an outcome for a base rate.
const FEWEST: usize = 50;
/// Growth of the number of outcomes after which a model is trained anew.
const GROWTH: f64 = 1.2;

/// Has the tenant looked at each night from now on; nothing when it is already so, or when there are no leads.
pub(crate) async fn begin(app: &AppState, tx: &mut TenantTx) -> Result<(), DbError> {
    query(
        "-- crm.scoring_work.begin\n\
         INSERT INTO crm.scoring_work (kind, due_at) SELECT 'nightly', $1 WHERE EXISTS (SELECT FROM crm.leads) \
         ON CONFLICT ON CONSTRAINT scoring_work_pkey DO NOTHING",
    )
    .bind(app.core.sources.now() + TimeDelta::hours(1))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The nightly work of a tenant.
pub(crate) async fn run(app: &AppState, tenant: TenantId) -> anyhow::Result<()> {
    let scope = TenantScope::new(tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let setup = settings::fresh(app, &mut tx).await?;
    let model = setup.model(app, &mut tx).await?;
    let hours = setup.settings.as_of_hours;
    let recent = subject::as_known(&mut tx, Which::Newest(RECENT), hours).await?;
    drop(tx);
    let drift = match model {
        Some(model) if recent.len() >= FEWEST => {
            let setup = setup.clone();
            let work = move || drift(&setup, &model, &recent);
            Some(app.scoring.compute.run(work).await?)
        }
        _ => None,
    };
    outcomes::derive_all(app, &scope, &setup.settings).await?;
    let mut tx = app.core.db.tenant(&scope).await?;
    keep(app, &mut tx, &setup, drift.as_ref()).await?;
    if let Some(reason) = due(app, &mut tx, &setup, drift.as_ref()).await? {
        training::order(app, &mut tx, reason, None).await?;
    }
    rescore::order(&mut tx, app.core.sources.now()).await?;
    again(app, &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Compares the newest leads with those of training, and the share of won ones where it is known.
fn drift(setup: &Setup, model: &Model, recent: &[Subject]) -> Drift {
    let horizon = setup.settings.horizon_days;
    let data = |leads: &mut dyn Iterator<Item = &Subject>| {
        let mut builder = setup.plan.builder();
        for lead in leads {
            let won = training::won(lead, horizon);
            builder.push(&setup.plan.row(lead), won, lead.created_at.timestamp());
        }
        builder.finish()
    };
    let all = model.drift(&data(&mut recent.iter()), false);
    let ended = data(&mut recent.iter().filter(|lead| lead.outcome.is_some()));
    if ended.len() < FEWEST {
        return all;
    }
    let ended = model.drift(&ended, true);
    // The scores of all leads tell whether they have changed, the outcomes of some whether the base rate has.
    let rate = ended.base_rate_recent.unwrap_or(all.base_rate_train);
    let factor = rate.max(1e-4) / all.base_rate_train.max(1e-4);
    let moved = !(1.0 / 1.5..=1.5).contains(&factor);
    Drift {
        base_rate_recent: ended.base_rate_recent,
        status: if moved {
            DriftStatus::Retrain
        } else {
            all.status
        },
        ..all
    }
}

/// Why a training is due, if one is.
async fn due(
    app: &AppState,
    tx: &mut TenantTx,
    setup: &Setup,
    drift: Option<&Drift>,
) -> Result<Option<&'static str>, DbError> {
    if setup.settings.retrain_days == 0 {
        return Ok(None);
    }
    let (won, lost): (i64, i64) = sqlx::query_as(
        "-- crm.leads.outcomes\n\
         SELECT count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost') \
         FROM crm.leads WHERE outcome IS NOT NULL AND deleted_at IS NULL",
    )
    .fetch_one(tx.conn())
    .await?;
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    if !Needs::of(count(won), count(lost)).nothing() {
        return Ok(None);
    }
    let Some(active) = &setup.active else {
        return Ok(Some("first"));
    };
    let learned = active.card.report.as_ref().map_or(0, |report| report.rows);
    let now = app.core.sources.now();
    Ok(
        if drift.is_some_and(|drift| drift.status == DriftStatus::Retrain) {
            Some("drift")
        } else if (won + lost) as f64 >= learned as f64 * GROWTH {
            Some("outcomes")
        } else if setup.next_retrain_at.is_some_and(|at| at <= now) {
            Some("schedule")
        } else {
            None
        },
    )
}

async fn keep(
    app: &AppState,
    tx: &mut TenantTx,
    setup: &Setup,
    drift: Option<&Drift>,
) -> Result<(), DbError> {
    let (Some(drift), Some(active)) = (drift, &setup.active) else {
        return Ok(());
    };
    let stored = StoredDrift {
        drift: drift.clone(),
        at: app.core.sources.now(),
        model: active.version,
    };
    query("-- crm.scoring_settings.drift\nUPDATE crm.scoring_settings SET drift = $1")
        .bind(Json(stored))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Tomorrow again, unless there is nothing to score any more.
async fn again(app: &AppState, tx: &mut TenantTx) -> Result<(), DbError> {
    let any: bool = query_scalar("-- crm.leads.any\nSELECT EXISTS (SELECT FROM crm.leads)")
        .fetch_one(tx.conn())
        .await?;
    if any {
        query("-- crm.scoring_work.again\nUPDATE crm.scoring_work SET due_at = $1 WHERE kind = 'nightly'")
            .bind(app.core.sources.now() + TimeDelta::hours(24))
            .execute(tx.conn())
            .await?;
    } else {
        query("-- crm.scoring_work.end\nDELETE FROM crm.scoring_work")
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}
