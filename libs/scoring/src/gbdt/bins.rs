//! Features in bins: a number by cuts between its values, a word by its code.

use crate::features::{Feature, Matrix};
use crate::maths::round;

/// Fewest rows of a number's bin.
const LEAST_ROWS: usize = 3;
/// All rows in bins.
pub(crate) struct Binned {
    /// Row by row, for histograms: they read many features of a row.
    pub(super) bins: Vec<u8>,
    /// Column by column, for splits: they read one feature of many rows.
    pub(super) columns: Vec<Vec<u8>>,
    pub(super) features: usize,
    /// How many bins each feature has.
    pub(super) counts: Vec<usize>,
    /// Cuts of each number; `None` for words. A number has one bin more than cuts, and one for missing, the last.
    pub(super) cuts: Vec<Option<Vec<f64>>>,
}

impl Binned {
    /// Looks at no outcome.
    pub(crate) fn new(matrix: &Matrix, features: &[Feature], most: usize) -> Self {
        let most = most.clamp(4, 255);
        let (mut cuts, mut counts, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for (feature, column) in features.iter().zip(&matrix.columns) {
            let own = match feature.codes() {
                0 => Some(cuts_of(column, most - 2)),
                _ => None,
            };
            counts.push(own.as_ref().map_or(feature.codes(), |own| own.len() + 2));
            let in_bins = column.iter().map(|value| bin(own.as_deref(), *value) as u8);
            columns.push(in_bins.collect::<Vec<u8>>());
            cuts.push(own);
        }
        let mut bins = Vec::with_capacity(matrix.rows * features.len());
        for row in 0..matrix.rows {
            bins.extend(columns.iter().map(|column| column[row]));
        }
        Self {
            bins,
            columns,
            features: features.len(),
            counts,
            cuts,
        }
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
