//! From a probability to what people read: points, a grade, a percentile.

use serde::{Deserialize, Serialize};

use crate::maths::round;

/// Points as a rising function of the probability under which the typical lead has 50: 100 · p^(ln 0.5 / ln p50).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreMap {
    /// Probability of the typical lead, the median.
    pub p50: f64,
}

impl ScoreMap {
    /// Of the median of some probabilities; one half without any.
    #[must_use]
    pub fn of(probabilities: &[f64]) -> Self {
        let mut sorted = probabilities.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self {
            p50: sorted
                .get(sorted.len() / 2)
                .map_or(0.5, |p50| round(p50.clamp(1e-6, 0.999), 15)),
        }
    }

    /// 0 to 100.
    #[must_use]
    pub fn points(&self, probability: f64) -> u8 {
        let exponent = 0.5_f64.ln() / self.p50.ln();
        (100.0 * probability.clamp(0.0, 1.0).powf(exponent)).round() as u8
    }
}

/// A score in one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// Call today.
    A,
    /// Promising.
    B,
    /// Nurture.
    C,
    /// Unlikely.
    D,
}

/// Least points of the grades above D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Least points of an A.
    pub a: u8,
    /// Least points of a B.
    pub b: u8,
    /// Least points of a C.
    pub c: u8,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            a: 75,
            b: 50,
            c: 25,
        }
    }
}

impl Thresholds {
    /// The grade of a score.
    #[must_use]
    pub const fn grade(&self, points: u8) -> Grade {
        if points >= self.a {
            Grade::A
        } else if points >= self.b {
            Grade::B
        } else if points >= self.c {
            Grade::C
        } else {
            Grade::D
        }
    }
}

/// Where a lead stands among others: the 101 percentiles of their probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Percentiles(Vec<f64>);

impl Percentiles {
    /// Of some probabilities.
    #[must_use]
    pub fn of(probabilities: &[f64]) -> Self {
        let mut sorted = probabilities.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        Self(
            (0..=100)
                .filter_map(|at| sorted.get(at * last / 100))
                .map(|p| round(*p, 9))
                .collect(),
        )
    }

    /// Percent of the others that are below, 0 to 100; equals count half.
    #[must_use]
    pub fn of_probability(&self, probability: f64) -> u8 {
        let below = self.0.partition_point(|other| *other < probability);
        let upto = self.0.partition_point(|other| *other <= probability);
        ((below + upto) as f64 / 2.0 / self.0.len().max(1) as f64 * 100.0).round() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typical_lead_has_fifty_points_and_more_probability_never_fewer_points() {
        let map = ScoreMap::of(&[0.02, 0.08, 0.5]);
        assert_eq!(
            (map.points(0.08), map.points(0.0), map.points(1.0)),
            (50, 0, 100)
        );
        assert!(
            (0..1_000)
                .all(|at| map.points(f64::from(at) / 1e3) <= map.points(f64::from(at + 1) / 1e3))
        );
    }

    #[test]
    fn a_threshold_belongs_to_the_better_grade() {
        let grade = |points| Thresholds::default().grade(points);
        assert_eq!(
            [75, 74, 50, 25, 24].map(grade),
            [Grade::A, Grade::B, Grade::B, Grade::C, Grade::D]
        );
    }

    #[test]
    fn a_percentile_says_how_many_are_below() {
        let all: Vec<f64> = (0..1_000).map(|at| f64::from(at) / 1_000.0).collect();
        let percentiles = Percentiles::of(&all);
        assert_eq!(
            [0.0, 0.25, 0.9, 1.0].map(|p| percentiles.of_probability(p)),
            [0, 26, 90, 100]
        );
    }
}
