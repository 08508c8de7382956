//! Gradient boosting with histograms, after LightGBM (Ke et al. 2017, "LightGBM: A Highly Efficient Gradient Boosting
//! Decision Tree"): leaf-wise growth, words split by the order of their gradients (Fisher 1958), a learned direction
//! for missing numbers, histograms of siblings by subtraction. One thread; the same seed gives the same trees.

mod bins;
mod boost;
mod flat;
mod grow;
mod reasons;
mod split;
mod tree;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use bins::Binned;
pub(crate) use boost::{Boosted, Chosen, choose, fit};
use flat::Flat;
use tree::Tree;

/// How trees are grown. One setting for every tenant: the number of rounds is what cross-validation chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Boosting {
    /// Most rounds; cross-validation may find that fewer are better.
    pub rounds: usize,
    /// Share of a tree's answer that is added (shrinkage, Friedman 2001).
    pub learning_rate: f64,
    /// Most leaves of a tree.
    pub leaves: usize,
    /// Fewest rows of a leaf.
    pub min_rows: f64,
    /// Least sum of p(1 − p) of a leaf.
    pub min_hessian: f64,
    /// Penalty on a leaf's answer.
    pub l2: f64,
    /// Share of the features that each split is chosen from.
    pub feature_share: f64,
    /// Pulls the order of rare words to the middle.
    pub word_smooth: f64,
    /// Further penalty on a split by words.
    pub word_l2: f64,
    /// Fewest rows of the words that are moved to the other side in one go.
    pub word_rows: f64,
    /// Most words on the smaller side of a split.
    pub most_words: usize,
    /// Most bins of a number.
    pub bins: usize,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            rounds: 300,
            learning_rate: 0.06,
            leaves: 40,
            min_rows: 20.0,
            min_hessian: 1e-3,
            l2: 0.5,
            feature_share: 0.5,
            word_smooth: 10.0,
            word_l2: 20.0,
            word_rows: 100.0,
            most_words: 32,
            bins: 255,
        }
    }
}

/// Trees whose answers add up to log-odds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub(crate) struct Forest {
    /// Where the sum starts: log-odds of the share of won leads.
    start: f64,
    trees: Vec<Tree>,
    /// The same trees for scoring.
    flat: Flat,
}

#[derive(Clone, Serialize, Deserialize)]
struct Parts {
    start: f64,
    trees: Vec<Tree>,
}

impl From<Forest> for Parts {
    fn from(Forest { start, trees, .. }: Forest) -> Self {
        Self { start, trees }
    }
}

impl From<Parts> for Forest {
    fn from(Parts { start, trees }: Parts) -> Self {
        let flat = Flat::new(&trees);
        Self { start, trees, flat }
    }
}

impl Forest {
    const fn growing(start: f64) -> Parts {
        Parts {
            start,
            trees: Vec::new(),
        }
    }

    /// Expected log-odds over the training rows: where the contributions start.
    pub(crate) fn base(&self) -> f64 {
        self.start + self.flat.expected()
    }

    /// Log-odds of one lead.
    pub(crate) fn log_odds(&self, inputs: &[f64]) -> f64 {
        self.start + self.flat.answer(inputs)
    }

    /// Adds what each feature contributes on the way from the root to the leaf (Saabas 2014, "Interpreting random
    /// forests"): cheap, and adds up, but depends on the order of the splits.
    pub(crate) fn path_contributions(&self, inputs: &[f64], into: &mut [f64]) {
        self.flat.path_contributions(inputs, into);
    }

    /// Adds the exact Shapley values with the training rows as background (path-dependent TreeSHAP, Lundberg et al.
    /// 2020, "From local explanations to global understanding with explainable AI for trees", algorithm 2).
    pub(crate) fn shapley_contributions(&self, inputs: &[f64], into: &mut [f64]) {
        let mut shapley =
            reasons::Shapley::new(self.trees.iter().map(Tree::depth).max().unwrap_or(0));
        for tree in &self.trees {
            shapley.add(tree, inputs, into);
        }
    }
}

impl Parts {
    /// Adds another forest with a weight.
    fn add(&mut self, other: Self, weight: f64) {
        self.start += weight * other.start;
        for mut tree in other.trees {
            for node in &mut tree.nodes {
                node.value *= weight;
            }
            self.trees.push(tree);
        }
    }

    /// Rounds the answers, so that the stored forest is this one.
    fn finish(mut self) -> Forest {
        self.start = crate::maths::round(self.start, 15);
        for tree in &mut self.trees {
            tree.finish();
        }
        self.into()
    }
}
