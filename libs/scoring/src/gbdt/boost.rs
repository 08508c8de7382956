//! Boosting: each tree answers what the sum of those before it got wrong (Friedman 2001).

use super::bins::Binned;
use super::grow::{Gradient, Grower};
use super::{Boosting, Forest, Parts};
use crate::folds;
use crate::maths::{logit, share};
use crate::rng::Rng;

/// Rounds without a better log loss on rows left out after which boosting stops.
const PATIENCE: usize = 40;
/// Odds beyond these say nothing more.
const MOST_ODDS: f64 = 1e15;

/// What a fit needs besides its settings.
#[derive(Clone, Copy)]
pub(crate) struct Boosted<'a> {
    pub(crate) binned: &'a Binned,
    pub(crate) won: &'a [bool],
    pub(crate) seed: u64,
}

/// Fits on some rows.
pub(crate) fn fit(input: Boosted<'_>, rows: Vec<u32>, settings: &Boosting) -> Forest {
    let mut grower = Grower::new(input.binned, settings);
    let mut gradients = vec![[0.0; 2]; input.won.len()];
    let mut booster = Booster::new(input, rows, Vec::new());
    for _ in 0..settings.rounds {
        booster.round(&mut grower, &mut gradients);
    }
    booster.forest.finish()
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

/// Chooses the number of rounds by log loss over the folds, which go on together until it no longer falls.
pub(crate) fn choose(input: Boosted<'_>, fold_of: &[u8], settings: &Boosting) -> Chosen {
    let mut grower = Grower::new(input.binned, settings);
    let mut gradients = vec![[0.0; 2]; fold_of.len()];
    let mut boosters: Vec<Booster<'_>> = (0..folds::count(fold_of))
        .map(|fold| {
            let (train, test) = folds::split(fold_of, fold);
            let seed = input.seed.wrapping_add(u64::from(fold));
            Booster::new(Boosted { seed, ..input }, train, test)
        })
        .collect();
    let (mut best, mut rounds) = (f64::MAX, 0);
    let mut out_of_fold = vec![0.0; fold_of.len()];
    for round in 1..=settings.rounds.max(1) {
        let mut loss = 0.0;
        for booster in &mut boosters {
            booster.round(&mut grower, &mut gradients);
            loss += booster.loss();
        }
        if loss < best {
            (best, rounds) = (loss, round);
            for booster in &boosters {
                for row in &booster.test {
                    out_of_fold[*row as usize] = booster.odds[*row as usize];
                }
            }
        } else if round >= rounds + PATIENCE {
            break;
        }
    }
    for odds in &mut out_of_fold {
        *odds = odds.ln();
    }
    let mut mean = Forest::growing(0.0);
    let share = 1.0 / boosters.len() as f64;
    for mut booster in boosters {
        booster.forest.trees.truncate(rounds);
        mean.add(booster.forest, share);
    }
    Chosen {
        rounds,
        out_of_fold,
        forest: mean.finish(),
    }
}

/// A forest that grows.
struct Booster<'a> {
    input: Boosted<'a>,
    rng: Rng,
    train: Vec<u32>,
    test: Vec<u32>,
    /// Of all rows, by the trees so far. A tree adds to log-odds, so it multiplies odds, and no row needs a logarithm.
    odds: Vec<f64>,
    forest: Parts,
}

impl<'a> Booster<'a> {
    fn new(input: Boosted<'a>, train: Vec<u32>, test: Vec<u32>) -> Self {
        let start = logit(share(train.iter().map(|row| input.won[*row as usize])));
        Self {
            input,
            rng: Rng::new(input.seed),
            train,
            test,
            odds: vec![start.exp(); input.won.len()],
            forest: Forest::growing(start),
        }
    }

    /// One more tree.
    fn round(&mut self, grower: &mut Grower<'_>, gradients: &mut [Gradient]) {
        for row in &self.train {
            let at = *row as usize;
            let odds = self.odds[at];
            let lost = 1.0 / (1.0 + odds);
            let won = odds * lost;
            let slope = if self.input.won[at] { -lost } else { won };
            gradients[at] = [slope as f32, (won * lost) as f32];
        }
        grower.seen.clone_from(&self.train);
        grower.unseen.clone_from(&self.test);
        let (tree, leaves) = grower.grow(gradients, &mut self.rng);
        for leaf in leaves {
            let factor = tree.nodes[leaf.node].value.exp();
            let (seen, unseen) = (&grower.seen[leaf.seen], &grower.unseen[leaf.unseen]);
            for row in seen.iter().chain(unseen) {
                let odds = &mut self.odds[*row as usize];
                *odds = (*odds * factor).clamp(1.0 / MOST_ODDS, MOST_ODDS);
            }
        }
        self.forest.trees.push(tree);
    }

    /// Log loss on the rows left out: the logarithm of a product, a few factors at a time.
    fn loss(&self) -> f64 {
        let likelihood = |row: &u32| {
            let odds = self.odds[*row as usize];
            if self.input.won[*row as usize] {
                odds / (1.0 + odds)
            } else {
                1.0 / (1.0 + odds)
            }
        };
        let products = self.test.chunks(16);
        -products
            .map(|rows| rows.iter().map(likelihood).product::<f64>().ln())
            .sum::<f64>()
    }
}
