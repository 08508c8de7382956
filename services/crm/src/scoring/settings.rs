//! How a tenant scores its leads: its settings, its rules and its model, read together and kept for a second.

use std::{collections::HashSet, sync::Arc};

use bz_http::{Errors, Problem};
use bz_scoring::{Drift, Mode, Model, Thresholds};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    answer::ScoreMode, default_rules::default_rules, features::Plan, rule_set::RuleSet,
    training::Card,
};
use crate::{
    app::AppState,
    records::{custom, sql::Sql},
};

/// What a tenant may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Least scores of the grades; none means 60, 35 and 15 under rules and 75, 50 and 25 under a model.
    pub thresholds: Option<Grades>,
    /// Days within which a lead must be won to count as won, 1 to 3650.
    #[schema(minimum = 1, maximum = 3650)]
    pub horizon_days: u16,
    /// Hours after a lead's creation whose changes and activities a model may know, 0 to 8760.
    #[schema(minimum = 0, maximum = 8760)]
    pub as_of_hours: u16,
    /// What makes a lead won: `converted`, `deal_won`, `status:<status>` or `stage:<id of a stage>`.
    pub positive_outcome: String,
    /// Features that no model may read: `source`, `custom.<key>`, `utm.<key>`.
    #[schema(max_items = 200)]
    pub excluded_fields: Vec<String>,
    /// The mode to use, or the best one.
    pub mode: Wish,
    /// Days between trainings; 0 trains only when asked.
    #[schema(maximum = 365)]
    pub retrain_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            thresholds: None,
            horizon_days: 90,
            as_of_hours: 24,
            positive_outcome: "converted".to_owned(),
            excluded_fields: Vec::new(),
            mode: Wish::Auto,
            retrain_days: 7,
        }
    }
}

/// Which mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    /// The best one.
    #[default]
    Auto,
    /// Rules.
    Rules,
    /// Logistic regression.
    Logistic,
    /// Boosted trees.
    Gbdt,
}

impl Wish {
    /// The mode, when it is a certain one.
    pub(crate) const fn pinned(self) -> Option<Mode> {
        match self {
            Self::Auto => None,
            Self::Rules => Some(Mode::Rules),
            Self::Logistic => Some(Mode::Logistic),
            Self::Gbdt => Some(Mode::Gbdt),
        }
    }
}

/// Least scores of the grades above D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "the grades are called so")]
pub(crate) struct Grades {
    /// Least score of an A.
    #[schema(minimum = 0, maximum = 100)]
    pub A: u8,
    /// Least score of a B.
    #[schema(minimum = 0, maximum = 100)]
    pub B: u8,
    /// Least score of a C.
    #[schema(minimum = 0, maximum = 100)]
    pub C: u8,
}

impl From<Grades> for Thresholds {
    fn from(grades: Grades) -> Self {
        Self {
            a: grades.A,
            b: grades.B,
            c: grades.C,
        }
    }
}

impl Settings {
    /// Everything that is wrong with them.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), Problem> {
        let mut errors = Errors::default();
        if let Some(grades) = self.thresholds
            && !(grades.A <= 100 && grades.A > grades.B && grades.B > grades.C)
        {
            let message = "must fall from A (at most 100) to C";
            errors.add("/thresholds", "invalid_order", message);
        }
        if !(1..=3_650).contains(&self.horizon_days) {
            errors.add("/horizon_days", "out_of_range", "must be 1 to 3650");
        }
        if self.as_of_hours > 8_760 {
            errors.add("/as_of_hours", "out_of_range", "must be 0 to 8760");
        }
        if self.retrain_days > 365 {
            errors.add("/retrain_days", "out_of_range", "must be 0 to 365");
        }
        if Positive::parse(&self.positive_outcome).is_none() {
            let message = "must be converted, deal_won, status:<a status of leads> or stage:<id>";
            errors.add("/positive_outcome", "invalid_value", message);
        }
        if self.excluded_fields.len() > 200 {
            errors.add("/excluded_fields", "too_many", "must be at most 200 fields");
        }
        for (n, name) in self.excluded_fields.iter().enumerate().take(200) {
            if !plan.knows(name) {
                let message = "is no feature; GET /api/scoring/model lists them";
                errors.add(format!("/excluded_fields/{n}"), "unknown_field", message);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::validation(errors))
        }
    }

    /// The grade thresholds of a mode.
    pub(crate) fn thresholds_of(&self, mode: ScoreMode) -> Thresholds {
        match (self.thresholds, mode) {
            (Some(grades), _) => grades.into(),
            (None, ScoreMode::Rules) => Thresholds {
                a: 60,
                b: 35,
                c: 15,
            },
            (None, ScoreMode::Logistic | ScoreMode::Gbdt) => Thresholds::default(),
        }
    }
}

/// What makes a lead won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Positive {
    Converted,
    DealWon,
    Status(String),
    Stage(Uuid),
}

