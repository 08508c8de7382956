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
use design::Design;

/// Penalties tried, strongest first: each starts from the weights of the one before.
const PENALTIES: [f64; 7] = [300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3];
/// The same for more leads than `MANY`, where the penalty hardly matters.
const FEW_PENALTIES: [f64; 3] = [30.0, 5.0, 1.0];
const MANY: usize = 8_000;

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
    pub(crate) fn fit(
        matrix: &Matrix,
        features: &[Feature],
        won: &[bool],
        rows: &[u32],
        penalty: f64,
    ) -> Self {
        let mut design = Design::fit(matrix, features, rows);
        let sparse = design.sparse(matrix, rows);
        let y: Vec<bool> = rows.iter().map(|row| won[*row as usize]).collect();
        let fitted = newton::fit(&sparse, &y, penalty, None);
        design.means = sparse.means().iter().map(|mean| round(*mean, 15)).collect();
        let weights: Vec<f64> = fitted[..design.width()]
            .iter()
            .map(|weight| round(*weight, 15))
            .collect();
        let mean: f64 = weights
            .iter()
            .zip(&design.means)
            .map(|(weight, mean)| weight * mean)
            .sum();
        Self {
            base: round(fitted[design.width()] + mean, 15),
            design,
            weights,
            penalty,
        }
    }

    /// Log-odds of the mean lead: where the contributions start.
    pub(crate) const fn base(&self) -> f64 {
        self.base
    }

    /// Adds w·(x − mean) of each feature to `into`.
    pub(crate) fn contributions(&self, inputs: &[f64], into: &mut [f64]) {
        for (feature, (slot, input)) in self.design.slots.iter().zip(inputs).enumerate() {
            let centre: f64 = slot
                .all()
                .map(|column| self.weights[column as usize] * self.design.means[column as usize])
                .sum();
            let mut here = 0.0;
            slot.entries(*input, |column, value| {
                here += self.weights[column as usize] * value;
            });
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
pub(crate) fn choose(
    matrix: &Matrix,
    features: &[Feature],
    won: &[bool],
    fold_of: &[u8],
) -> Chosen {
    let penalties: &[f64] = if matrix.rows > MANY {
        &FEW_PENALTIES
    } else {
        &PENALTIES
    };
    let mut out_of_fold = vec![vec![0.0; matrix.rows]; penalties.len()];
    for fold in 0..folds::count(fold_of) {
        let (train, test) = folds::split(fold_of, fold);
        let design = Design::fit(matrix, features, &train);
        let (seen, unseen) = (design.sparse(matrix, &train), design.sparse(matrix, &test));
        let y: Vec<bool> = train.iter().map(|row| won[*row as usize]).collect();
        let mut weights = None;
        for (penalty, log_odds) in penalties.iter().zip(&mut out_of_fold) {
            let fitted = newton::fit(&seen, &y, *penalty, weights);
            for (at, row) in test.iter().enumerate() {
                log_odds[*row as usize] = unseen.dot(at, &fitted);
            }
            weights = Some(fitted);
        }
    }
    let total = |log_odds: &Vec<f64>| -> f64 {
        log_odds
            .iter()
            .zip(won)
            .map(|(z, won)| loss(*z, *won))
            .sum()
    };
    let losses: Vec<f64> = out_of_fold.iter().map(total).collect();
    let best = (0..losses.len())
        .min_by(|a, b| losses[*a].total_cmp(&losses[*b]))
        .unwrap_or(0);
    Chosen {
        penalty: penalties[best],
        out_of_fold: out_of_fold.swap_remove(best),
    }
}
