//! Grows one tree, leaf by leaf, the most useful split first.

use super::Boosting;
use super::bins::Binned;
use super::split::{Candidate, Rule, Search, Sums, minus, plus};
use super::tree::{BY_NUMBER, Node, Set, Tree, with};

/// Grows trees over the same rows in bins.
pub(super) struct Grower<'a> {
    pub(super) data: &'a Binned,
    pub(super) settings: &'a Boosting,
    /// Rows that the tree sees; afterwards those of each leaf are together.
    pub(super) rows: Vec<u32>,
    /// Features that the tree sees.
    pub(super) selected: Vec<usize>,
    aside: Vec<u32>,
    /// Histograms to be used again.
    spare: Vec<Vec<Sums>>,
}

/// A leaf that may be split.
struct Leaf {
    node: usize,
    start: usize,
    end: usize,
    sums: Sums,
    histogram: Vec<Sums>,
    best: Option<Candidate>,
}

/// A tree, and which of the grower's rows are in which leaf.
pub(super) struct Grown {
    pub(super) tree: Tree,
    /// Node, start, end.
    pub(super) leaves: Vec<(usize, usize, usize)>,
    /// Of each node: the bins of its feature that go left.
    masks: Vec<Set>,
}

impl<'a> Grower<'a> {
    pub(super) const fn new(data: &'a Binned, settings: &'a Boosting) -> Self {
        Self {
            data,
            settings,
            rows: Vec::new(),
            selected: Vec::new(),
            aside: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Grows a tree for the gradients of all rows.
    pub(super) fn grow(&mut self, gradients: &[Sums]) -> Grown {
        let sums = self
            .rows
            .iter()
            .fold([0.0; 2], |sums, row| plus(sums, gradients[*row as usize]));
        let mut tree = Tree {
            nodes: vec![self.leaf_node(sums, self.settings.l2, self.rows.len())],
            sets: Vec::new(),
        };
        let mut histogram = self.spare_histogram();
        self.fill(&mut histogram, 0, self.rows.len(), gradients);
        let mut root = Leaf {
            node: 0,
            start: 0,
            end: self.rows.len(),
            sums,
            histogram,
            best: None,
        };
        self.search(&mut root);
        let mut leaves = vec![root];
        let mut masks = vec![[0; 4]];
        while leaves.len() < self.settings.leaves {
            let gain = |leaf: &Leaf| leaf.best.as_ref().map_or(0.0, |best| best.gain);
            // the first of equals, so that the order does not depend on anything else
            let next = (0..leaves.len())
                .rev()
                .max_by(|a, b| gain(&leaves[*a]).total_cmp(&gain(&leaves[*b])));
            let Some((at, best)) = next.and_then(|at| Some((at, leaves[at].best.take()?))) else {
                break;
            };
            let leaf = leaves.swap_remove(at);
            leaves.extend(self.split(leaf, &best, (&mut tree, &mut masks), gradients));
        }
        let ranges = leaves
            .iter()
            .map(|leaf| (leaf.node, leaf.start, leaf.end))
            .collect();
        self.spare
            .extend(leaves.into_iter().map(|leaf| leaf.histogram));
        Grown {
            tree,
            leaves: ranges,
            masks,
        }
    }

    fn leaf_node(&self, sums: Sums, l2: f64, rows: usize) -> Node {
        Node::leaf(
            -sums[0] / (sums[1] + l2) * self.settings.learning_rate,
            rows as f64,
        )
    }

    fn spare_histogram(&mut self) -> Vec<Sums> {
        let size = self.data.offsets[self.data.features];
        self.spare.pop().unwrap_or_else(|| vec![[0.0; 2]; size])
    }

    fn fill(&self, histogram: &mut [Sums], start: usize, end: usize, gradients: &[Sums]) {
        histogram.fill([0.0; 2]);
        let width = self.data.features;
        for row in &self.rows[start..end] {
            let row = *row as usize;
            let sums = gradients[row];
            let bins = &self.data.bins[row * width..(row + 1) * width];
            for feature in &self.selected {
                let cell = &mut histogram[bins[*feature] as usize];
                cell[0] += sums[0];
                cell[1] += sums[1];
            }
        }
    }

    fn search(&self, leaf: &mut Leaf) {
        let rows = (leaf.end - leaf.start) as f64;
        if rows < 2.0 * self.settings.min_rows || leaf.sums[1] <= 0.0 {
            return;
        }
        let mut search = Search {
            settings: self.settings,
            sums: leaf.sums,
            rows_each: rows / leaf.sums[1],
            best: None,
        };
        for feature in &self.selected {
            search.feature(self.data, *feature, &leaf.histogram);
        }
        leaf.best = search.best;
    }

    fn split(
        &mut self,
        leaf: Leaf,
        best: &Candidate,
        (tree, masks): (&mut Tree, &mut Vec<Set>),
        gradients: &[Sums],
    ) -> [Leaf; 2] {
        let mask = self.mask(&leaf, best);
        let middle = self.partition(&leaf, best.feature, &mask);
        masks[leaf.node] = mask;
        masks.extend([[0; 4]; 2]);
        let (left, right) = (tree.nodes.len(), tree.nodes.len() + 1);
        let sums = [best.left, minus(leaf.sums, best.left)];
        tree.nodes
            .push(self.leaf_node(sums[0], best.l2, middle - leaf.start));
        tree.nodes
            .push(self.leaf_node(sums[1], best.l2, leaf.end - middle));
        self.branch(&leaf, best, &mask, tree);
        let mut large = leaf.histogram;
        let mut small = self.spare_histogram();
        let left_is_small = middle - leaf.start < leaf.end - middle;
        let (start, end) = if left_is_small {
            (leaf.start, middle)
        } else {
            (middle, leaf.end)
        };
        self.fill(&mut small, start, end, gradients);
        for (cell, taken) in large.iter_mut().zip(&small) {
            *cell = minus(*cell, *taken);
            // what is left of nothing by rounding is nothing
            if cell[1] < 1e-9 {
                *cell = [0.0; 2];
            }
        }
        let histograms = if left_is_small {
            [small, large]
        } else {
            [large, small]
        };
        let [of_left, of_right] = histograms;
        let mut both = [
            Leaf {
                node: left,
                start: leaf.start,
                end: middle,
                sums: sums[0],
                histogram: of_left,
                best: None,
            },
            Leaf {
                node: right,
                start: middle,
                end: leaf.end,
                sums: sums[1],
                histogram: of_right,
                best: None,
            },
        ];
        for leaf in &mut both {
            self.search(leaf);
        }
        both
    }

    /// Turns the leaf's node into a split.
    fn branch(&self, leaf: &Leaf, best: &Candidate, mask: &Set, tree: &mut Tree) {
        let set = tree.sets.len() as u16;
        let left = tree.nodes.len() - 2;
        let node = &mut tree.nodes[leaf.node];
        node.feature = best.feature as u16;
        node.left = left as u32;
        match best.rule {
            Rule::Upto { bin, missing_left } => {
                let cuts = self.data.cuts[best.feature].as_deref().unwrap_or_default();
                // after the last cut only missing numbers go right
                node.threshold = cuts.get(bin).copied().unwrap_or(1e300);
                node.missing_left = missing_left;
                node.set = BY_NUMBER;
            }
            Rule::In(_) => {
                node.set = set;
                tree.sets.push(*mask);
            }
        }
    }

    /// The bins that go left.
    fn mask(&self, leaf: &Leaf, best: &Candidate) -> Set {
        let missing = self.data.cuts[best.feature]
            .as_ref()
            .map_or(usize::MAX, |cuts| cuts.len() + 1);
        let bins = self.data.offsets[best.feature + 1] - self.data.offsets[best.feature];
        match best.rule {
            Rule::In(codes) => {
                let own = &leaf.histogram[self.data.offsets[best.feature]..];
                let more_left = 2.0 * best.left[1] > leaf.sums[1];
                // words that are not here go where most go
                (0..bins)
                    .filter(|code| more_left && own[*code][1] == 0.0)
                    .fold(codes, with)
            }
            Rule::Upto {
                bin: last,
                missing_left,
            } => (0..bins)
                .filter(|bin| {
                    if *bin == missing {
                        missing_left
                    } else {
                        *bin <= last
                    }
                })
                .fold([0; 4], with),
        }
    }

    /// Puts the rows that go left before the others, both in their old order. Every row is written to both places, so
    /// that there is no branch to be guessed.
    fn partition(&mut self, leaf: &Leaf, feature: usize, mask: &Set) -> usize {
        let rows = &mut self.rows[leaf.start..leaf.end];
        self.aside.resize(rows.len().max(self.aside.len()), 0);
        let (mut left, mut right) = (0, 0);
        for at in 0..rows.len() {
            let row = rows[at];
            let goes_left = has(mask, self.data.local(row, feature));
            rows[left] = row;
            self.aside[right] = row;
            left += goes_left;
            right += 1 - goes_left;
        }
        rows[left..].copy_from_slice(&self.aside[..right]);
        leaf.start + left
    }
}

impl Grown {
    /// The answer for a row in bins.
    pub(super) fn answer(&self, data: &Binned, row: u32) -> f64 {
        let bins = &data.bins[row as usize * data.features..][..data.features];
        let mut at = 0;
        while !self.tree.nodes[at].is_leaf() {
            let node = &self.tree.nodes[at];
            let feature = node.feature as usize;
            let bin = bins[feature] as usize - data.offsets[feature];
            at = node.left as usize + 1 - has(&self.masks[at], bin);
        }
        self.tree.nodes[at].value
    }
}

/// 1 when the bin is in the set.
const fn has(set: &Set, bin: usize) -> usize {
    (set[bin / 64 % 4] >> (bin % 64) & 1) as usize
}
