use std::collections::BTreeMap;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Problem, Versioned};
use bz_scoring::{Drift, DriftStatus, FeatureReport, Kind, Metrics, Needs, Report, Tendency};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::query_as;
use utoipa::ToSchema;

use super::ScoringRead;
use crate::{
    app::AppState,
    scoring::{
        ScoreMode,
        settings::{self, Active, Grades, Settings, Setup, StoredDrift},
        training::{self, Card, Training},
    },
};

/// How leads are scored: the model card and the settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ScoringModel {
    /// How scores are made.
    mode: ScoreMode,
    /// Why this mode and no other.
    mode_reason: String,
    /// The version that is used: `2026-09-20.3`, or that of the rules.
    version: String,
    /// When it was trained.
    trained_at: Option<DateTime<Utc>>,
    /// When it is trained again at the latest.
    next_retrain_at: Option<DateTime<Utc>>,
    /// What it learned from.
    training: Option<Learned>,
    /// How good it is on leads that it had not seen.
    metrics: Option<Measured>,
    /// What was said and what came of it.
    calibration: Vec<Bin>,
    /// What it looks at, most important first, and what it must not look at.
    features: Vec<Feature>,
    /// What has changed since it was trained; looked at each night.
    drift: Option<DriftFound>,
    /// Least scores of the grades.
    thresholds: Grades,
    /// What is missing for a model.
    needs: Missing,
    /// What the tenant has set.
    settings: Settings,
    /// The newest training.
    last_training: Option<Training>,
}

/// What a model learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Learned {
    /// Leads with an outcome.
    rows: usize,
    /// Won ones.
    positives: usize,
    /// Lost ones.
    negatives: usize,
    /// When the first and the last of them were created.
    window: Option<[DateTime<Utc>; 2]>,
    /// Days within which a lead had to be won.
    horizon_days: u16,
    /// Hours after their creation of which something was known.
    as_of_hours: u16,
}

/// How good probabilities are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Measured {
    /// Share of pairs of a won and a lost lead in which the won one has the higher score.
    roc_auc: f64,
    /// Average precision.
    pr_auc: f64,
    /// Mean squared error of the probability.
    brier: f64,
    /// Mean negative log-likelihood.
    log_loss: f64,
    /// Expected calibration error.
    ece: f64,
    /// Share of won leads in the top tenth over the share in all.
    lift_top10: f64,
    /// Log loss of always giving the share of won leads.
    baseline_log_loss: f64,
    /// On which leads: `newest 20 %`, or `cross-validation` when their times do not tell them apart.
    evaluated_on: String,
    /// How many leads.
    n: usize,
}

/// Leads with similar probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Bin {
    /// Number of the bin, from 0.
    bin: usize,
    /// Mean probability.
    predicted: f64,
    /// Share of won leads.
    observed: f64,
    /// How many leads.
    n: usize,
}

/// A field of leads, as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Feature {
    /// Its name.
    name: String,
    /// The same for people.
    label: String,
    /// `number`, `flag`, `category` or `tags`; none for one that is excluded.
    r#type: Option<String>,
    /// Mean size of its contribution to the log-odds.
    importance: f64,
    /// Whether more of it means a higher or lower score; none for words.
    direction: Option<String>,
    /// Share of leads of which it is not known.
    missing_rate: Option<f64>,
    /// How much its values have changed since the training (population stability index).
    psi: Option<f64>,
    /// Whether the model must not read it.
    excluded: bool,
    /// Why not.
    excluded_because: Option<String>,
}

/// What has changed since the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DriftFound {
    /// Population stability index of the score.
    score_psi: f64,
    /// Share of won leads in training.
    base_rate_train: f64,
    /// Share of won ones among the newest leads with an outcome.
    base_rate_recent: Option<f64>,
    /// `stable`, `watch` or `retrain`.
    status: String,
    /// When it was looked at.
    at: DateTime<Utc>,
}

/// What is missing for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Missing {
    /// Leads with an outcome.
    labelled_more: usize,
    /// Won ones.
    positives_more: usize,
    /// Lost ones.
    negatives_more: usize,
}

/// How leads are scored.
///
/// The card of the model that is used, with numbers on leads that it had not seen, and the settings.
#[utoipa::path(
    get, path = "/api/scoring/model", tag = "scoring",
    security(("bearer" = ["scoring:read"])),
    responses(
        (status = 200, description = "The model card", body = ScoringModel,
         headers(("ETag" = String, description = "Version of the settings"))),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn get_scoring_model(
    State(app): State<AppState>,
    caller: Can<ScoringRead>,
) -> Result<Versioned<ScoringModel>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let setup = settings::fresh(&app, &mut tx).await?;
    Ok(answer(&app, &mut tx, &setup).await?)
}

