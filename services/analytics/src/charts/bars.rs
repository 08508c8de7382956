//! Bars: upright over time, lying by dimension, where the names of things have room.

use super::{
    ChartSpec,
    axis::Axis,
    data::{self, OverTime, Panel, Slice},
    font::{Weight, fit, text_width},
    format::number,
    plot::{self, Entry, LABEL},
    shape::{Shape, Size, color},
};
use crate::query::Column;
use rust_decimal::{Decimal, prelude::FromPrimitive};

/// The height of a lying bar with its room.
const ROW: f32 = 17.0;

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    if let Some(over) = data::over_time(spec.frame) {
        return upright(spec, size, &over);
    }
    let metrics = data::metrics(spec.frame);
    let count = metrics.len().clamp(1, 3);
    let gap = 14.0;
    let each = Size {
        width: (size.width - gap * (count as f32 - 1.0)) / count as f32,
        height: size.height,
    };
    let mut out = Vec::new();
    for (n, column) in metrics.into_iter().take(3).enumerate() {
        let shapes = lying(spec, each, n, column, count > 1);
        out.extend(
            shapes
                .into_iter()
                .map(|shape| shape.moved(n as f32 * (each.width + gap), 0.0)),
        );
    }
    out
}

fn lying(
    spec: &ChartSpec<'_>,
    size: Size,
    metric: usize,
    column: &Column,
    named: bool,
) -> Vec<Shape> {
    let mut out = Vec::new();
    let mut top = 0.0;
    if named {
        let label = fit(&column.label, LABEL, Weight::Bold, size.width);
        out.push(
            Shape::text(0.0, 8.0, label)
                .sized(LABEL)
                .bold()
                .colored(color::MUTED),
        );
        top = 13.0;
    }
    let slices = data::slices(spec.frame, metric, spec.locale);
    let room = (((size.height - top) / ROW).floor().max(1.0)) as usize;
    // The last line says how many more there are.
    let shown = if slices.len() > room {
        room.saturating_sub(1).max(1)
    } else {
        slices.len()
    };
    let reach = axis_reach(&slices);
    let names = slices
        .iter()
        .take(shown)
        .map(|slice| text_width(&slice.label, LABEL + 0.5, Weight::Regular));
    let left = names.fold(0.0, f32::max).min(size.width * 0.38) + 6.0;
    let texts: Vec<String> = slices
        .iter()
        .take(shown)
        .map(|slice| exact(slice, column, spec))
        .collect();
    let right = texts
        .iter()
        .map(|text| text_width(text, LABEL + 0.5, Weight::Regular))
        .fold(0.0, f32::max)
        + 6.0;
    let width = (size.width - left - right).max(10.0);
    let x = |value: f64| left + width * ((value - reach.0) / (reach.1 - reach.0)) as f32;
    for (n, (slice, text)) in slices.iter().zip(texts).enumerate() {
        let y = top + n as f32 * ROW;
        let name = fit(&slice.label, LABEL + 0.5, Weight::Regular, left - 6.0);
        out.push(Shape::text(0.0, y + 11.0, name).sized(LABEL + 0.5));
        let (from, to) = (x(0.0), x(slice.value));
        let bar = (to - from).abs().max(0.8);
        out.push(Shape::rect(from.min(to), y + 3.5, bar, ROW - 6.0, color::ACCENT).faded(0.9));
        out.push(
            Shape::text(from.max(to) + 4.0, y + 11.0, text)
                .sized(LABEL + 0.5)
                .colored(color::MUTED),
        );
    }
    if slices.len() > shown {
        let more = format!(
            "+{} {}",
            slices.len() - shown,
            spec.locale.words().more_rows
        );
        out.push(
            Shape::text(0.0, top + shown as f32 * ROW + 11.0, more)
                .sized(LABEL)
                .colored(color::FAINT),
        );
    }
    out
}

/// From the least to the most, zero included: bars are measured against one another, not against round numbers.
fn axis_reach(slices: &[Slice]) -> (f64, f64) {
    let low = slices.iter().map(|slice| slice.value).fold(0.0, f64::min);
    let high = slices.iter().map(|slice| slice.value).fold(0.0, f64::max);
    if high > low {
        (low, high)
    } else {
        (low, low + 1.0)
    }
}

fn exact(slice: &Slice, column: &Column, spec: &ChartSpec<'_>) -> String {
    let value = Decimal::from_f64(slice.value).unwrap_or_default();
    number(value, column, spec.locale)
}

fn upright(spec: &ChartSpec<'_>, size: Size, over: &OverTime<'_>) -> Vec<Shape> {
    let count = over.panels.len().max(1) as f32;
    let each = Size {
        width: size.width,
        height: (size.height - 8.0 * (count - 1.0)) / count,
    };
    let mut out = Vec::new();
    for (n, panel) in over.panels.iter().enumerate() {
        let shapes = columns(spec, each, over, panel);
        out.extend(
            shapes
                .into_iter()
                .map(|shape| shape.moved(0.0, n as f32 * (each.height + 8.0))),
        );
    }
    out
}

fn columns(spec: &ChartSpec<'_>, size: Size, over: &OverTime<'_>, panel: &Panel<'_>) -> Vec<Shape> {
    let mut out = Vec::new();
    let compared = panel.series.len() == 1 && !panel.series[0].previous.is_empty();
    let entry = |(n, series): (usize, &data::Series)| Entry {
        label: series.label.clone(),
        color: color::series(n),
        dashed: false,
    };
    let mut entries: Vec<Entry> = panel.series.iter().enumerate().map(entry).collect();
    if compared {
        entries.push(Entry {
            label: spec.locale.words().previous.to_owned(),
            color: color::FAINT,
            dashed: false,
        });
    }
    let top = plot::legend(&mut out, size, &entries, panel.left_out);
    let mut bars: Vec<(&[Option<f64>], _)> = Vec::new();
    if compared {
        bars.push((
            &panel.series[0].previous,
            color::mix(color::FAINT, color::WHITE, 0.35),
        ));
    }
    for (n, series) in panel.series.iter().enumerate() {
        bars.push((&series.values, color::series(n)));
    }
    let values = bars
        .iter()
        .flat_map(|(values, _)| values.iter())
        .flatten()
        .copied();
    let axis = Axis::of(values, if size.height < 90.0 { 2 } else { 4 });
    let area = plot::frame(&mut out, spec, &axis, panel.column, top, size);
    let slot = area.width / over.times.len().max(1) as f32;
    let bar = slot * 0.74 / bars.len() as f32;
    plot::time_labels(&mut out, spec, over, &area, |n| {
        area.left + slot * (n as f32 + 0.5)
    });
    let unfinished = spec.frame.meta.partial_period;
    for (k, (values, hue)) in bars.into_iter().enumerate() {
        for (n, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            let (zero, y) = (area.y(&axis, 0.0), area.y(&axis, *value));
            let x = area.left + slot * (n as f32 + 0.13) + bar * k as f32;
            let shape = Shape::rect(x, zero.min(y), (bar - 0.5).max(0.5), (zero - y).abs(), hue);
            let open = unfinished && n + 1 == over.times.len();
            out.push(if open { shape.faded(0.5) } else { shape });
        }
    }
    out
}
