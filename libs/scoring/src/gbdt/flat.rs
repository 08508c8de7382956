//! A forest laid out for scoring. Walking through some hundred trees waits for memory more than it computes, so a node
//! takes twelve bytes, and a lead's numbers are compared with all thresholds once, not at every node.

use std::collections::HashMap;

use super::tree::{BY_NUMBER, Set, Tree};

const BY_WORD: u16 = 1;
const MISSING_LEFT: u16 = 2;
/// Rank of a number that is missing.
const MISSING: u16 = u16::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    value: f32,
    feature: u16,
    /// Rank of the threshold, or number of the set.
    at: u16,
    /// Left child from the root on; 0 for a leaf.
    left: u16,
    flags: u16,
}

/// The nodes of all trees.
#[derive(Debug, Clone, Default)]
pub(super) struct Flat {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    /// Each once.
    sets: Vec<Set>,
    /// The thresholds of each feature, in order.
    thresholds: Vec<Vec<f64>>,
}

impl Flat {
    pub(super) fn new(trees: &[Tree]) -> Self {
        let mut flat = Self::default();
        let splits = || {
            trees
                .iter()
                .flat_map(|tree| &tree.nodes)
                .filter(|node| !node.is_leaf())
        };
        let features = splits()
            .map(|node| node.feature as usize + 1)
            .max()
            .unwrap_or(0);
        flat.thresholds.resize(features, Vec::new());
        for node in splits().filter(|node| node.set == BY_NUMBER) {
            flat.thresholds[node.feature as usize].push(node.threshold);
        }
        for thresholds in &mut flat.thresholds {
            thresholds.sort_unstable_by(f64::total_cmp);
            thresholds.dedup();
        }
        let mut known = HashMap::new();
        for tree in trees {
            flat.add(tree, &mut known);
        }
        flat
    }

    fn add(&mut self, tree: &Tree, known: &mut HashMap<Set, u16>) {
        self.roots.push(self.nodes.len() as u32);
        for node in &tree.nodes {
            let by_word = node.set != BY_NUMBER && !node.is_leaf();
            let at = if node.is_leaf() {
                0
            } else if by_word {
                let set = tree.sets[node.set as usize];
                usize::from(*known.entry(set).or_insert_with(|| {
                    self.sets.push(set);
                    (self.sets.len() - 1) as u16
                }))
            } else {
                self.thresholds[node.feature as usize]
                    .partition_point(|threshold| *threshold < node.threshold)
            };
            self.nodes.push(Node {
                value: node.value as f32,
                feature: node.feature,
                at: at as u16,
                left: node.left as u16,
                flags: if by_word { BY_WORD } else { 0 }
                    | if node.missing_left { MISSING_LEFT } else { 0 },
            });
        }
    }

    /// Each number's rank among the thresholds of its feature; each word's code.
    pub(super) fn ranks(&self, inputs: &[f64]) -> Vec<u16> {
        let rank = |(at, input): (usize, &f64)| match self.thresholds.get(at) {
            _ if input.is_nan() => MISSING,
            Some(thresholds) if !thresholds.is_empty() => {
                thresholds.partition_point(|threshold| threshold < input) as u16
            }
            _ => *input as u16,
        };
        inputs.iter().enumerate().map(rank).collect()
    }

    fn next(&self, node: Node, ranks: &[u16]) -> usize {
        let rank = ranks[node.feature as usize];
        let left = if node.flags & BY_WORD != 0 {
            self.sets[node.at as usize][usize::from(rank / 64 % 4)] >> (rank % 64) & 1 == 1
        } else {
            (rank <= node.at) | (rank == MISSING && node.flags & MISSING_LEFT != 0)
        };
        node.left as usize + usize::from(!left)
    }

    /// Sum of the answers of all trees.
    pub(super) fn answer(&self, inputs: &[f64]) -> f64 {
        let ranks = self.ranks(inputs);
        let mut sum = 0.0;
        for root in &self.roots {
            let tree = &self.nodes[*root as usize..];
            let mut node = tree[0];
            while node.left != 0 {
                node = tree[self.next(node, &ranks)];
            }
            sum += f64::from(node.value);
        }
        sum
    }

    /// Sum of the mean answers of all trees.
    pub(super) fn expected(&self) -> f64 {
        self.roots
            .iter()
            .map(|root| f64::from(self.nodes[*root as usize].value))
            .sum()
    }

    /// Adds what each feature changes on the way down.
    pub(super) fn path_contributions(&self, inputs: &[f64], into: &mut [f64]) {
        let ranks = self.ranks(inputs);
        for root in &self.roots {
            let tree = &self.nodes[*root as usize..];
            let mut node = tree[0];
            while node.left != 0 {
                let next = tree[self.next(node, &ranks)];
                into[node.feature as usize] += f64::from(next.value) - f64::from(node.value);
                node = next;
            }
        }
    }
}
