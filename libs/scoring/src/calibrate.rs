//! Calibration after Platt (1999, "Probabilistic outputs for support vector machines"): log-odds a·z + b, fitted on
//! scores by models that have not seen the lead. A straight line in log-odds, so that reasons still add up.

use serde::{Deserialize, Serialize};

use crate::maths::{logistic, loss, round};

/// Twice the gain in log-likelihood that two useless parameters reach in one case of twenty (χ², two degrees).
const CHANCE: f64 = 5.99;

/// A straight line in log-odds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Above 1 where the model was too cautious, below where it was too sure.
    pub slope: f64,
    /// Added to the log-odds.
    pub offset: f64,
}

impl Calibration {
    /// Changes nothing.
    pub const NONE: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    /// Calibrated log-odds.
    #[must_use]
    pub fn apply(&self, log_odds: f64) -> f64 {
        self.slope * log_odds + self.offset
    }

    /// The line that fits best, or none when what it gains may be chance.
    #[must_use]
    pub fn fit(log_odds: &[f64], won: &[bool]) -> Self {
        let mut line = Self::NONE;
        for _ in 0..30 {
            let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
            for (z, won) in log_odds.iter().zip(won) {
                let p = logistic(line.apply(*z));
                let (slope, curve) = (p - f64::from(u8::from(*won)), p * (1.0 - p));
                g = [g[0] + slope * z, g[1] + slope];
                h = [h[0] + curve * z * z, h[1] + curve * z, h[2] + curve];
            }
            let det = h[0] * h[2] - h[1] * h[1];
            if det < 1e-9 {
                return Self::NONE;
            }
            let step = [
                (h[2] * g[0] - h[1] * g[1]) / det,
                (h[0] * g[1] - h[1] * g[0]) / det,
            ];
            line = Self {
                slope: line.slope - step[0],
                offset: line.offset - step[1],
            };
            if step[0].abs() + step[1].abs() < 1e-9 {
                break;
            }
        }
        let total = |line: Self| -> f64 {
            log_odds
                .iter()
                .zip(won)
                .map(|(z, won)| loss(line.apply(*z), *won))
                .sum()
        };
        let gain = 2.0 * (total(Self::NONE) - total(line));
        // a line that turns the order round, or none at all, is a failure of the fit
        if gain > CHANCE && (0.1..10.0).contains(&line.slope) {
            Self {
                slope: round(line.slope, 15),
                offset: round(line.offset, 15),
            }
        } else {
            Self::NONE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn scores_that_are_twice_too_sure_are_halved_and_good_ones_left_alone() {
        let mut rng = Rng::new(3);
        let truth: Vec<f64> = (0..4_000).map(|at| f64::from(at) / 1_000.0 - 2.0).collect();
        let won: Vec<bool> = truth.iter().map(|z| rng.happens(logistic(*z))).collect();
        let sure: Vec<f64> = truth.iter().map(|z| 2.0 * z).collect();
        assert!((Calibration::fit(&sure, &won).slope - 0.5).abs() < 0.05);
        assert_eq!(Calibration::fit(&truth, &won), Calibration::NONE);
    }
}
