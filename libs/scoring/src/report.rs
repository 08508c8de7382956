//! The model card (Mitchell et al. 2019, "Model Cards for Model Reporting"): what a model was trained on, how good it is,
//! and what it looks at.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::dataset::Kind;
use crate::features::{FeatureKind, Matrix};
use crate::maths::round;
use crate::metrics::{CalibrationBin, Metrics};
use crate::model::{Mode, Model, Reasons};
use crate::policy::{Decision, Needs, Trial};
use crate::rng::Rng;

/// Leads on which importance is measured.
const SAMPLE: usize = 500;

/// The model card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How scores are made.
    pub mode: Mode,
    /// Why, for people.
    pub mode_reason: String,
    /// Leads with an outcome.
    pub rows: usize,
    /// Won ones.
    pub positives: usize,
    /// Lost ones.
    pub negatives: usize,
    /// What is missing for a model.
    pub needs: Needs,
    /// What each model reached on leads that it had not seen.
    pub trials: Vec<Trial>,
    /// By cross-validation over all leads, calibrated.
    pub metrics: Option<Metrics>,
    /// On the newest fifth, trained on the rest.
    pub newest: Option<Metrics>,
    /// What was said and what came of it, by cross-validation.
    pub calibration: Vec<CalibrationBin>,
    /// What the model looks at, most important first.
    pub features: Vec<FeatureReport>,
    /// What it must not look at.
    pub excluded: Vec<Excluded>,
}

/// A field that the model must not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its name.
    pub field: String,
    /// Why, for people.
    pub why: String,
}

/// What a field means to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureReport {
    /// Its name.
    pub field: String,
    /// Its type.
    pub kind: Kind,
    /// Mean size of its contribution to the log-odds.
    pub importance: f64,
    /// Whether more of it means a higher or lower score; `None` for words.
    pub direction: Option<Tendency>,
    /// Share of leads of which it is not known.
    pub missing_rate: f64,
}

/// What more of a number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tendency {
    /// More is better.
    Positive,
    /// Less is better.
    Negative,
}

impl Report {
    pub(crate) fn new(
        rows: usize,
        positives: usize,
        needs: Needs,
        excluded: Vec<Excluded>,
    ) -> Self {
        Self {
            mode: Mode::Rules,
            mode_reason: String::new(),
            rows,
            positives,
            negatives: rows.saturating_sub(positives),
            needs,
            trials: Vec::new(),
            metrics: None,
            newest: None,
            calibration: Vec::new(),
            features: Vec::new(),
            excluded,
        }
    }

    pub(crate) fn decide(&mut self, decision: Decision, trials: Vec<Trial>) {
        (self.mode, self.mode_reason, self.trials) = (decision.mode, decision.reason, trials);
    }
}

/// What each field means to the model, on a sample of its leads.
pub(crate) fn features(model: &Model, matrix: &Matrix, seed: u64) -> Vec<FeatureReport> {
    let fields = model.fields();
    let mut rows: Vec<usize> = (0..matrix.rows).collect();
    Rng::new(seed).shuffle(&mut rows);
    rows.truncate(SAMPLE);
    let mut sizes = vec![0.0; fields.len()];
    let mut pairs = vec![Vec::new(); fields.len()];
    let mut inputs = Vec::new();
    for row in &rows {
        matrix.row(*row, &mut inputs);
        for contribution in model.explain_inputs(&inputs, Reasons::Path).contributions {
            let Some(field) = fields
                .iter()
                .position(|field| field.name == contribution.field)
            else {
                continue;
            };
            sizes[field] += contribution.log_odds.abs() / rows.len() as f64;
            let number = model
                .encoder
                .features
                .iter()
                .position(|feature| feature.field == field);
            pairs[field].extend(number.map(|number| (inputs[number], contribution.log_odds)));
        }
    }
    let mut reports: Vec<FeatureReport> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| FeatureReport {
            field: field.name.clone(),
            kind: field.kind,
            importance: round(sizes[at], 9),
            direction: if matches!(field.kind, Kind::Number | Kind::Flag) {
                tendency(&pairs[at])
            } else {
                None
            },
            missing_rate: missing_rate(model, matrix, at),
        })
        .collect();
    reports.sort_by(|a, b| {
        b.importance
            .total_cmp(&a.importance)
            .then_with(|| a.field.cmp(&b.field))
    });
    reports
}

/// Sign of the covariance.
fn tendency(pairs: &[(f64, f64)]) -> Option<Tendency> {
    let known: Vec<&(f64, f64)> = pairs.iter().filter(|(x, _)| !x.is_nan()).collect();
    let n = known.len().max(1) as f64;
    let (x, y) = known.iter().fold((0.0, 0.0), |sums, pair| {
        (sums.0 + pair.0 / n, sums.1 + pair.1 / n)
    });
    let covariance: f64 = known.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
    match covariance.total_cmp(&0.0) {
        Ordering::Greater if covariance > 0.0 => Some(Tendency::Positive),
        Ordering::Less if covariance < 0.0 => Some(Tendency::Negative),
        Ordering::Greater | Ordering::Less | Ordering::Equal => None,
    }
}

fn missing_rate(model: &Model, matrix: &Matrix, field: usize) -> f64 {
    let Some(at) = model
        .encoder
        .features
        .iter()
        .position(|feature| feature.field == field)
    else {
        return 0.0;
    };
    let missing = match &model.encoder.features[at].kind {
        FeatureKind::Number => |_: usize, cell: f64| cell.is_nan(),
        FeatureKind::Category(_) => |last: usize, cell: f64| cell as usize == last,
        FeatureKind::HasTag(_) => |_: usize, _: f64| false,
    };
    let last = model.encoder.features[at].codes().saturating_sub(1);
    let gaps = matrix.columns[at]
        .iter()
        .filter(|cell| missing(last, **cell))
        .count();
    round(gaps as f64 / matrix.rows.max(1) as f64, 9)
}
