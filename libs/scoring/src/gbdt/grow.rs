//! Grows one tree, leaf by leaf, the most useful split first.

use std::ops::Range;

use super::Boosting;
use super::bins::Binned;
use super::split::{Candidate, Rule, Search, Sums, minus, plus};
use super::tree::{BY_NUMBER, Node, Set, Tree, with};
use crate::rng::Rng;

/// First and second derivative of a row's loss. Half as wide as their sums, so that twice as many rows are near.
pub(super) type Gradient = [f32; 2];

/// Grows trees over the same rows in bins.
pub(super) struct Grower<'a> {
    pub(super) data: &'a Binned,
    pub(super) settings: &'a Boosting,
    /// Rows that the tree learns from; afterwards those of each leaf are together.
    pub(super) seen: Vec<u32>,
    /// Rows that it only answers; likewise.
    pub(super) unseen: Vec<u32>,
    /// First bin of each feature in a histogram, and the end.
    offsets: Vec<usize>,
    /// All features, in an order that each leaf changes to look at the first ones.
    features: Vec<usize>,
    aside: Vec<u32>,
    /// Histograms to be used again.
    spare: Vec<Vec<Sums>>,
}

/// A leaf that may be split.
struct Leaf {
    place: Place,
    sums: Sums,
    histogram: Vec<Sums>,
    best: Option<Candidate>,
}