impl Positive {
    /// From its text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "converted" => Some(Self::Converted),
            None if text == "deal_won" => Some(Self::DealWon),
            Some(("status", status)) => crate::leads::LeadStatus::TEXTS
                .contains(&status)
                .then(|| Self::Status(status.to_owned())),
            Some(("stage", id)) => id.parse().ok().map(Self::Stage),
            _ => None,
        }
    }
}

/// How a tenant scores, as it was a moment ago.
#[derive(Debug)]
pub(crate) struct Setup {
    pub settings: Settings,
    pub rules: Arc<RuleSet>,
    pub rules_name: String,
    pub plan: Arc<Plan>,
    pub active: Option<Active>,
    pub drift: Option<StoredDrift>,
    pub next_retrain_at: Option<DateTime<Utc>>,
    /// Version of the settings.
    pub version: i64,
}

/// The model that is used.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub version: i32,
    pub name: String,
    pub mode: ScoreMode,
    pub trained_at: DateTime<Utc>,
    pub card: Arc<Card>,
}

/// What the nightly job found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredDrift {
    pub drift: Drift,
    pub at: DateTime<Utc>,
    /// Version of the model that was compared.
    pub model: i32,
}

#[derive(FromRow)]
struct Row {
    settings: Option<Json<Settings>>,
    rules: Option<Json<RuleSet>>,
    rules_version: Option<i32>,
    drift: Option<Json<StoredDrift>>,
    next_retrain_at: Option<DateTime<Utc>>,
    settings_version: Option<i64>,
    version: Option<i32>,
    name: Option<String>,
    mode: Option<String>,
    trained_at: Option<DateTime<Utc>>,
    card: Option<Json<Card>>,
}

/// How the tenant scores, as it was within the last second.
pub(crate) async fn setup(app: &AppState, tx: &mut TenantTx) -> Result<Arc<Setup>, DbError> {
    match app.scoring.setups.get(&tx.scope().tenant()) {
        Some(known) => Ok(known),
        None => fresh(app, tx).await,
    }
}

/// How the tenant scores now.
pub(crate) async fn fresh(app: &AppState, tx: &mut TenantTx) -> Result<Arc<Setup>, DbError> {
    let sql = Sql::new(
        "-- crm.scoring.setup\n\
         SELECT s.settings, s.rules, s.rules_version, s.drift, s.next_retrain_at, s.version AS settings_version, \
           m.version, m.name, m.mode, m.trained_at, m.card \
         FROM (SELECT 1) AS one LEFT JOIN crm.scoring_settings AS s ON true \
         LEFT JOIN crm.scoring_models AS m ON m.active",
    );
    let row: Row = sql.fetch_one(tx).await?;
    let definitions = custom::definitions(app, tx).await?;
    let settings = row.settings.map(|json| json.0).unwrap_or_default();
    let rules_version = row.rules_version.unwrap_or(1);
    let active = row.version.zip(row.name).zip(row.mode).zip(row.trained_at);
    let active =
        active.zip(row.card).map(
            |((((version, name), mode), trained_at), Json(card))| Active {
                version,
                name,
                mode: ScoreMode::try_from(mode).unwrap_or(ScoreMode::Rules),
                trained_at,
                card: Arc::new(card),
            },
        );
    let setup = Arc::new(Setup {
        plan: Arc::new(Plan::new(&definitions, &settings)),
        settings,
        rules: Arc::new(row.rules.map_or_else(default_rules, |json| json.0)),
        rules_name: format!("rules-{rules_version}"),
        active,
        drift: row.drift.map(|json| json.0),
        next_retrain_at: row.next_retrain_at,
        version: row.settings_version.unwrap_or(0),
    });
    app.scoring
        .setups
        .insert(tx.scope().tenant(), setup.clone());
    Ok(setup)
}

impl Setup {
    /// The model that is used, if it is one and the tenant wants one.
    pub(crate) async fn model(
        &self,
        app: &AppState,
        tx: &mut TenantTx,
    ) -> Result<Option<Arc<Model>>, DbError> {
        match &self.active {
            Some(active)
                if active.mode != ScoreMode::Rules && self.settings.mode != Wish::Rules =>
            {
                super::models::load(app, tx, active.version).await
            }
            _ => Ok(None),
        }
    }

    /// The same with other rules, to try them.
    pub(crate) fn with_rules(&self, rules: Arc<RuleSet>) -> Self {
        Self {
            rules,
            settings: self.settings.clone(),
            rules_name: self.rules_name.clone(),
            plan: self.plan.clone(),
            active: None,
            drift: None,
            next_retrain_at: None,
            version: self.version,
        }
    }

    /// What training takes into account.
    pub(crate) fn options(&self) -> bz_scoring::Options {
        bz_scoring::Options {
            exclude: HashSet::new(),
            allow_protected: self.plan.allowed.clone(),
            pinned: self.settings.mode.pinned(),
            ..bz_scoring::Options::default()
        }
    }
}
