//! Shares of a whole. What is no share (a quotient, a loss) is drawn as bars.

use std::f32::consts::{FRAC_PI_2, TAU};

use rust_decimal::{Decimal, prelude::FromPrimitive};

use super::{
    ChartSpec, bars,
    data::{self, Slice},
    font::{Weight, fit, text_width},
    format::{compact, number, share},
    shape::{Anchor, Color, Segment, Shape, Size, color},
};
use crate::query::Column;

/// More slices than these cannot be told apart: the rest is one.
const MOST: usize = 7;
const LABEL: f32 = 7.5;

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let metrics = data::metrics(spec.frame);
    let Some(column) = metrics.first() else {
        return Vec::new();
    };
    let mut slices = data::slices(spec.frame, 0, spec.locale);
    let total: f64 = slices.iter().map(|slice| slice.value).sum();
    let no_shares = !data::adds_up(column) || slices.iter().any(|slice| slice.value < 0.0);
    if no_shares || total <= 0.0 {
        return bars::draw(spec, size);
    }
    slices.sort_by(|a, b| b.value.total_cmp(&a.value));
    if slices.len() > MOST {
        let rest = slices.split_off(MOST - 1);
        slices.push(Slice {
            label: spec.locale.words().other.to_owned(),
            value: rest.iter().map(|slice| slice.value).sum(),
        });
    }
    let radius = (size.height / 2.0).min(size.width * 0.24);
    let middle = (radius, size.height / 2.0);
    let mut out = Vec::new();
    let mut from = 0.0;
    for (n, slice) in slices.iter().enumerate() {
        let part = (slice.value / total) as f32;
        out.push(Shape::filled(
            ring(middle, radius, from, part),
            color::series(n),
        ));
        from += part;
    }
    let whole = compact(total, column, spec.locale);
    out.push(
        Shape::text(middle.0, middle.1 + 3.5, whole)
            .sized(radius.min(60.0) * 0.2 + 2.0)
            .bold()
            .anchored(Anchor::Middle),
    );
    legend(
        &mut out,
        spec,
        column,
        &slices,
        total,
        (radius * 2.0 + 16.0, size),
    );
    out
}

/// A part of a ring, clockwise from the top; a little is left free between parts.
fn ring((x, y): (f32, f32), radius: f32, from: f32, part: f32) -> Vec<Segment> {
    let gap = if part < 0.999 {
        (0.8 / radius / TAU).min(part / 4.0)
    } else {
        0.0
    };
    let (start, end) = (
        (from + gap) * TAU - FRAC_PI_2,
        (from + part - gap) * TAU - FRAC_PI_2,
    );
    let inner = radius * 0.62;
    let at = |angle: f32, radius: f32| (x + radius * angle.cos(), y + radius * angle.sin());
    let first = at(start, radius);
    let mut outline = vec![Segment::Move(first.0, first.1)];
    arc(&mut outline, (x, y), radius, start, end);
    let turn = at(end, inner);
    outline.push(Segment::Line(turn.0, turn.1));
    arc(&mut outline, (x, y), inner, end, start);
    outline.push(Segment::Close);
    outline
}

/// An arc as curves of an eighth of a circle at most.
fn arc(outline: &mut Vec<Segment>, (x, y): (f32, f32), radius: f32, start: f32, end: f32) {
    let pieces = ((end - start).abs() / (TAU / 8.0)).ceil().max(1.0) as usize;
    let step = (end - start) / pieces as f32;
    let handle = radius * 4.0 / 3.0 * (step / 4.0).tan();
    for n in 0..pieces {
        let (a, b) = (start + step * n as f32, start + step * (n + 1) as f32);
        let (p, q) = (
            (x + radius * a.cos(), y + radius * a.sin()),
            (x + radius * b.cos(), y + radius * b.sin()),
        );
        outline.push(Segment::Cubic(
            p.0 - handle * a.sin(),
            p.1 + handle * a.cos(),
            q.0 + handle * b.sin(),
            q.1 - handle * b.cos(),
            q.0,
            q.1,
        ));
    }
}

fn legend(
    out: &mut Vec<Shape>,
    spec: &ChartSpec<'_>,
    column: &Column,
    slices: &[Slice],
    total: f64,
    (left, size): (f32, Size),
) {
    let row = (size.height / slices.len() as f32).min(16.0);
    let top = (size.height - row * slices.len() as f32) / 2.0;
    let texts = slices.iter().map(|slice| {
        let value = number(
            Decimal::from_f64(slice.value).unwrap_or_default(),
            column,
            spec.locale,
        );
        (value, share(slice.value / total, spec.locale))
    });
    let texts: Vec<(String, String)> = texts.collect();
    let width = |text: &str| text_width(text, LABEL, Weight::Regular);
    let shares = texts
        .iter()
        .map(|(_, share)| width(share))
        .fold(0.0, f32::max);
    let values = texts
        .iter()
        .map(|(value, _)| width(value))
        .fold(0.0, f32::max);
    let right = size.width.min(left + 260.0);
    let with_values = right - left - shares - values - 34.0 > 50.0;
    let room = right - left - 13.0 - shares - if with_values { values + 20.0 } else { 8.0 };
    for (n, (slice, (value, share))) in slices.iter().zip(texts).enumerate() {
        let y = top + row * n as f32 + row / 2.0 + 2.7;
        out.push(swatch(left, y - 6.0, color::series(n)));
        out.push(
            Shape::text(
                left + 12.0,
                y,
                fit(&slice.label, LABEL, Weight::Regular, room),
            )
            .sized(LABEL),
        );
        let end = |x: f32, text: String| Shape::text(x, y, text).sized(LABEL).anchored(Anchor::End);
        if with_values {
            out.push(end(right - shares - 10.0, value).colored(color::MUTED));
        }
        out.push(end(right, share));
    }
}

fn swatch(x: f32, y: f32, hue: Color) -> Shape {
    Shape::rect(x, y, 7.0, 7.0, hue)
}
