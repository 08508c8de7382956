//! Stratified folds for cross-validation.

use crate::rng::Rng;

/// The fold of each row: every fold has about the same share of won leads.
pub(crate) fn stratified(won: &[bool], folds: usize, seed: u64) -> Vec<u8> {
    let mut fold_of = vec![0_u8; won.len()];
    let mut next = 0;
    let mut rng = Rng::new(seed);
    for class in [true, false] {
        let mut rows: Vec<usize> = (0..won.len()).filter(|row| won[*row] == class).collect();
        rng.shuffle(&mut rows);
        for row in rows {
            fold_of[row] = next;
            next = (next + 1) % folds as u8;
        }
    }
    fold_of
}

/// Rows to train on and rows to test on, for one fold.
pub(crate) fn split(fold_of: &[u8], fold: u8) -> (Vec<u32>, Vec<u32>) {
    (0..fold_of.len() as u32).partition(|row| fold_of[*row as usize] != fold)
}

/// Every row.
pub(crate) fn all(rows: usize) -> Vec<u32> {
    (0..rows as u32).collect()
}

/// How many folds there are.
pub(crate) fn count(fold_of: &[u8]) -> u8 {
    fold_of.iter().max().map_or(0, |last| last + 1)
}
