//! What is done with the numbers between two products of matrices. Compiled for the vector units of the machine it runs
//! on, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

use super::Shape;

/// Numbers that are summed side by side.
const LANES: usize = 8;

/// `state / rms(state) * weight` of each row.
pub(super) fn normed(state: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    let mut normed = Vec::with_capacity(state.len());
    for row in state.chunks_exact(weight.len()) {
        let mean = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
        let scale = 1.0 / (mean + epsilon).sqrt();
        normed.extend(row.iter().zip(weight).map(|(x, weight)| x * scale * weight));
    }
    normed
}

/// Adds the second to the first.
pub(super) fn add(state: &mut [f32], change: &[f32]) {
    for (x, change) in state.iter_mut().zip(change) {
        *x += change;
    }
}

/// `silu(gate) * up`, into the first.
pub(super) fn gated(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + (-*gate).exp()) * up;
    }
}

/// Turns the pairs of numbers of each head by angles that tell the position (Su et al., "RoFormer", 2021).
pub(super) fn rotate(row: &mut [f32], shape: &Shape, position: usize) {
    let half = shape.head / 2;
    let turns: Vec<(f32, f32)> = (0..half)
        .map(|pair| {
            let speed = shape.rope_base.powf(-(pair as f32) / half as f32);
            (position as f32 * speed).sin_cos()
        })
        .collect();
    for head in row.chunks_exact_mut(shape.head) {
        for (pair, (sin, cos)) in head.chunks_exact_mut(2).zip(&turns) {
            (pair[0], pair[1]) = (pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos);
        }
    }
}

/// What one token sees of all before it and of itself.
pub(super) fn attention(
    shape: &Shape,
    query: &[f32],
    keys: &[f32],
    values: &[f32],
    seen: &mut [f32],
) {
    Arch::new().dispatch(Attention {
        shape,
        query,
        keys,
        values,
        seen,
    });
}

struct Attention<'a> {
    shape: &'a Shape,
    query: &'a [f32],
    keys: &'a [f32],
    values: &'a [f32],
    seen: &'a mut [f32],
}

impl WithSimd for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Shape {
            heads,
            key_heads,
            head,
            ..
        } = *self.shape;
        let (row, scale) = (key_heads * head, 1.0 / (head as f32).sqrt());
        let mut scores = vec![0.0_f32; self.keys.len() / row];
        for index in 0..heads {
            let at = index * key_heads / heads * head;
            let query = &self.query[index * head..][..head];
            for (score, key) in scores.iter_mut().zip(self.keys.chunks_exact(row)) {
                *score = dot(query, &key[at..at + head]) * scale;
            }
            softmax(&mut scores);
            let seen = &mut self.seen[index * head..][..head];
            for (score, value) in scores.iter().zip(self.values.chunks_exact(row)) {
                for (seen, value) in seen.iter_mut().zip(&value[at..at + head]) {
                    *seen += score * value;
                }
            }
        }
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}
