//! How good probabilities are.

use serde::{Deserialize, Serialize};

use crate::maths::{logit, loss, share};

/// How good probabilities are, on leads of which the outcome is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Share of pairs of a won and a lost lead in which the won one has the higher score (Hanley, McNeil 1982).
    pub roc_auc: f64,
    /// Average precision: the area under precision over recall.
    pub pr_auc: f64,
    /// Mean squared error of the probability (Brier 1950).
    pub brier: f64,
    /// Mean negative log-likelihood.
    pub log_loss: f64,
    /// Expected calibration error over ten bins of equal width (Naeini, Cooper, Hauskrecht 2015).
    pub ece: f64,
    /// Share of won leads in the top tenth over the share in all.
    pub lift_top10: f64,
    /// Log loss of always giving the share of won leads.
    pub baseline_log_loss: f64,
    /// How many leads.
    pub n: usize,
}

impl Metrics {
    /// Of probabilities and outcomes, pairwise; `None` without both a won and a lost lead.
    #[must_use]
    pub fn of(probabilities: &[f64], won: &[bool]) -> Option<Self> {
        let n = probabilities.len().min(won.len());
        let base = share(won.iter().copied().take(n));
        if base <= 0.0 || base >= 1.0 {
            return None;
        }
        let pairs = || probabilities.iter().zip(won);
        let mean = |sum: f64| sum / n as f64;
        let ranked = ranked(probabilities, won);
        let table = calibration_table(probabilities, won);
        Some(Self {
            roc_auc: roc_auc(&ranked),
            pr_auc: average_precision(&ranked),
            brier: mean(
                pairs()
                    .map(|(p, won)| (p - f64::from(u8::from(*won))).powi(2))
                    .sum(),
            ),
            log_loss: mean(pairs().map(|(p, won)| loss(logit(*p), *won)).sum()),
            ece: table
                .iter()
                .map(|bin| (bin.predicted - bin.observed).abs() * bin.n as f64 / n as f64)
                .sum(),
            lift_top10: share(ranked.iter().take(n.div_ceil(10)).map(|(_, won)| *won)) / base,
            baseline_log_loss: -(base * base.ln() + (1.0 - base) * (1.0 - base).ln()),
            n,
        })
    }
}

/// What was said and what came of it, for leads with similar probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean probability.
    pub predicted: f64,
    /// Share of won leads.
    pub observed: f64,
    /// How many leads.
    pub n: usize,
}

/// Ten bins of equal width; empty ones are left out.
#[must_use]
pub fn calibration_table(probabilities: &[f64], won: &[bool]) -> Vec<CalibrationBin> {
    let mut sums = [(0.0, 0_usize, 0_usize); 10];
    for (p, won) in probabilities.iter().zip(won) {
        let bin = &mut sums[((p * 10.0) as usize).min(9)];
        *bin = (bin.0 + p, bin.1 + usize::from(*won), bin.2 + 1);
    }
    let full = sums.iter().filter(|(_, _, n)| *n > 0);
    full.map(|(p, hits, n)| CalibrationBin {
        predicted: p / *n as f64,
        observed: *hits as f64 / *n as f64,
        n: *n,
    })
    .collect()
}

/// Pairs, highest probability first.
fn ranked(probabilities: &[f64], won: &[bool]) -> Vec<(f64, bool)> {
    let mut pairs: Vec<(f64, bool)> = probabilities
        .iter()
        .copied()
        .zip(won.iter().copied())
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

/// Won and lost leads of each group with the same probability.
fn ties(ranked: &[(f64, bool)]) -> impl Iterator<Item = (f64, f64)> {
    ranked.chunk_by(|a, b| a.0 == b.0).map(|group| {
        let won = group.iter().filter(|(_, won)| *won).count();
        (won as f64, (group.len() - won) as f64)
    })
}

fn roc_auc(ranked: &[(f64, bool)]) -> f64 {
    let (mut area, mut won_above, mut lost_all) = (0.0, 0.0, 0.0);
    for (won, lost) in ties(ranked) {
        area += lost * (won_above + won / 2.0);
        won_above += won;
        lost_all += lost;
    }
    area / (won_above * lost_all)
}

fn average_precision(ranked: &[(f64, bool)]) -> f64 {
    let (mut sum, mut won_above, mut above) = (0.0, 0.0, 0.0);
    for (won, lost) in ties(ranked) {
        won_above += won;
        above += won + lost;
        sum += won * won_above / above;
    }
    sum / won_above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_leads_give_the_numbers_that_scikit_learn_gives() {
        let metrics = Metrics::of(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]).unwrap();
        assert!((metrics.roc_auc - 0.75).abs() < 1e-12);
        assert!((metrics.pr_auc - 0.833_333_333_333).abs() < 1e-9);
        assert!((metrics.brier - 0.158_125).abs() < 1e-12);
        assert!(
            (metrics.log_loss - 0.472_287_952_6).abs() < 1e-6,
            "{}",
            metrics.log_loss
        );
    }

    #[test]
    fn leads_with_the_same_probability_count_half() {
        let metrics = Metrics::of(&[0.5, 0.5, 0.5, 0.5], &[false, true, false, true]).unwrap();
        assert!((metrics.roc_auc - 0.5).abs() < 1e-12 && (metrics.pr_auc - 0.5).abs() < 1e-12);
        assert!(
            metrics.ece.abs() < 1e-12
                && (metrics.log_loss - metrics.baseline_log_loss).abs() < 1e-12
        );
    }

    #[test]
    fn without_a_lost_lead_there_is_nothing_to_measure() {
        assert!(Metrics::of(&[0.5, 0.6], &[true, true]).is_none());
    }
}
