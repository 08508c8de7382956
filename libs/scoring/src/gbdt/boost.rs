//! Boosting: each tree answers what the sum of those before it got wrong (Friedman 2001).

use super::bins::Binned;
use super::grow::Grower;
use super::split::Sums;
use super::{Boosting, Forest, Parts};
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
    let (forest, _) = boost(input, rows, settings, &[]);
    forest.finish()
}

/// What cross-validation found.
pub(crate) struct Chosen {
    /// How many rounds are best.
    pub(crate) rounds: usize,
    /// Log-odds of every row by trees that have not seen it.
    pub(crate) out_of_fold: Vec<f64>,
    /// The mean of the folds' forests. It has seen every row and is steadier than one forest on all rows (bagging,
    /// Breiman 1996; with folds: Parmanto, Munro, Doyle 1996), and costs no further fit.
    pub(crate) forest: Forest,
}

/// Chooses the number of rounds by log loss over the folds.
pub(crate) fn choose(input: Boosted<'_>, fold_of: &[u8], settings: &Boosting) -> Chosen {
    let folds = folds::count(fold_of);
    let mut sums = vec![0.0; settings.rounds];
    let mut forests = Vec::new();
    for fold in 0..folds {
        let (train, test) = folds::split(fold_of, fold);
        let seed = input.seed.wrapping_add(u64::from(fold));
        let (forest, watch) = boost(Boosted { seed, ..input }, &train, settings, &test);
        let last = watch.losses.last().copied().unwrap_or(f64::MAX);
        for (round, sum) in sums.iter_mut().enumerate() {
            *sum += watch.losses.get(round).copied().unwrap_or(last);
        }
        forests.push((forest, test));
    }
    let rounds = (0..sums.len())
        .min_by(|a, b| sums[*a].total_cmp(&sums[*b]))
        .unwrap_or(0)
        + 1;
    let mut out_of_fold = vec![0.0; fold_of.len()];
    let mut mean = Forest::growing(0.0);
    let mut inputs = Vec::new();
    for (mut forest, test) in forests {
        forest.trees.truncate(rounds);
        mean.add(forest.clone(), 1.0 / f64::from(folds));
        let forest = Forest::from(forest);
        for row in test {
            input.matrix.row(row as usize, &mut inputs);
            out_of_fold[row as usize] = forest.log_odds(&inputs);
        }
    }
    Chosen {
        rounds,
        out_of_fold,
        forest: mean.finish(),
    }
}

fn start(won: &[bool], rows: &[u32]) -> f64 {
    logit(share(rows.iter().map(|row| won[*row as usize])))
}

/// Log loss on rows left out, after each round.
struct Watch {
    losses: Vec<f64>,
    best: f64,
    best_round: usize,
}

impl Watch {
    /// Notes a loss; false when it is time to stop.
    fn note(&mut self, loss: f64) -> bool {
        if loss < self.best {
            (self.best, self.best_round) = (loss, self.losses.len());
        }
        self.losses.push(loss);
        self.losses.len() <= self.best_round + PATIENCE
    }
}

/// One forest, and the log loss on the watched rows after each round.
fn boost(input: Boosted<'_>, rows: &[u32], settings: &Boosting, watched: &[u32]) -> (Parts, Watch) {
    let Boosted {
        matrix,
        binned,
        won,
        seed,
    } = input;
    let mut rng = Rng::new(seed);
    let mut forest = Forest::growing(start(won, rows));
    let mut log_odds = vec![forest.start; matrix.rows];
    let mut gradients: Vec<Sums> = vec![[0.0; 2]; matrix.rows];
    let mut grower = Grower::new(binned, settings);
    let mut out = Vec::new();
    let mut watch = Watch {
        losses: Vec::new(),
        best: f64::MAX,
        best_round: 0,
    };
    for _ in 0..settings.rounds {
        out.clear();
        grower.rows.clear();
        for row in rows {
            let at = *row as usize;
            let p = logistic(log_odds[at]);
            gradients[at] = [p - f64::from(u8::from(won[at])), p * (1.0 - p)];
            let side = if rng.happens(settings.row_share) {
                &mut grower.rows
            } else {
                &mut out
            };
            side.push(*row);
        }
        grower.selected = columns(&mut rng, binned.features, settings.column_share);
        let grown = grower.grow(&gradients);
        for (node, start, end) in &grown.leaves {
            for row in &grower.rows[*start..*end] {
                log_odds[*row as usize] += grown.tree.nodes[*node].value;
            }
        }
        for row in out.iter().chain(watched) {
            log_odds[*row as usize] += grown.answer(binned, *row);
        }
        forest.trees.push(grown.tree);
        let now = || {
            watched
                .iter()
                .map(|row| loss(log_odds[*row as usize], won[*row as usize]))
                .sum()
        };
        if !watched.is_empty() && !watch.note(now()) {
            break;
        }
    }
    (forest, watch)
}

/// Some of the features, at least one, in order.
fn columns(rng: &mut Rng, features: usize, share: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..features).collect();
    rng.shuffle(&mut order);
    order.truncate(((features as f64 * share).round() as usize).clamp(1, features));
    order.sort_unstable();
    order
}
