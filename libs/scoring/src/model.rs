//! A trained model: scores leads with reasons, and is a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calibrate::Calibration;
use crate::dataset::Dataset;
use crate::drift::{Drift, Profile};
use crate::features::{Encoder, Field};
use crate::gbdt::Forest;
use crate::logistic::Logistic;
use crate::maths::{logistic, logit, round, share};
use crate::row::Row;
use crate::score::{Percentiles, ScoreMap};

/// Format of the file; others are not read.
const FORMAT: u32 = 1;
/// 90 % lie within so many standard errors.
const WITHIN: f64 = 1.645;

/// How scores are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Fixed weights: too few outcomes to learn from.
    Rules,
    /// Logistic regression.
    Logistic,
    /// Gradient boosting.
    Gbdt,
}

impl Mode {
    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rules => "fixed rules",
            Self::Logistic => "logistic regression",
            Self::Gbdt => "gradient boosting",
        }
    }
}

/// What makes the log-odds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    Logistic(Logistic),
    Gbdt(Forest),
}

/// How the reasons of boosting are worked out. Those of logistic regression are exact either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasons {
    /// Along the paths through the trees: some microseconds.
    Path,
    /// Exact Shapley values: some milliseconds.
    Exact,
}

/// A trained model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    format: u32,
    pub(crate) engine: Engine,
    pub(crate) encoder: Encoder,
    pub(crate) calibration: Calibration,
    /// Added to the log-odds because the base rate has moved.
    pub(crate) shift: f64,
    pub(crate) base_rate: f64,
    /// How many leads of training are about like a given one.
    pub(crate) similar: f64,
    pub(crate) score_map: ScoreMap,
    pub(crate) percentiles: Percentiles,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) score_profile: Profile,
}

/// A lead's score and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored<'m> {
    /// Probability that the lead is won.
    pub probability: f64,
    /// The same as log-odds: base plus contributions.
    pub log_odds: f64,
    /// Expected log-odds of the leads of training.
    pub base: f64,
    /// What each field adds, strongest first.
    pub contributions: Vec<Contribution<'m>>,
    /// In nine of ten groups of as many similar leads as training had, the share of won ones lies in here.
    pub interval: (f64, f64),
}

/// What a field adds to the log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution<'m> {
    /// Name of the field.
    pub field: &'m str,
    /// In log-odds.
    pub log_odds: f64,
}

/// A file that is no model of ours.
#[derive(Debug, thiserror::Error)]
pub enum BadModel {
    /// Not what a model looks like.
    #[error("the model file cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// Written by another version.
    #[error("the model file has format {found}, this version reads {FORMAT}")]
    Format {
        /// Format of the file.
        found: u32,
    },
}

/// What a model knows besides its engine.
pub(crate) struct Around {
    pub(crate) encoder: Encoder,
    pub(crate) calibration: Calibration,
    pub(crate) base_rate: f64,
    pub(crate) profiles: Vec<Profile>,
    /// Log-odds of the leads of training, not calibrated, by models that have not seen them.
    pub(crate) log_odds: Vec<f64>,
}

impl Model {
    pub(crate) fn new(engine: Engine, around: Around) -> Self {
        let Around {
            encoder,
            calibration,
            base_rate,
            profiles,
            log_odds,
        } = around;
        let probabilities: Vec<f64> = log_odds
            .iter()
            .map(|z| logistic(calibration.apply(*z)))
            .collect();
        Self {
            format: FORMAT,
            engine,
            encoder,
            calibration,
            shift: 0.0,
            base_rate: round(base_rate, 15),
            similar: round((log_odds.len() as f64 / 20.0).max(30.0), 9),
            score_map: ScoreMap::of(&probabilities),
            percentiles: Percentiles::of(&probabilities),
            profiles,
            score_profile: Profile::of_numbers(&probabilities),
        }
    }