/// A node, and where its rows are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) node: usize,
    pub(super) seen: Range<usize>,
    pub(super) unseen: Range<usize>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(data: &'a Binned, settings: &'a Boosting) -> Self {
        let mut offsets = vec![0];
        for count in &data.counts {
            offsets.push(offsets[offsets.len() - 1] + count);
        }
        Self {
            data,
            settings,
            seen: Vec::new(),
            unseen: Vec::new(),
            offsets,
            features: (0..data.features).collect(),
            aside: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Grows a tree for the gradients of all rows, and says which rows are in which leaf.
    pub(super) fn grow(&mut self, gradients: &[Gradient], rng: &mut Rng) -> (Tree, Vec<Place>) {
        let mut histogram = self.spare_histogram();
        self.fill(&mut histogram, 0..self.seen.len(), gradients);
        // every row is in one bin of every feature
        let sums = histogram[..self.offsets[1]]
            .iter()
            .fold([0.0; 2], |sums, bin| plus(sums, *bin));
        let mut tree = Tree {
            nodes: vec![self.leaf_node(sums, self.settings.l2, self.seen.len())],
            sets: Vec::new(),
        };
        let mut root = Leaf {
            place: Place {
                node: 0,
                seen: 0..self.seen.len(),
                unseen: 0..self.unseen.len(),
            },
            sums,
            histogram,
            best: None,
        };
        self.search(&mut root, rng);
        let mut leaves = vec![root];
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
            let last = leaves.len() + 2 == self.settings.leaves;
            let further = (!last).then_some((gradients, &mut *rng));
            leaves.extend(self.split(leaf, &best, &mut tree, further));
        }
        let mut places = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            places.push(leaf.place);
            self.spare.push(leaf.histogram);
        }
        (tree, places)
    }

    fn leaf_node(&self, sums: Sums, l2: f64, rows: usize) -> Node {
        Node::leaf(
            -sums[0] / (sums[1] + l2) * self.settings.learning_rate,
            rows as f64,
        )
    }

    fn spare_histogram(&mut self) -> Vec<Sums> {
        let size = self.offsets[self.data.features];
        let mut histogram = self.spare.pop().unwrap_or_default();
        histogram.clear();
        histogram.resize(size, [0.0; 2]);
        histogram
    }

    fn fill(&self, histogram: &mut [Sums], rows: Range<usize>, gradients: &[Gradient]) {
        let width = self.data.features;
        for row in &self.seen[rows] {
            let row = *row as usize;
            let [g, h] = gradients[row].map(f64::from);
            let bins = &self.data.bins[row * width..(row + 1) * width];
            for (bin, offset) in bins.iter().zip(&self.offsets) {
                let cell = &mut histogram[offset + *bin as usize];
                *cell = [cell[0] + g, cell[1] + h];
            }
        }
    }

    /// Looks for the best split by some of the features, others for each leaf (as in random forests, Breiman 2001): the
    /// folds' trees differ more, so that their mean is steadier.
    fn search(&mut self, leaf: &mut Leaf, rng: &mut Rng) {
        let rows = leaf.place.seen.len() as f64;
        if rows < 2.0 * self.settings.min_rows || leaf.sums[1] <= 0.0 {
            return;
        }
        let mut search = Search {
            settings: self.settings,
            sums: leaf.sums,
            rows_each: rows / leaf.sums[1],
            best: None,
        };
        let all = self.features.len();
        let some = (all as f64 * self.settings.feature_share).round() as usize;
        for at in 0..some.clamp(1, all) {
            self.features.swap(at, at + rng.below(all - at));
            let feature = self.features[at];
            let bins = &leaf.histogram[self.offsets[feature]..self.offsets[feature + 1]];
            search.feature(self.data, feature, bins);
        }
        leaf.best = search.best;
    }

    /// Splits a leaf; the two new ones are looked at when there may be further splits.
    fn split(
        &mut self,
        leaf: Leaf,
        best: &Candidate,
        tree: &mut Tree,
        further: Option<(&[Gradient], &mut Rng)>,
    ) -> [Leaf; 2] {
        let mask = self.mask(&leaf, best);
        let places = self.partition(&leaf.place, best.feature, &mask, tree.nodes.len());
        let sums = [best.left, minus(leaf.sums, best.left)];
        for (place, sums) in places.iter().zip(sums) {
            tree.nodes
                .push(self.leaf_node(sums, best.l2, place.seen.len()));
        }
        self.branch(&leaf, best, &mask, tree);
        let histograms = match &further {
            Some((gradients, _)) => self.histograms(leaf.histogram, &places, gradients),
            None => [leaf.histogram, Vec::new()],
        };
        let ([left, right], [of_left, of_right]) = (places, histograms);
        let mut both = [(left, of_left, sums[0]), (right, of_right, sums[1])].map(
            |(place, histogram, sums)| Leaf {
                place,
                sums,
                histogram,
                best: None,
            },
        );
        if let Some((_, rng)) = further {
            for leaf in &mut both {
                self.search(leaf, rng);
            }
        }
        both
    }

    /// The histograms of two new leaves: one from the rows of the smaller, the other is what is left of their parent's.
    fn histograms(
        &mut self,
        mut parent: Vec<Sums>,
        places: &[Place; 2],
        gradients: &[Gradient],
    ) -> [Vec<Sums>; 2] {
        let left_is_small = places[0].seen.len() < places[1].seen.len();
        let rows = places[usize::from(!left_is_small)].seen.clone();
        let mut small = self.spare_histogram();
        self.fill(&mut small, rows, gradients);
        for (cell, taken) in parent.iter_mut().zip(&small) {
            *cell = minus(*cell, *taken);
            // what is left of nothing by rounding is nothing
            if cell[1] < 1e-9 {
                *cell = [0.0; 2];
            }
        }
        if left_is_small {
            [small, parent]
        } else {
            [parent, small]
        }
    }

    /// Turns the leaf's node into a split.
    fn branch(&self, leaf: &Leaf, best: &Candidate, mask: &Set, tree: &mut Tree) {
        let set = tree.sets.len() as u16;
        let left = tree.nodes.len() - 2;
        let node = &mut tree.nodes[leaf.place.node];
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
        let bins = self.data.counts[best.feature];
        match best.rule {
            Rule::In(codes) => {
                let own = &leaf.histogram[self.offsets[best.feature]..];
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

    /// Puts the rows that go left before the others.
    fn partition(&mut self, place: &Place, feature: usize, mask: &Set, node: usize) -> [Place; 2] {
        let bins = &self.data.columns[feature];
        let mut left = |rows: &mut [u32]| part(rows, &mut self.aside, bins, mask);
        let seen = place.seen.start + left(&mut self.seen[place.seen.clone()]);
        let unseen = place.unseen.start + left(&mut self.unseen[place.unseen.clone()]);
        [
            Place {
                node,
                seen: place.seen.start..seen,
                unseen: place.unseen.start..unseen,
            },
            Place {
                node: node + 1,
                seen: seen..place.seen.end,
                unseen: unseen..place.unseen.end,
            },
        ]
    }
}

/// Puts the rows that go left before the others, both in their old order, and counts them. Every row is written to both
/// places, so that there is no branch to be guessed.
fn part(rows: &mut [u32], aside: &mut Vec<u32>, bins: &[u8], mask: &Set) -> usize {
    aside.resize(rows.len().max(aside.len()), 0);
    let (mut left, mut right) = (0, 0);
    for at in 0..rows.len() {
        let row = rows[at];
        let bin = bins[row as usize] as usize;
        let goes_left = (mask[bin / 64] >> (bin % 64) & 1) as usize;
        rows[left] = row;
        aside[right] = row;
        left += goes_left;
        right += 1 - goes_left;
    }
    rows[left..].copy_from_slice(&aside[..right]);
    left
}
