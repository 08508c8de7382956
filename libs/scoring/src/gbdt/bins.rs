//! Features in bins: a number by cuts between its values, a word by its code.

use crate::features::{Feature, Matrix};
use crate::maths::round;

/// Fewest rows of a number's bin.
const LEAST_ROWS: usize = 3;
/// Bins of all features together: they are numbered with 16 bits.
const MOST_BINS: usize = 65_000;

/// All rows in bins, row by row. Bins are numbered over all features, so that one histogram holds them all.
pub(crate) struct Binned {
    pub(super) bins: Vec<u16>,
    pub(super) features: usize,
    /// First bin of each feature, and the end.
    pub(super) offsets: Vec<usize>,
    /// Cuts of each number; `None` for words. A number has one bin more than cuts, and one for missing, the last.
    pub(super) cuts: Vec<Option<Vec<f64>>>,
}

impl Binned {
    /// Looks at no outcome.
    pub(crate) fn new(matrix: &Matrix, features: &[Feature], most: usize) -> Self {
        let most = most.min(MOST_BINS / features.len().max(1)).clamp(4, 255);
        let mut offsets = vec![0];
        let mut cuts = Vec::new();
        for (feature, column) in features.iter().zip(&matrix.columns) {
            let (own, count) = match feature.codes() {
                0 => {
                    let own = cuts_of(column, most - 2);
                    let count = own.len() + 2;
                    (Some(own), count)
                }
                codes => (None, codes),
            };
            cuts.push(own);
            offsets.push(offsets[offsets.len() - 1] + count);
        }
        let mut bins = Vec::with_capacity(matrix.rows * features.len());
        for row in 0..matrix.rows {
            for (at, column) in matrix.columns.iter().enumerate() {
                bins.push((offsets[at] + bin(cuts[at].as_deref(), column[row])) as u16);
            }
        }
        Self {
            bins,
            features: features.len(),
            offsets,
            cuts,
        }
    }

    /// The bin of a row within a feature.
    pub(super) fn local(&self, row: u32, feature: usize) -> usize {
        self.bins[row as usize * self.features + feature] as usize - self.offsets[feature]
    }
}

fn bin(cuts: Option<&[f64]>, value: f64) -> usize {
    match cuts {
        None => value as usize,
        Some(cuts) if value.is_nan() => cuts.len() + 1,
        Some(cuts) => cuts.partition_point(|cut| *cut < value),
    }
}

/// At most `most` cuts with about the same number of rows between them; frequent values have a bin of their own.
fn cuts_of(column: &[f64], most: usize) -> Vec<f64> {
    let mut values: Vec<f64> = column
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let groups: Vec<&[f64]> = values.chunk_by(|a, b| a == b).collect();
    let fit = groups.len() <= most;
    let mut cuts = Vec::new();
    let (mut in_bin, mut left) = (0, values.len());
    for pair in groups.windows(2) {
        in_bin += pair[0].len();
        let target = if fit {
            LEAST_ROWS
        } else {
            left.div_ceil(most + 1 - cuts.len()).max(LEAST_ROWS)
        };
        if in_bin >= target && cuts.len() < most {
            cuts.push(between(pair[0][0], pair[1][0]));
            left -= in_bin;
            in_bin = 0;
        }
    }
    cuts
}

fn between(low: f64, high: f64) -> f64 {
    let middle = round(f64::midpoint(low, high), 15);
    if low <= middle && middle < high {
        middle
    } else {
        low
    }
}
