//! Exact Shapley values of a tree in polynomial time (Lundberg et al. 2020, algorithm 2).

use super::tree::Tree;

/// One split feature on the way down.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    feature: usize,
    /// Share of the rows that come here when the feature is not known.
    zero: f64,
    /// Whether the lead comes here when it is.
    one: f64,
    /// Weight of all subsets of the features so far with as many members as this step's place.
    weight: f64,
}

/// Works through trees, with memory that is used again.
pub(super) struct Shapley {
    /// One path for each depth, each a copy of the one above with one more step.
    paths: Vec<Step>,
    width: usize,
}

const NO_FEATURE: usize = usize::MAX;

impl Shapley {
    pub(super) fn new(deepest: usize) -> Self {
        let width = deepest + 2;
        Self {
            paths: vec![Step::default(); width * (width + 1)],
            width,
        }
    }

    /// Adds the values of one tree.
    pub(super) fn add(&mut self, tree: &Tree, inputs: &[f64], into: &mut [f64]) {
        let first = Step {
            feature: NO_FEATURE,
            zero: 1.0,
            one: 1.0,
            weight: 0.0,
        };
        self.visit(
            tree,
            inputs,
            into,
            Visit {
                node: 0,
                level: 0,
                len: 0,
                step: first,
            },
        );
    }

    fn visit(&mut self, tree: &Tree, inputs: &[f64], into: &mut [f64], visit: Visit) {
        let start = visit.level * self.width;
        if visit.level > 0 {
            let above = start - self.width;
            self.paths.copy_within(above..above + visit.len, start);
        }
        let path = &mut self.paths[start..start + self.width];
        extend(path, visit.len, visit.step);
        let mut len = visit.len + 1;
        let node = tree.nodes[visit.node];
        if node.is_leaf() {
            for at in 1..len {
                let step = path[at];
                into[step.feature] +=
                    sum_without(&path[..len], at) * (step.one - step.zero) * node.value;
            }
            return;
        }
        let feature = node.feature as usize;
        let (mut zero, mut one) = (1.0, 1.0);
        if let Some(at) = (1..len).find(|at| path[*at].feature == feature) {
            (zero, one) = (path[at].zero, path[at].one);
            unwind(&mut path[..len], at);
            len -= 1;
        }
        let hot = tree.next(&node, inputs);
        for (child, one) in [(hot, one), (2 * node.left + 1 - hot, 0.0)] {
            let share = tree.nodes[child as usize].cover / node.cover;
            let step = Step {
                feature,
                zero: zero * share,
                one,
                weight: 0.0,
            };
            self.visit(
                tree,
                inputs,
                into,
                Visit {
                    node: child as usize,
                    level: visit.level + 1,
                    len,
                    step,
                },
            );
        }
    }
}

#[derive(Clone, Copy)]
struct Visit {
    node: usize,
    level: usize,
    /// Steps before this one.
    len: usize,
    step: Step,
}

/// Adds a step to a path of `len` steps.
fn extend(path: &mut [Step], len: usize, step: Step) {
    path[len] = Step {
        weight: if len == 0 { 1.0 } else { 0.0 },
        ..step
    };
    let all = (len + 1) as f64;
    for at in (0..len).rev() {
        path[at + 1].weight += step.one * path[at].weight * (at + 1) as f64 / all;
        path[at].weight = step.zero * path[at].weight * (len - at) as f64 / all;
    }
}

/// Takes a step out again.
fn unwind(path: &mut [Step], which: usize) {
    let last = path.len() - 1;
    let (zero, one) = (path[which].zero, path[which].one);
    let all = path.len() as f64;
    let mut next = path[last].weight;
    for at in (0..last).rev() {
        if one == 0.0 {
            path[at].weight = path[at].weight * all / (zero * (last - at) as f64);
        } else {
            let before = path[at].weight;
            path[at].weight = next * all / ((at + 1) as f64 * one);
            next = before - path[at].weight * zero * (last - at) as f64 / all;
        }
    }
    for at in which..last {
        let Step {
            feature, zero, one, ..
        } = path[at + 1];
        path[at] = Step {
            feature,
            zero,
            one,
            ..path[at]
        };
    }
}

/// Sum of the weights with a step taken out.
fn sum_without(path: &[Step], which: usize) -> f64 {
    let last = path.len() - 1;
    let (zero, one) = (path[which].zero, path[which].one);
    let all = path.len() as f64;
    let mut next = path[last].weight;
    let mut sum = 0.0;
    for at in (0..last).rev() {
        if one == 0.0 {
            sum += path[at].weight * all / (zero * (last - at) as f64);
        } else {
            let own = next * all / ((at + 1) as f64 * one);
            sum += own;
            next = path[at].weight - own * zero * (last - at) as f64 / all;
        }
    }
    sum
}
