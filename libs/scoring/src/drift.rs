//! Whether leads are still like those that a model was trained on.

use serde::{Deserialize, Serialize};

use crate::features::{Feature, Matrix};
use crate::maths::round;

/// Bins of a number and of the score.
const BINS: usize = 10;
/// Share that an empty bin counts with, because its logarithm is asked for.
const EMPTY: f64 = 1e-4;

/// Population stability index: Σ (now − then) · ln(now / then). Below 0.1 nothing happened, above 0.2 or 0.25 much
/// (Siddiqi 2006, "Credit Risk Scorecards").
#[must_use]
pub fn psi(then: &[f64], now: &[f64]) -> f64 {
    let pairs = then
        .iter()
        .zip(now)
        .map(|(then, now)| (then.max(EMPTY), now.max(EMPTY)));
    pairs
        .map(|(then, now)| (now - then) * (now / then).ln())
        .sum()
}

/// How a number, a word or a score was distributed in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Cuts between bins; `None` for words.
    cuts: Option<Vec<f64>>,
    /// Share of each bin, of missing ones last; of words the share of each code.
    shares: Vec<f64>,
}

impl Profile {
    /// Of a feature.
    pub(crate) fn of_feature(feature: &Feature, column: &[f64]) -> Self {
        match feature.codes() {
            0 => Self::of_numbers(column),
            codes => {
                let empty = Self {
                    cuts: None,
                    shares: vec![0.0; codes],
                };
                Self {
                    shares: empty.shares_of(column),
                    ..empty
                }
            }
        }
    }

    /// Of numbers, in bins of the same size.
    pub(crate) fn of_numbers(column: &[f64]) -> Self {
        let mut known: Vec<f64> = column
            .iter()
            .copied()
            .filter(|cell| !cell.is_nan())
            .collect();
        known.sort_unstable_by(f64::total_cmp);
        let mut cuts: Vec<f64> = (1..BINS)
            .filter_map(|at| known.get(at * known.len() / BINS))
            .map(|cut| round(*cut, 15))
            .collect();
        cuts.dedup();
        let empty = Self {
            shares: vec![0.0; cuts.len() + 2],
            cuts: Some(cuts),
        };
        Self {
            shares: empty.shares_of(column),
            ..empty
        }
    }

    fn shares_of(&self, column: &[f64]) -> Vec<f64> {
        let mut counts = vec![0.0; self.shares.len()];
        for cell in column {
            let bin = match &self.cuts {
                None => *cell as usize,
                Some(cuts) if cell.is_nan() => cuts.len() + 1,
                Some(cuts) => cuts.partition_point(|cut| cut < cell),
            };
            if let Some(count) = counts.get_mut(bin) {
                *count += 1.0;
            }
        }
        counts
            .iter()
            .map(|count| round(count / column.len().max(1) as f64, 9))
            .collect()
    }

    /// How far other leads are from these.
    pub(crate) fn psi(&self, column: &[f64]) -> f64 {
        psi(&self.shares, &self.shares_of(column))
    }
}

/// What has changed since training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Of each field: the largest index of its features.
    pub fields: Vec<(String, f64)>,
    /// Of the score.
    pub score_psi: f64,
    /// Share of won leads in training.
    pub base_rate_train: f64,
    /// Share of won leads among recent ones, where their outcomes are known.
    pub base_rate_recent: Option<f64>,
    /// In one word.
    pub status: DriftStatus,
}

/// How much has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// Nothing to do.
    Stable,
    /// Fields have changed; the score has not yet.
    Watch,
    /// Train again: the score's index is above 0.2 or the base rate has moved by half as much again.
    Retrain,
}

/// Index above which the score calls for training.
const SCORE_MOVED: f64 = 0.2;
/// Factor by which the base rate may move.
const RATE_MOVED: f64 = 1.5;
/// Index above which a field is worth a look.
const FIELD_MOVED: f64 = 0.25;

impl Drift {
    pub(crate) fn new(
        fields: Vec<(String, f64)>,
        score_psi: f64,
        train: f64,
        recent: Option<f64>,
    ) -> Self {
        let odd = recent.is_some_and(|recent| {
            let factor = recent.max(EMPTY) / train.max(EMPTY);
            !(1.0 / RATE_MOVED..=RATE_MOVED).contains(&factor)
        });
        let status = if score_psi > SCORE_MOVED || odd {
            DriftStatus::Retrain
        } else if fields.iter().any(|(_, psi)| *psi > FIELD_MOVED) {
            DriftStatus::Watch
        } else {
            DriftStatus::Stable
        };
        Self {
            fields,
            score_psi,
            base_rate_train: train,
            base_rate_recent: recent,
            status,
        }
    }
}

/// The profiles of all features.
pub(crate) fn profiles(features: &[Feature], matrix: &Matrix) -> Vec<Profile> {
    features
        .iter()
        .zip(&matrix.columns)
        .map(|(feature, column)| Profile::of_feature(feature, column))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_the_same_shares_is_nothing_and_of_moved_ones_the_textbook_number() {
        assert!(psi(&[0.5, 0.5], &[0.5, 0.5]).abs() < 1e-12);
        let moved = psi(&[0.5, 0.5], &[0.6, 0.4]);
        assert!((moved - 0.040_546_5).abs() < 1e-6, "{moved}");
    }

    #[test]
    fn a_base_rate_that_doubled_calls_for_training_and_one_that_grew_a_little_does_not() {
        let status = |recent| Drift::new(Vec::new(), 0.0, 0.1, Some(recent)).status;
        assert_eq!(
            (status(0.2), status(0.12), status(0.05)),
            (
                DriftStatus::Retrain,
                DriftStatus::Stable,
                DriftStatus::Retrain
            )
        );
    }
}
