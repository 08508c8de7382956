//! One tree.

use serde::{Deserialize, Serialize};

use crate::maths::round;

/// A set of codes, one bit each.
pub(super) type Set = [u64; 4];

/// Marks a split by number.
pub(super) const BY_NUMBER: u16 = u16::MAX;

/// A split, or a leaf when it has no children.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Numbers up to here go left.
    pub(super) threshold: f64,
    /// The answer of a leaf; of a split the mean answer of the rows below it.
    pub(super) value: f64,
    /// How many training rows came here.
    pub(super) cover: f64,
    /// Left child, the right one follows it; 0 for a leaf, because the root is nobody's child.
    pub(super) left: u32,
    pub(super) feature: u16,
    /// Which set of codes goes left, or `BY_NUMBER`.
    pub(super) set: u16,
    pub(super) missing_left: bool,
}

impl Node {
    pub(super) const fn leaf(value: f64, cover: f64) -> Self {
        Self {
            threshold: 0.0,
            value,
            cover,
            left: 0,
            feature: 0,
            set: BY_NUMBER,
            missing_left: false,
        }
    }

    pub(super) const fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// One tree; node 0 is the root.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) sets: Vec<Set>,
}

impl Tree {
    /// The child to go to.
    pub(super) fn next(&self, node: &Node, inputs: &[f64]) -> u32 {
        let input = inputs[node.feature as usize];
        let left = if node.set != BY_NUMBER {
            let code = input as usize;
            self.sets[node.set as usize][(code / 64).min(3)] >> (code % 64) & 1 == 1
        } else if input.is_nan() {
            node.missing_left
        } else {
            input <= node.threshold
        };
        node.left + u32::from(!left)
    }

    pub(super) fn depth(&self) -> usize {
        let mut depth = vec![0; self.nodes.len()];
        for (at, node) in self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.is_leaf())
        {
            depth[node.left as usize] = depth[at] + 1;
            depth[node.left as usize + 1] = depth[at] + 1;
        }
        depth.into_iter().max().unwrap_or(0)
    }

    /// Rounds the answers of the leaves and sets those of the splits to the mean below. Children come after their
    /// parents, so one pass backwards does it.
    pub(super) fn finish(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            let node = self.nodes[at];
            let value = if node.is_leaf() {
                node.value
            } else {
                let (left, right) = (
                    self.nodes[node.left as usize],
                    self.nodes[node.left as usize + 1],
                );
                (left.cover * left.value + right.cover * right.value) / node.cover
            };
            self.nodes[at].value = round(value, if node.is_leaf() { 8 } else { 15 });
        }
    }
}

/// A tree in a file: shorter lists, and only what cannot be worked out again.
#[derive(Clone, Serialize, Deserialize)]
struct Parts {
    /// Feature of each split; -1 for a leaf.
    feature: Vec<i32>,
    /// Threshold of each split by number, set of each split by words, answer of each leaf.
    value: Vec<f64>,
    /// Left child; the right one follows it.
    left: Vec<u32>,
    cover: Vec<u64>,
    /// Splits by words, and splits that send missing numbers left.
    by_word: Vec<u32>,
    missing_left: Vec<u32>,
    sets: Vec<Vec<u8>>,
}

impl From<Tree> for Parts {
    fn from(tree: Tree) -> Self {
        let nodes = &tree.nodes;
        let which = |test: fn(&Node) -> bool| {
            (0_u32..)
                .zip(nodes)
                .filter(|(_, node)| !node.is_leaf() && test(node))
                .map(|(at, _)| at)
                .collect()
        };
        let value = |node: &Node| match (node.is_leaf(), node.set) {
            (true, _) => node.value,
            (false, BY_NUMBER) => node.threshold,
            (false, set) => f64::from(set),
        };
        let codes = |set: &Set| {
            (0..=255_u8)
                .filter(|code| set[*code as usize / 64] >> (code % 64) & 1 == 1)
                .collect()
        };
        Self {
            feature: nodes
                .iter()
                .map(|node| {
                    if node.is_leaf() {
                        -1
                    } else {
                        i32::from(node.feature)
                    }
                })
                .collect(),
            value: nodes.iter().map(value).collect(),
            left: nodes.iter().map(|node| node.left).collect(),
            cover: nodes.iter().map(|node| node.cover as u64).collect(),
            by_word: which(|node| node.set != BY_NUMBER),
            missing_left: which(|node| node.missing_left),
            sets: tree.sets.iter().map(codes).collect(),
        }
    }
}

impl TryFrom<Parts> for Tree {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let size = parts.feature.len();
        if size == 0 || [parts.value.len(), parts.left.len(), parts.cover.len()] != [size; 3] {
            return Err("lists of a tree differ in length");
        }
        let mut nodes = Vec::with_capacity(size);
        for at in 0..size {
            let mut node = Node::leaf(parts.value[at], parts.cover[at] as f64);
            if parts.feature[at] >= 0 {
                let left = parts.left[at];
                if left as usize <= at || left as usize + 1 >= size {
                    return Err("a child is not below its parent");
                }
                node = Node {
                    threshold: parts.value[at],
                    value: 0.0,
                    left,
                    ..node
                };
                node.feature = parts.feature[at] as u16;
            }
            nodes.push(node);
        }
        for at in parts.by_word {
            let node = nodes
                .get_mut(at as usize)
                .ok_or("a split by words that is not there")?;
            node.set = node.threshold as u16;
            if node.set as usize >= parts.sets.len() {
                return Err("a set of words that is not there");
            }
            node.threshold = 0.0;
        }
        for at in parts.missing_left {
            nodes
                .get_mut(at as usize)
                .ok_or("a split that is not there")?
                .missing_left = true;
        }
        let bits = |codes: Vec<u8>| {
            codes
                .iter()
                .fold([0; 4], |set, code| with(set, *code as usize))
        };
        let mut tree = Self {
            nodes,
            sets: parts.sets.into_iter().map(bits).collect(),
        };
        tree.finish();
        Ok(tree)
    }
}

/// The set with one more code.
pub(super) const fn with(mut set: Set, code: usize) -> Set {
    set[code / 64] |= 1 << (code % 64);
    set
}
