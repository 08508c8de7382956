//! Calibration after Platt (1999, "Probabilistic outputs for support vector machines"): log-odds a·z + b, fitted on
//! scores by models that have not seen the lead. A straight line in log-odds, so that reasons still add up.

use serde::{Deserialize, Serialize};

use crate::maths::{logistic, loss, round};

/// How firmly scores are believed to need no line: as if slope and shift were known to be 1 and 0 with a standard error
/// of a half.
const PRIOR: f64 = 4.0;
const MOST_STEPS: usize = 30;
/// Done when neither parameter moves more than this.
const STILL: f64 = 1e-9;

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

    /// The line that fits best, drawn towards none by a prior: few leads hardly move it, many decide.
    #[must_use]
    pub fn fit(log_odds: &[f64], won: &[bool]) -> Self {
        let mut line = Around {
            centre: log_odds.iter().sum::<f64>() / log_odds.len().max(1) as f64,
            slope: 1.0,
            shift: 0.0,
        };
        let worth = |line: &Around| -> f64 {
            let pairs = log_odds.iter().zip(won);
            line.surprise()
                + pairs
                    .map(|(z, won)| loss(line.apply(*z), *won))
                    .sum::<f64>()
        };
        let without = worth(&line);
        for _ in 0..MOST_STEPS {
            if line.step(log_odds, won) < STILL {
                break;
            }
        }
        // a line that turns the order round, or is worse than none, is a failure of the fit
        if (0.1..10.0).contains(&line.slope) && worth(&line) <= without {
            Self {
                slope: round(line.slope, 15),
                offset: round(line.apply(0.0), 15),
            }
        } else {
            Self::NONE
        }
    }
}

/// A line by its slope and its shift of the mean score, which hardly depend on one another.
struct Around {
    centre: f64,
    slope: f64,
    shift: f64,
}

impl Around {
    fn apply(&self, log_odds: f64) -> f64 {
        self.slope * (log_odds - self.centre) + self.centre + self.shift
    }

    /// How far from none, by the prior.
    fn surprise(&self) -> f64 {
        PRIOR / 2.0 * ((self.slope - 1.0).powi(2) + self.shift.powi(2))
    }

    /// One step of Newton's method; says how long it was.
    fn step(&mut self, log_odds: &[f64], won: &[bool]) -> f64 {
        let mut g = [PRIOR * (self.slope - 1.0), PRIOR * self.shift];
        let mut h = [PRIOR, 0.0, PRIOR];
        for (z, won) in log_odds.iter().zip(won) {
            let p = logistic(self.apply(*z));
            let (slope, curve) = (p - f64::from(u8::from(*won)), p * (1.0 - p));
            let z = z - self.centre;
            g = [g[0] + slope * z, g[1] + slope];
            h = [h[0] + curve * z * z, h[1] + curve * z, h[2] + curve];
        }
        let det = h[0] * h[2] - h[1] * h[1];
        let slope = (h[2] * g[0] - h[1] * g[1]) / det;
        let shift = (h[0] * g[1] - h[1] * g[0]) / det;
        self.slope -= slope;
        self.shift -= shift;
        slope.abs() + shift.abs()
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
        let good = Calibration::fit(&truth, &won);
        assert!((good.slope - 1.0).abs() < 0.1 && good.offset.abs() < 0.1);
    }

    #[test]
    fn few_leads_hardly_move_the_scores() {
        let scores = [-4.0, -2.0, 2.0, 4.0];
        let line = Calibration::fit(&scores, &[false, false, true, true]);
        assert!((1.05..1.2).contains(&line.slope), "{line:?}");
        assert_eq!(Calibration::fit(&[], &[]), Calibration::NONE);
    }
}
