use std::sync::Arc;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Problem, Query, Versioned};
use bz_tenant::{DbError, TenantTx};
use serde::{Deserialize, Serialize};
use sqlx::{query, types::Json as Jsonb};
use utoipa::{IntoParams, ToSchema};

use super::ScoringManage;
use crate::{
    app::AppState,
    scoring::{
        Grade,
        assess::{Bare, Scorer},
        rescore,
        rule_set::{Rule, RuleSet},
        settings::{self, Setup},
        subject::{self, Which},
    },
};

/// Leads that a trial looks at.
const TRIAL: i64 = 2_000;

/// Whether to try.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PutRules {
    /// Only try the rules on the newest leads, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The rules, and what they would make of the newest leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct RulesPut {
    /// Probability of a lead of which nothing is known: above 0, below 1.
    base_probability: f64,
    /// The rules. Of those with the same feature the first that holds counts.
    #[schema(max_items = 200)]
    rules: Vec<Rule>,
    /// Whether they were only tried.
    dry_run: bool,
    /// Scores of the newest 2,000 leads under these rules.
    distribution: Distribution,
}

/// How scores are spread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Distribution {
    /// How many leads were looked at.
    leads: usize,
    /// Leads with 0 to 9 points, 10 to 19, .. 90 to 100.
    scores: [usize; 10],
    /// Leads of each grade, A to D.
    grades: [usize; 4],
    /// Mean probability.
    mean_probability: Option<f64>,
}

/// Replace the rules by which leads are scored without a model.
///
/// With `dry_run=true` they are only tried. Otherwise all leads are scored anew, unless a model scores them.
#[utoipa::path(
    put, path = "/api/scoring/rules", tag = "scoring",
    security(("bearer" = ["scoring:manage"])),
    params(PutRules, IfMatch),
    request_body = RuleSet,
    responses(
        (status = 200, description = "The rules and how they spread the newest leads", body = RulesPut,
         headers(("ETag" = String, description = "Version of the settings"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_scoring_rules(
    State(app): State<AppState>,
    caller: Can<ScoringManage>,
    Query(query): Query<PutRules>,
    if_match: IfMatch,
    Json(rules): Json<RuleSet>,
) -> Result<Versioned<RulesPut>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let before = settings::fresh(&app, &mut tx).await?;
    if_match.check(before.version)?;
    let distribution = tried(&app, tx, &before, &rules).await?;
    let mut version = before.version;
    if !query.dry_run {
        let mut tx = app.core.db.tenant(&caller.scope).await?;
        super::patch_model::lock(&app, &mut tx).await?;
        if_match.check(settings::fresh(&app, &mut tx).await?.version)?;
        save(&app, &mut tx, &rules).await?;
        version = settings::fresh(&app, &mut tx).await?.version;
        rescore::order(&mut tx, app.core.sources.now()).await?;
        tx.commit().await?;
        app.scoring.forget(caller.tenant());
    }
    let body = RulesPut {
        base_probability: rules.base_probability,
        rules: rules.rules,
        dry_run: query.dry_run,
        distribution,
    };
    Ok(Versioned(version, body))
}

/// Scores the newest leads by these rules.
async fn tried(
    app: &AppState,
    mut tx: TenantTx,
    setup: &Setup,
    rules: &RuleSet,
) -> Result<Distribution, Problem> {
    let which = Which::Newest(TRIAL);
    let leads = subject::current(&mut tx, which, setup.settings.as_of_hours).await?;
    drop(tx);
    let now = app.core.sources.now();
    let trial = setup.with_rules(Arc::new(rules.clone()));
    let work = move || {
        let scorer = Scorer {
            setup: &trial,
            model: None,
            now,
        };
        Distribution::of(leads.iter().map(|lead| scorer.bare(lead)))
    };
    app.scoring
        .compute
        .run(work)
        .await
        .map_err(Problem::internal)
}

impl Distribution {
    fn of(scores: impl Iterator<Item = Bare>) -> Self {
        let (mut found, mut sum) = (Self::default(), 0.0);
        for bare in scores {
            found.leads += 1;
            let bin = usize::try_from(bare.score / 10).unwrap_or(0).min(9);
            found.scores[bin] += 1;
            let grade = match bare.grade {
                Grade::A => 0,
                Grade::B => 1,
                Grade::C => 2,
                Grade::D => 3,
            };
            found.grades[grade] += 1;
            sum += bare.probability;
        }
        found.mean_probability = (found.leads > 0).then(|| sum / found.leads as f64);
        found
    }
}

async fn save(app: &AppState, tx: &mut TenantTx, rules: &RuleSet) -> Result<(), DbError> {
    query(
        "-- crm.scoring_settings.rules\n\
         UPDATE crm.scoring_settings \
         SET rules = $1, rules_version = rules_version + 1, updated_at = $2, version = version + 1",
    )
    .bind(Jsonb(rules))
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await?;
    Ok(())
}
