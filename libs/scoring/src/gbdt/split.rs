//! The best split of a leaf, from its histogram.

use super::Boosting;
use super::bins::Binned;
use super::tree::{Set, with};

/// Sums of gradients and of second derivatives.
pub(super) type Sums = [f64; 2];

/// Up to so many words each is tried alone against the rest.
const FEW_WORDS: usize = 4;

/// A split that would help.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) gain: f64,
    pub(super) feature: usize,
    pub(super) rule: Rule,
    pub(super) left: Sums,
    /// Penalty on the answers of the two sides.
    pub(super) l2: f64,
}

/// Which bins of the feature go left.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Bins up to this one; missing numbers as said.
    Upto { bin: usize, missing_left: bool },
    /// These codes.
    In(Set),
}

/// A leaf whose best split is looked for.
pub(super) struct Search<'a> {
    pub(super) settings: &'a Boosting,
    pub(super) sums: Sums,
    /// Rows for each unit of second derivative: bins are counted by it, as in LightGBM.
    pub(super) rows_each: f64,
    pub(super) best: Option<Candidate>,
}

impl Search<'_> {
    /// Looks at one feature.
    pub(super) fn feature(&mut self, data: &Binned, feature: usize, bins: &[Sums]) {
        match data.cuts[feature] {
            Some(_) => self.number(feature, bins),
            None => self.words(feature, bins),
        }
    }

    fn number(&mut self, feature: usize, bins: &[Sums]) {
        let missing = bins[bins.len() - 1];
        let known = &bins[..bins.len() - 1];
        self.scan(feature, known, [0.0; 2], false);
        if missing[1] * self.rows_each >= 0.5 {
            self.scan(feature, known, missing, true);
        }
    }

    fn scan(&mut self, feature: usize, known: &[Sums], start: Sums, missing_left: bool) {
        let mut left = start;
        let l2 = self.settings.l2;
        for (bin, sums) in known.iter().enumerate() {
            if sums[1] == 0.0 {
                continue;
            }
            left = plus(left, *sums);
            if !self.enough(left) {
                continue;
            }
            let right = minus(self.sums, left);
            if !self.enough(right) {
                break;
            }
            self.offer(left, l2, feature, |search| {
                // nothing missing here: later ones go where most go
                let heavier = left[1] > right[1];
                let seen = missing_left
                    || search.sums[1] - known.iter().map(|sums| sums[1]).sum::<f64>() > 1e-9;
                Rule::Upto {
                    bin,
                    missing_left: if seen { missing_left } else { heavier },
                }
            });
        }
    }

    fn words(&mut self, feature: usize, bins: &[Sums]) {
        let full: Vec<usize> = (0..bins.len())
            .filter(|code| bins[*code][1] > 0.0)
            .collect();
        if full.len() <= FEW_WORDS {
            for code in &full {
                let left = bins[*code];
                if self.enough(left) && self.enough(minus(self.sums, left)) {
                    self.offer(left, self.settings.l2, feature, |_| {
                        Rule::In(with([0; 4], *code))
                    });
                }
            }
            return;
        }
        let smooth = self.settings.word_smooth;
        let mut order: Vec<usize> = full
            .iter()
            .copied()
            .filter(|code| bins[*code][1] * self.rows_each >= smooth)
            .collect();
        let slope = |code: usize| bins[code][0] / (bins[code][1] + smooth);
        order.sort_by(|a, b| slope(*a).total_cmp(&slope(*b)));
        self.prefixes(feature, bins, order.iter().copied());
        self.prefixes(feature, bins, order.iter().rev().copied());
    }

    /// Tries the words in order, from one end.
    fn prefixes(
        &mut self,
        feature: usize,
        bins: &[Sums],
        order: impl ExactSizeIterator<Item = usize>,
    ) {
        let most = self.settings.most_words.min(order.len().div_ceil(2));
        let l2 = self.settings.l2 + self.settings.word_l2;
        let (mut left, mut set, mut group) = ([0.0; 2], [0; 4], 0.0);
        for code in order.take(most) {
            left = plus(left, bins[code]);
            set = with(set, code);
            group += bins[code][1] * self.rows_each;
            let right = minus(self.sums, left);
            if !self.enough(right) || right[1] * self.rows_each < self.settings.word_rows {
                break;
            }
            if group >= self.settings.word_rows && self.enough(left) {
                group = 0.0;
                self.offer(left, l2, feature, |_| Rule::In(set));
            }
        }
    }

    fn enough(&self, side: Sums) -> bool {
        side[1] * self.rows_each >= self.settings.min_rows && side[1] >= self.settings.min_hessian
    }

    fn offer(&mut self, left: Sums, l2: f64, feature: usize, rule: impl FnOnce(&Self) -> Rule) {
        let right = minus(self.sums, left);
        let worth = |side: Sums, l2: f64| side[0] * side[0] / (side[1] + l2);
        let gain = worth(left, l2) + worth(right, l2) - worth(self.sums, self.settings.l2);
        if gain > self.best.as_ref().map_or(1e-9, |best| best.gain) {
            let rule = rule(self);
            self.best = Some(Candidate {
                gain,
                feature,
                rule,
                left,
                l2,
            });
        }
    }
}

pub(super) fn plus(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1]]
}

pub(super) fn minus(a: Sums, b: Sums) -> Sums {
    [a[0] - b[0], a[1] - b[1]]
}
