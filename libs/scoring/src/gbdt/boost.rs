//! Boosting: each tree answers what the sum of those before it got wrong (Friedman 2001).

use super::bins::Binned;
use super::grow::Grower;
use super::split::Sums;
use super::{Boosting, Forest};
use crate::features::Matrix;
use crate::folds;
use crate::maths::{logistic, logit, loss, share};
use crate::rng::Rng;

/// Rounds without a better log loss on rows left out after which boosting stops.
const PATIENCE: usize = 40;

/// What a fit needs besides its settings.
#[derive(Clone, Copy)]
pub(crate) struct Boosted<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) binned: &'a Binned,
    pub(crate) won: &'a [bool],
    pub(crate) seed: u64,
}

/// Fits on some rows.
pub(crate) fn fit(input: Boosted<'_>, rows: &[u32], settings: &Boosting) -> Forest {
    let forests = settings.forests.max(1);
    let mut all = Forest { start: start(input.won, rows), trees: Vec::new() };
    for forest in 0..forests {
        let seed = input.seed.wrapping_add(forest as u64);
        let (own, _) = boost(Boosted { seed, ..input }, rows, settings, &[]);
        all.trees.extend(own.trees);
    }
    for node in all.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        node.value /= forests as f64;
    }
    all.finish()
}

/// What cross-validation found.
pub(crate) struct Chosen {
    /// Rounds for a fit on all rows.
    pub(crate) rounds: usize,
    /// Log-odds of every row by trees that have not seen it.
    pub(crate) out_of_fold: Vec<f64>,
}

/// Chooses the number of rounds by log loss over the folds.
pub(crate) fn choose(input: Boosted<'_>, fold_of: &[u8], settings: &Boosting) -> Chosen {
    let folds = fold_of.iter().max().map_or(0, |last| last + 1);
    let mut sums = vec![0.0; settings.rounds];
    let mut forests = Vec::new();
    for fold in 0..folds {
        let (train, test) = folds::split(fold_of, fold);
        let (forest, losses) = boost(input, &train, settings, &test);
        let last = losses.last().copied().unwrap_or(f64::MAX);
        for (round, sum) in sums.iter_mut().enumerate() {
            *sum += losses.get(round).copied().unwrap_or(last);
        }
        forests.push((forest, test));
    }
    let best = (0..sums.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0);
    let mut out_of_fold = vec![0.0; fold_of.len()];
    for (forest, test) in forests {
        for row in test {
            let answers = forest.trees.iter().take(best + 1).map(|tree| tree.answer_in(&input.matrix.columns, row as usize));
            out_of_fold[row as usize] = forest.start + answers.sum::<f64>();
        }
    }
    Chosen { rounds: best + 1, out_of_fold }
}

fn start(won: &[bool], rows: &[u32]) -> f64 {
    logit(share(rows.iter().map(|row| won[*row as usize])))
}

/// One forest, and the log loss on the watched rows after each round.
fn boost(input: Boosted<'_>, rows: &[u32], settings: &Boosting, watched: &[u32]) -> (Forest, Vec<f64>) {
    let mut rng = Rng::new(input.seed);
    let mut forest = Forest { start: start(input.won, rows), trees: Vec::new() };
    let mut log_odds = vec![forest.start; input.matrix.rows];
    let mut gradients: Vec<Sums> = vec![[0.0; 2]; input.matrix.rows];
    let mut grower = Grower::new(input.binned, settings);
    let mut out = Vec::new();
    let (mut losses, mut best) = (Vec::new(), (f64::MAX, 0));
    for round in 0..settings.rounds {
        out.clear();
        grower.rows.clear();
        for row in rows {
            let (at, won) = (*row as usize, input.won[*row as usize]);
            let p = logistic(log_odds[at]);
            gradients[at] = [p - f64::from(u8::from(won)), p * (1.0 - p)];
            let side = if rng.happens(settings.row_share) { &mut grower.rows } else { &mut out };
            side.push(*row);
        }
        grower.selected = columns(&mut rng, input.binned.features, settings.column_share);
        let grown = grower.grow(&gradients);
        for (node, start, end) in &grown.leaves {
            for row in &grower.rows[*start..*end] {
                log_odds[*row as usize] += grown.tree.nodes[*node].value;
            }
        }
        for row in out.iter().chain(watched) {
            log_odds[*row as usize] += grown.tree.answer_in(&input.matrix.columns, *row as usize);
        }
        forest.trees.push(grown.tree);
        if watched.is_empty() {
            continue;
        }
        let now: f64 = watched.iter().map(|row| loss(log_odds[*row as usize], input.won[*row as usize])).sum();
        losses.push(now);
        best = if now < best.0 { (now, round) } else { best };
        if round >= best.1 + PATIENCE {
            break;
        }
    }
    (forest, losses)
}

/// Some of the features, at least one, in order.
fn columns(rng: &mut Rng, features: usize, share: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..features).collect();
    rng.shuffle(&mut order);
    order.truncate(((features as f64 * share).round() as usize).clamp(1, features));
    order.sort_unstable();
    order
}
