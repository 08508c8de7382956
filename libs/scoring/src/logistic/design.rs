//! The design matrix: numbers standardised with the median for missing ones, words one-hot.

use serde::{Deserialize, Serialize};

use crate::features::{Feature, Matrix};
use crate::maths::round;

/// Most columns: a Newton step costs their cube. The rarest words beyond share one column.
const MOST_COLUMNS: usize = 500;

/// How one feature becomes columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Slot {
    /// (x − mean) / sd, and one more column that is 1 where the number is missing.
    Number {
        column: u32,
        missing: Option<u32>,
        median: f64,
        mean: f64,
        sd: f64,
        least: f64,
        most: f64,
    },
    /// The column of each code; none for a code that training has not seen.
    Category(Vec<Option<u32>>),
    /// Says nothing in these rows.
    Nothing,
}

impl Slot {
    /// Calls `give` with the columns that are not 0.
    pub(super) fn entries(&self, input: f64, mut give: impl FnMut(u32, f64)) {
        match self {
            Self::Number {
                column,
                missing,
                median,
                mean,
                sd,
                least,
                most,
            } => {
                if let (true, Some(missing)) = (input.is_nan(), missing) {
                    give(*missing, 1.0);
                }
                // far beyond what training has seen a straight line is a guess
                let number = if input.is_nan() {
                    *median
                } else {
                    input.clamp(*least, *most)
                };
                give(*column, (number - mean) / sd);
            }
            Self::Category(columns) => {
                if let Some(column) = columns.get(input as usize).copied().flatten() {
                    give(column, 1.0);
                }
            }
            Self::Nothing => {}
        }
    }

    /// All columns of this feature.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        let (number, codes): (Vec<u32>, &[Option<u32>]) = match self {
            Self::Number {
                column, missing, ..
            } => (std::iter::once(*column).chain(*missing).collect(), &[]),
            Self::Category(columns) => (Vec::new(), columns),
            Self::Nothing => (Vec::new(), &[]),
        };
        let mut codes: Vec<u32> = codes.iter().copied().flatten().collect();
        codes.sort_unstable();
        codes.dedup();
        number.into_iter().chain(codes)
    }
}

/// How features become columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Design {
    pub(super) slots: Vec<Slot>,
    /// Mean of each column.
    pub(super) means: Vec<f64>,
    width: u32,
}

impl Design {
    /// Learns medians, spreads and words from some rows.
    pub(super) fn fit(matrix: &Matrix, features: &[Feature], rows: &[u32]) -> Self {
        let least = least_rows(matrix, features, rows);
        let mut width = 0;
        let slots = features
            .iter()
            .zip(&matrix.columns)
            .map(|(feature, column)| match feature.codes() {
                0 => number(column, rows, &mut width),
                codes => category(column, rows, codes, least, &mut width),
            })
            .collect();
        Self {
            slots,
            means: Vec::new(),
            width,
        }
    }

    pub(super) const fn width(&self) -> usize {
        self.width as usize
    }

    /// Some rows in columns; those that are 0 are left out.
    pub(super) fn sparse(&self, matrix: &Matrix, rows: &[u32]) -> Sparse {
        let mut sparse = Sparse {
            starts: vec![0],
            entries: Vec::new(),
            width: self.width(),
        };
        for row in rows {
            let start = sparse.entries.len();
            for (slot, column) in self.slots.iter().zip(&matrix.columns) {
                slot.entries(column[*row as usize], |column, value| {
                    sparse.entries.push((column, value));
                });
            }
            sparse.entries[start..].sort_unstable_by_key(|(column, _)| *column);
            sparse.starts.push(sparse.entries.len());
        }
        sparse
    }
}

fn counts(column: &[f64], rows: &[u32], codes: usize) -> Vec<usize> {
    let mut counts = vec![0; codes];
    for row in rows {
        counts[column[*row as usize] as usize] += 1;
    }
    counts
}

/// The fewest rows that a word must have for a column of its own, so that there are not too many columns.
fn least_rows(matrix: &Matrix, features: &[Feature], rows: &[u32]) -> usize {
    let words = features
        .iter()
        .zip(&matrix.columns)
        .filter(|(feature, _)| feature.codes() > 0);
    let mut all: Vec<usize> = words
        .flat_map(|(feature, column)| counts(column, rows, feature.codes()))
        .collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.get(MOST_COLUMNS).map_or(1, |count| count + 1)
}

fn number(column: &[f64], rows: &[u32], width: &mut u32) -> Slot {
    let mut known: Vec<f64> = rows
        .iter()
        .map(|row| column[*row as usize])
        .filter(|cell| !cell.is_nan())
        .collect();
    if known.is_empty() {
        return Slot::Nothing;
    }
    known.sort_unstable_by(f64::total_cmp);
    let middle = known.len() / 2;
    let median = if known.len() % 2 == 1 {
        known[middle]
    } else {
        f64::midpoint(known[middle - 1], known[middle])
    };
    let (all, gaps) = (rows.len() as f64, (rows.len() - known.len()) as f64);
    let mean = (known.iter().sum::<f64>() + gaps * median) / all;
    let spread = known.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>()
        + gaps * (median - mean).powi(2);
    let sd = (spread / all).sqrt();
    let range = known[known.len() - 1] - known[0];
    let mut next = || {
        *width += 1;
        *width - 1
    };
    let missing = (gaps > 0.0).then(&mut next);
    Slot::Number {
        column: next(),
        missing,
        median: round(median, 15),
        mean: round(mean, 15),
        sd: if sd > 1e-12 { round(sd, 15) } else { 1.0 },
        least: round(known[0] - range, 15),
        most: round(known[known.len() - 1] + range, 15),
    }
}

fn category(column: &[f64], rows: &[u32], codes: usize, least: usize, width: &mut u32) -> Slot {
    let counts = counts(column, rows, codes);
    let unknown = codes - 2;
    let pooled =
        (0..codes).any(|code| counts[code] > 0 && (counts[code] < least || code == unknown));
    let shared = pooled.then_some(*width);
    *width += u32::from(pooled);
    let column = |code: usize| match counts[code] {
        _ if code == unknown => shared,
        // a word that only the rows left out have is as good as unknown
        0 if code < unknown => shared,
        0 => None,
        count if count < least => shared,
        _ => {
            *width += 1;
            Some(*width - 1)
        }
    };
    Slot::Category((0..codes).map(column).collect())
}

/// Rows of which only what is not 0 is kept, ordered by column.
pub(super) struct Sparse {
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
    pub(super) width: usize,
}

impl Sparse {
    pub(super) const fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn row(&self, row: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    /// Weights times row, plus the intercept, which is the last weight.
    pub(super) fn dot(&self, row: usize, weights: &[f64]) -> f64 {
        weights[self.width]
            + self
                .row(row)
                .iter()
                .map(|(column, value)| weights[*column as usize] * value)
                .sum::<f64>()
    }

    /// Mean of each column.
    pub(super) fn means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for (column, value) in &self.entries {
            sums[*column as usize] += value;
        }
        let rows = self.rows().max(1) as f64;
        sums.iter().map(|sum| sum / rows).collect()
    }
}