/// The card of the model that is used.
pub(super) async fn answer(
    app: &AppState,
    tx: &mut TenantTx,
    setup: &Setup,
) -> Result<Versioned<ScoringModel>, DbError> {
    let model = setup.model(app, tx).await?;
    let scorer = crate::scoring::assess::Scorer {
        setup,
        model: model.as_deref(),
        now: app.core.sources.now(),
    };
    let active = setup.active.as_ref();
    let report = active.and_then(|active| active.card.report.as_ref());
    let drift = setup
        .drift
        .as_ref()
        .filter(|stored| active.is_some_and(|active| active.version == stored.model));
    let thresholds = setup.settings.thresholds_of(scorer.mode());
    let body = ScoringModel {
        mode: scorer.mode(),
        mode_reason: scorer.reason(),
        version: scorer.version().to_owned(),
        trained_at: active.map(|active| active.trained_at),
        next_retrain_at: setup.next_retrain_at,
        training: active.and_then(learned),
        metrics: report.and_then(measured),
        calibration: report.map(bins).unwrap_or_default(),
        features: features(setup, report, drift.map(|stored| &stored.drift)),
        drift: drift.map(DriftFound::from),
        thresholds: Grades {
            A: thresholds.a,
            B: thresholds.b,
            C: thresholds.c,
        },
        needs: needs(tx).await?,
        settings: setup.settings.clone(),
        last_training: training::newest(tx).await?,
    };
    Ok(Versioned(setup.version, body))
}

fn learned(active: &Active) -> Option<Learned> {
    let card: &Card = &active.card;
    let report = card.report.as_ref()?;
    Some(Learned {
        rows: report.rows,
        positives: report.positives,
        negatives: report.negatives,
        window: card.window,
        horizon_days: card.horizon_days,
        as_of_hours: card.as_of_hours,
    })
}

fn measured(report: &Report) -> Option<Measured> {
    let newest = report.newest.map(|metrics| (metrics, "newest 20 %"));
    let all = report.metrics.map(|metrics| (metrics, "cross-validation"));
    let (metrics, evaluated_on): (Metrics, &str) = newest.or(all)?;
    Some(Measured {
        roc_auc: metrics.roc_auc,
        pr_auc: metrics.pr_auc,
        brier: metrics.brier,
        log_loss: metrics.log_loss,
        ece: metrics.ece,
        lift_top10: metrics.lift_top10,
        baseline_log_loss: metrics.baseline_log_loss,
        evaluated_on: evaluated_on.to_owned(),
        n: metrics.n,
    })
}

fn bins(report: &Report) -> Vec<Bin> {
    let bins = report.calibration.iter().enumerate();
    bins.map(|(bin, found)| Bin {
        bin,
        predicted: found.predicted,
        observed: found.observed,
        n: found.n,
    })
    .collect()
}

fn features(setup: &Setup, report: Option<&Report>, drift: Option<&Drift>) -> Vec<Feature> {
    let psi: BTreeMap<&str, f64> = drift
        .into_iter()
        .flat_map(|drift| drift.fields.iter().map(|(name, psi)| (name.as_str(), *psi)))
        .collect();
    let read = report.into_iter().flat_map(|report| &report.features);
    let mut features: Vec<Feature> = read
        .map(|feature| Feature {
            label: setup.plan.label(&feature.field),
            psi: psi.get(feature.field.as_str()).copied(),
            ..Feature::from(feature)
        })
        .collect();
    let unread = report.into_iter().flat_map(|report| &report.excluded);
    for excluded in setup.plan.left_out.iter().chain(unread) {
        if features
            .iter()
            .any(|known| known.excluded && known.name == excluded.field)
        {
            continue;
        }
        features.push(Feature {
            name: excluded.field.clone(),
            label: setup.plan.label(&excluded.field),
            r#type: None,
            importance: 0.0,
            direction: None,
            missing_rate: None,
            psi: None,
            excluded: true,
            excluded_because: Some(excluded.why.clone()),
        });
    }
    features
}

impl From<&FeatureReport> for Feature {
    fn from(found: &FeatureReport) -> Self {
        let kind = match found.kind {
            Kind::Number => "number",
            Kind::Flag => "flag",
            Kind::Category => "category",
            Kind::Tags => "tags",
        };
        let direction = found.direction.map(|direction| match direction {
            Tendency::Positive => "positive",
            Tendency::Negative => "negative",
        });
        Self {
            name: found.field.clone(),
            label: String::new(),
            r#type: Some(kind.to_owned()),
            importance: found.importance,
            direction: direction.map(ToOwned::to_owned),
            missing_rate: Some(found.missing_rate),
            psi: None,
            excluded: false,
            excluded_because: None,
        }
    }
}

impl From<&StoredDrift> for DriftFound {
    fn from(stored: &StoredDrift) -> Self {
        let status = match stored.drift.status {
            DriftStatus::Stable => "stable",
            DriftStatus::Watch => "watch",
            DriftStatus::Retrain => "retrain",
        };
        Self {
            score_psi: stored.drift.score_psi,
            base_rate_train: stored.drift.base_rate_train,
            base_rate_recent: stored.drift.base_rate_recent,
            status: status.to_owned(),
            at: stored.at,
        }
    }
}

async fn needs(tx: &mut TenantTx) -> Result<Missing, DbError> {
    let (won, lost): (i64, i64) = query_as(
        "-- crm.leads.outcomes\n\
         SELECT count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost') \
         FROM crm.leads WHERE outcome IS NOT NULL AND deleted_at IS NULL",
    )
    .fetch_one(tx.conn())
    .await?;
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    let needs = Needs::of(count(won), count(lost));
    Ok(Missing {
        labelled_more: needs.labelled_more,
        positives_more: needs.positives_more,
        negatives_more: needs.negatives_more,
    })
}
