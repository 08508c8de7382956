//! Steps, each with what is left of the one before. The steps are the rows of the first metric, or, in an answer of one
//! row, its metrics.

use rust_decimal::{Decimal, prelude::FromPrimitive};

use super::{
    ChartSpec,
    data::{self, Slice},
    font::{Weight, fit},
    format::{number, share},
    shape::{Anchor, Shape, Size, color},
};
use crate::query::Column;

const LABEL: f32 = 7.5;

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let metrics = data::metrics(spec.frame);
    let Some(column) = metrics.first() else {
        return Vec::new();
    };
    let steps = steps(spec, &metrics);
    let largest = steps.iter().map(|step| step.value).fold(0.0, f64::max);
    if largest <= 0.0 {
        return vec![super::nothing(size, spec.locale)];
    }
    let height = (size.height / steps.len() as f32).min(44.0);
    let (left, right) = (size.width * 0.26, size.width * 0.28);
    let (width, middle) = (
        size.width - left - right,
        left + (size.width - left - right) / 2.0,
    );
    let half = |step: &Slice| (width * (step.value / largest) as f32).max(1.0) / 2.0;
    let mut out = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let (top, bar) = (height * n as f32, height * 0.62);
        let hue = color::mix(
            color::ACCENT,
            color::WHITE,
            n as f32 * 0.5 / steps.len() as f32,
        );
        let here = half(step);
        out.push(Shape::rect(middle - here, top, here * 2.0, bar, hue));
        if let Some(next) = steps.get(n + 1) {
            let there = half(next);
            let corners = [
                (middle - here, top + bar),
                (middle + here, top + bar),
                (middle + there, top + height),
                (middle - there, top + height),
            ];
            out.push(Shape::polygon(&corners, color::ACCENT).faded(0.12));
        }
        let y = top + bar / 2.0 + 2.7;
        out.push(
            Shape::text(0.0, y, fit(&step.label, LABEL, Weight::Regular, left - 8.0)).sized(LABEL),
        );
        rates(
            &mut out,
            spec,
            column,
            &steps,
            n,
            (left + width + 8.0, y, size.width),
        );
    }
    out
}

/// What stands beside a step: its number, and its shares of the step before and of the first.
fn rates(
    out: &mut Vec<Shape>,
    spec: &ChartSpec<'_>,
    column: &Column,
    steps: &[Slice],
    n: usize,
    (x, y, end): (f32, f32, f32),
) {
    let words = spec.locale.words();
    let step = &steps[n];
    let value = number(
        Decimal::from_f64(step.value).unwrap_or_default(),
        column,
        spec.locale,
    );
    let of = |whole: f64| (whole > 0.0).then(|| share(step.value / whole, spec.locale));
    let before = n.checked_sub(1).and_then(|n| of(steps[n].value));
    let first = (n > 1).then(|| of(steps[0].value)).flatten();
    let up = if before.is_some() { 3.5 } else { 0.0 };
    out.push(Shape::text(x, y - up, value).sized(LABEL + 0.5).bold());
    let Some(before) = before else { return };
    let text = match first {
        Some(first) => format!(
            "{before} {} · {first} {}",
            words.of_previous, words.of_first
        ),
        None => format!("{before} {}", words.of_previous),
    };
    let text = fit(&text, 6.2, Weight::Regular, end - x).into_owned();
    out.push(
        Shape::text(x, y + 5.5, text)
            .sized(6.2)
            .colored(color::MUTED)
            .anchored(Anchor::Start),
    );
}

fn steps(spec: &ChartSpec<'_>, metrics: &[&Column]) -> Vec<Slice> {
    let frame = spec.frame;
    if let (Some(row), true) = (
        data::whole(frame),
        frame.rows.len() <= 1 && metrics.len() > 1,
    ) {
        let step = |(column, value): (&&Column, &Option<Decimal>)| Slice {
            label: column.label.clone(),
            value: data::float(*value).unwrap_or_default(),
        };
        return metrics.iter().zip(&row.values).map(step).collect();
    }
    data::slices(frame, 0, spec.locale)
}
