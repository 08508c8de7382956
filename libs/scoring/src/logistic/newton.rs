//! Newton's method for the penalised log loss. The problem is convex, so a step that is halved until it helps ends at
//! the one best set of weights.

use super::design::Sparse;
use crate::maths::{logistic, logit, loss, share};

const MOST_STEPS: usize = 40;
const MOST_HALVINGS: usize = 20;
/// Done when no weight moves more than this.
const STILL: f64 = 1e-6;

/// The best weights, the intercept last.
pub(super) fn fit(rows: &Sparse, won: &[bool], penalty: f64, start: Option<Vec<f64>>) -> Vec<f64> {
    let size = rows.width + 1;
    let mut weights = start.unwrap_or_else(|| {
        let mut weights = vec![0.0; size];
        weights[rows.width] = logit(share(won.iter().copied()));
        weights
    });
    let mut here = derivatives(rows, won, penalty, &weights);
    for _ in 0..MOST_STEPS {
        if !solve(&mut here.hessian, &mut here.gradient) {
            break;
        }
        let step = &here.gradient;
        if step.iter().all(|step| step.abs() < STILL) {
            break;
        }
        let mut scale = 1.0;
        let better = (0..MOST_HALVINGS).find_map(|_| {
            let next: Vec<f64> = weights
                .iter()
                .zip(step)
                .map(|(weight, step)| weight - scale * step)
                .collect();
            let there = derivatives(rows, won, penalty, &next);
            scale /= 2.0;
            (there.value <= here.value).then_some((next, there))
        });
        let Some(next) = better else {
            break;
        };
        (weights, here) = next;
    }
    weights
}

/// The objective at a point, its gradient, and its Hessian (lower triangle, row by row).
struct Point {
    value: f64,
    hessian: Vec<f64>,
    gradient: Vec<f64>,
}

fn derivatives(rows: &Sparse, won: &[bool], penalty: f64, weights: &[f64]) -> Point {
    let (width, size) = (rows.width, rows.width + 1);
    let mut hessian = vec![0.0; size * size];
    let mut gradient = vec![0.0; size];
    let mut value = penalty / 2.0
        * weights[..width]
            .iter()
            .map(|weight| weight * weight)
            .sum::<f64>();
    for (row, won) in won.iter().enumerate() {
        let z = rows.dot(row, weights);
        let p = logistic(z);
        value += loss(z, *won);
        let (slope, curve) = (p - f64::from(u8::from(*won)), p * (1.0 - p));
        let entries = rows.row(row);
        for (at, (column, value)) in entries.iter().enumerate() {
            let column = *column as usize;
            gradient[column] += slope * value;
            hessian[width * size + column] += curve * value;
            let line = &mut hessian[column * size..column * size + column + 1];
            for (other, other_value) in &entries[..=at] {
                line[*other as usize] += curve * value * other_value;
            }
        }
        gradient[width] += slope;
        hessian[width * size + width] += curve;
    }
    for column in 0..width {
        gradient[column] += penalty * weights[column];
        hessian[column * size + column] += penalty;
    }
    Point {
        value,
        hessian,
        gradient,
    }
}

/// Solves H x = g by Cholesky's method, x in place of g; false when H is not positive definite.
fn solve(h: &mut [f64], g: &mut [f64]) -> bool {
    let size = g.len();
    for i in 0..size {
        for j in 0..=i {
            let dot: f64 = h[i * size..i * size + j]
                .iter()
                .zip(&h[j * size..j * size + j])
                .map(|(a, b)| a * b)
                .sum();
            let rest = h[i * size + j] - dot;
            if i == j {
                if rest <= 0.0 {
                    return false;
                }
                h[i * size + i] = rest.sqrt();
            } else {
                h[i * size + j] = rest / h[j * size + j];
            }
        }
    }
    for i in 0..size {
        let dot: f64 = h[i * size..i * size + i]
            .iter()
            .zip(&g[..i])
            .map(|(a, b)| a * b)
            .sum();
        g[i] = (g[i] - dot) / h[i * size + i];
    }
    for i in (0..size).rev() {
        let dot: f64 = (i + 1..size).map(|k| h[k * size + i] * g[k]).sum();
        g[i] = (g[i] - dot) / h[i * size + i];
    }
    true
}
