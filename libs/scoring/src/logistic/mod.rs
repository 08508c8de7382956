//! Logistic regression with an L2 penalty, the strength of which cross-validation chooses.
//!
//! The penalty is Σ loss + λ/2 ‖w‖², the intercept free: λ = 1/C of scikit-learn. Fitted by Newton's method, that is
//! iteratively reweighted least squares (Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 4.4.1).

mod design;
mod newton;

use serde::{Deserialize, Serialize};

use crate::features::{Feature, Matrix};
use crate::folds;
use crate::maths::{loss, round};
use design::{Design, Sparse};

/// Penalties tried, strongest first: each starts from the weights of the one before.
const PENALTIES: [f64; 7] = [300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3];
/// More rows than these do not change which penalty is best, only how long it takes to find out.
const ENOUGH_ROWS: usize = 8_000;

/// A fitted model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Logistic {
    design: Design,
    /// Weight of each column of the design.
    weights: Vec<f64>,
    /// Log-odds of the mean lead.
    base: f64,
    /// λ.
    pub(crate) penalty: f64,
}

impl Logistic {
    /// Fits on some rows of a matrix.
    pub(crate) fn fit(matrix: &Matrix, features: &[Feature], won: &[bool], rows: &[u32], penalty: f64) -> Self {
        let mut design = Design::fit(matrix, features, rows);
        let sparse = design.sparse(matrix, rows);
        let y: Vec<bool> = rows.iter().map(|row| won[*row as usize]).collect();
        let fitted = newton::fit(&sparse, &y, penalty, None);
        design.means = sparse.means().iter().map(|mean| round(*mean, 15)).collect();
        let weights: Vec<f64> = fitted[..design.width()].iter().map(|weight| round(*weight, 15)).collect();
        let mean: f64 = weights.iter().zip(&design.means).map(|(weight, mean)| weight * mean).sum();
        Self { base: round(fitted[design.width()] + mean, 15), design, weights, penalty }
    }

    /// Log-odds of the mean lead: where the contributions start.
    pub(crate) const fn base(&self) -> f64 {
        self.base
    }

    /// Adds w·(x − mean) of each feature to `into`.
    pub(crate) fn contributions(&self, inputs: &[f64], into: &mut [f64]) {
        for (feature, (slot, input)) in self.design.slots.iter().zip(inputs).enumerate() {
            let centre: f64 =
                slot.all().map(|column| self.weights[column as usize] * self.design.means[column as usize]).sum();
            let mut here = 0.0;
            slot.entries(*input, |column, value| here += self.weights[column as usize] * value);
            into[feature] += here - centre;
        }
    }

    /// Log-odds of one lead.
    pub(crate) fn log_odds(&self, inputs: &[f64]) -> f64 {
        let mut contributions = vec![0.0; inputs.len()];
        self.contributions(inputs, &mut contributions);
        self.base + contributions.iter().sum::<f64>()
    }

    /// Log-odds of some rows.
    pub(crate) fn predict(&self, matrix: &Matrix, rows: &[u32]) -> Vec<f64> {
        let mut inputs = Vec::new();
        rows.iter()
            .map(|row| {
                matrix.row(*row as usize, &mut inputs);
                self.log_odds(&inputs)
            })
            .collect()
    }
}

/// What cross-validation found.
pub(crate) struct Chosen {
    /// λ for a fit on all rows.
    pub(crate) penalty: f64,
    /// Log-odds of every row by a model that has not seen it.
    pub(crate) out_of_fold: Vec<f64>,
}

/// Chooses the penalty by log loss over the folds.
pub(crate) fn choose(matrix: &Matrix, features: &[Feature], won: &[bool], fold_of: &[u8]) -> Chosen {
    let folds = fold_of.iter().max().map_or(0, |last| last + 1);
    let step = matrix.rows.div_ceil(ENOUGH_ROWS).max(1);
    let mut losses = [0.0; PENALTIES.len()];
    for fold in 0..folds {
        let (train, test) = folds::split(fold_of, fold);
        let train: Vec<u32> = train.into_iter().step_by(step).collect();
        let test: Vec<u32> = test.into_iter().step_by(step).collect();
        add_losses(matrix, features, won, (&train, &test), &mut losses);
    }
    let best = (0..PENALTIES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or(0);
    let penalty = PENALTIES[best];
    let mut out_of_fold = vec![0.0; matrix.rows];
    for fold in 0..folds {
        let (train, test) = folds::split(fold_of, fold);
        let model = Logistic::fit(matrix, features, won, &train, penalty);
        for (row, log_odds) in test.iter().zip(model.predict(matrix, &test)) {
            out_of_fold[*row as usize] = log_odds;
        }
    }
    Chosen { penalty, out_of_fold }
}

fn add_losses(
    matrix: &Matrix,
    features: &[Feature],
    won: &[bool],
    (train, test): (&[u32], &[u32]),
    losses: &mut [f64; PENALTIES.len()],
) {
    let design = Design::fit(matrix, features, train);
    let (seen, unseen) = (design.sparse(matrix, train), design.sparse(matrix, test));
    let y: Vec<bool> = train.iter().map(|row| won[*row as usize]).collect();
    let mut weights = None;
    for (penalty, sum) in PENALTIES.iter().zip(losses) {
        let fitted = newton::fit(&seen, &y, *penalty, weights);
        *sum += sum_of_losses(&unseen, &fitted, test, won);
        weights = Some(fitted);
    }
}

fn sum_of_losses(rows: &Sparse, weights: &[f64], which: &[u32], won: &[bool]) -> f64 {
    which.iter().enumerate().map(|(at, row)| loss(rows.dot(at, weights), won[*row as usize])).sum()
}