    /// Scores a lead, with reasons along the paths.
    #[must_use]
    pub fn score(&self, row: &Row<'_>) -> Scored<'_> {
        self.explain(row, Reasons::Path)
    }

    /// Scores a lead, with reasons as wished.
    #[must_use]
    pub fn explain(&self, row: &Row<'_>, reasons: Reasons) -> Scored<'_> {
        self.explain_inputs(&self.encoder.encode(row), reasons)
    }

    /// Probability that a lead is won, without reasons.
    #[must_use]
    pub fn probability(&self, row: &Row<'_>) -> f64 {
        self.probability_of(&self.encoder.encode(row))
    }

    pub(crate) fn probability_of(&self, inputs: &[f64]) -> f64 {
        let log_odds = match &self.engine {
            Engine::Logistic(model) => model.log_odds(inputs),
            Engine::Gbdt(forest) => forest.log_odds(inputs),
        };
        logistic(self.calibration.apply(log_odds) + self.shift)
    }

    pub(crate) fn explain_inputs(&self, inputs: &[f64], reasons: Reasons) -> Scored<'_> {
        let mut by_feature = vec![0.0; inputs.len()];
        let start = match (&self.engine, reasons) {
            (Engine::Logistic(model), _) => {
                model.contributions(inputs, &mut by_feature);
                model.base()
            }
            (Engine::Gbdt(forest), Reasons::Path) => {
                forest.path_contributions(inputs, &mut by_feature);
                forest.base()
            }
            (Engine::Gbdt(forest), Reasons::Exact) => {
                forest.shapley_contributions(inputs, &mut by_feature);
                forest.base()
            }
        };
        let base = self.calibration.apply(start) + self.shift;
        let fields = &self.encoder.fields;
        let mut contributions: Vec<Contribution<'_>> = fields
            .iter()
            .map(|field| Contribution {
                field: &field.name,
                log_odds: 0.0,
            })
            .collect();
        for (feature, log_odds) in self.encoder.features.iter().zip(by_feature) {
            contributions[feature.field].log_odds += self.calibration.slope * log_odds;
        }
        let log_odds = base
            + contributions
                .iter()
                .map(|contribution| contribution.log_odds)
                .sum::<f64>();
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        let probability = logistic(log_odds);
        Scored {
            probability,
            log_odds,
            base,
            contributions,
            interval: self.interval(probability),
        }
    }

    /// Wilson's interval (1927) for as many leads as are similar.
    fn interval(&self, p: f64) -> (f64, f64) {
        let (n, z2) = (self.similar, WITHIN * WITHIN);
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = WITHIN / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        ((centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0))
    }

    /// How scores are made.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self.engine {
            Engine::Logistic(_) => Mode::Logistic,
            Engine::Gbdt(_) => Mode::Gbdt,
        }
    }

    /// The fields that the model reads.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.encoder.fields
    }

    /// Points of a probability.
    #[must_use]
    pub const fn score_map(&self) -> ScoreMap {
        self.score_map
    }

    /// Where a probability stands among the leads of training.
    #[must_use]
    pub const fn percentiles(&self) -> &Percentiles {
        &self.percentiles
    }

    /// Share of won leads that the probabilities are made for.
    #[must_use]
    pub fn base_rate(&self) -> f64 {
        logistic(logit(self.base_rate) + self.shift)
    }

    /// The same model for another share of won leads: the log-odds move by as much as those of the share (prior
    /// correction: King, Zeng 2001, "Logistic Regression in Rare Events Data"; Saerens, Latinne, Decaestecker 2002).
    #[must_use]
    pub fn with_base_rate(mut self, share: f64) -> Self {
        self.shift = round(logit(share.clamp(0.001, 0.999)) - logit(self.base_rate), 15);
        self
    }

    /// What has changed between training and these leads. `outcomes` says whether their outcomes are known.
    #[must_use]
    pub fn drift(&self, recent: &Dataset, outcomes: bool) -> Drift {
        let matrix = self.encoder.matrix(recent);
        let mut fields: BTreeMap<usize, f64> = BTreeMap::new();
        for ((feature, profile), column) in self
            .encoder
            .features
            .iter()
            .zip(&self.profiles)
            .zip(&matrix.columns)
        {
            let psi = fields.entry(feature.field).or_default();
            *psi = psi.max(profile.psi(column));
        }
        let mut inputs = Vec::new();
        let scores: Vec<f64> = (0..matrix.rows)
            .map(|row| {
                matrix.row(row, &mut inputs);
                self.probability_of(&inputs)
            })
            .collect();
        let fields = fields
            .into_iter()
            .map(|(field, psi)| (self.encoder.fields[field].name.clone(), psi))
            .collect();
        let rate = (outcomes && !recent.is_empty()).then(|| share(recent.won().iter().copied()));
        Drift::new(
            fields,
            self.score_profile.psi(&scores),
            self.base_rate,
            rate,
        )
    }

    /// The file. The same training data, options and seed give the same bytes.
    ///
    /// # Errors
    /// Never for a model that was trained or read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadModel> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is no model, or of another format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadModel> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes)?;
        if head.format != FORMAT {
            return Err(BadModel::Format { found: head.format });
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}
