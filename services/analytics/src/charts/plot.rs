//! The frame of a chart with axes: legend, marks, labels under the pieces of time.

use super::{
    ChartSpec,
    axis::Axis,
    data::OverTime,
    font::{Weight, fit, text_width},
    format::{compact, time_text},
    shape::{Anchor, Color, Pen, Segment, Shape, Size, color},
};
use crate::query::Column;

/// The size of labels.
pub(super) const LABEL: f32 = 7.0;
const LEGEND_HEIGHT: f32 = 14.0;

/// The part of a picture in which numbers are drawn.
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Area {
    /// How high a number stands.
    pub(super) fn y(&self, axis: &Axis, value: f64) -> f32 {
        self.top + self.height * (1.0 - axis.share(value))
    }
}

/// What a legend says of a line.
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) color: Color,
    pub(super) dashed: bool,
}

/// Draws a legend, as much as has room; answers how high it is.
pub(super) fn legend(out: &mut Vec<Shape>, size: Size, entries: &[Entry], left_out: usize) -> f32 {
    if entries.len() + left_out < 2 {
        return 0.0;
    }
    let mut x = 0.0;
    let each = size.width / entries.len() as f32;
    for entry in entries {
        let text = fit(
            &entry.label,
            LABEL,
            Weight::Regular,
            (each - 22.0).max(24.0),
        );
        let width = text_width(&text, LABEL, Weight::Regular);
        let pen = Pen {
            color: entry.color,
            width: 2.0,
            dash: entry.dashed.then_some((3.0, 2.0)),
        };
        let line = vec![Segment::Move(x, 5.0), Segment::Line(x + 10.0, 5.0)];
        out.push(Shape::drawn(line, pen));
        out.push(
            Shape::text(x + 13.0, 7.5, text)
                .sized(LABEL)
                .colored(color::MUTED),
        );
        x += 13.0 + width + 10.0;
    }
    if left_out > 0 {
        out.push(
            Shape::text(x, 7.5, format!("+{left_out}"))
                .sized(LABEL)
                .colored(color::MUTED),
        );
    }
    LEGEND_HEIGHT
}

/// Draws marks and their numbers from `top` to above the labels of time; answers what is left for the numbers.
pub(super) fn frame(
    out: &mut Vec<Shape>,
    spec: &ChartSpec<'_>,
    axis: &Axis,
    column: &Column,
    top: f32,
    size: Size,
) -> Area {
    let texts: Vec<String> = axis
        .ticks
        .iter()
        .map(|tick| compact(*tick, column, spec.locale))
        .collect();
    let widths = texts
        .iter()
        .map(|text| text_width(text, LABEL, Weight::Regular));
    let left = widths.fold(0.0, f32::max) + 6.0;
    let area = Area {
        left,
        top: top + 5.0,
        width: (size.width - left - 4.0).max(1.0),
        height: (size.height - top - 5.0 - 15.0).max(1.0),
    };
    for (tick, text) in axis.ticks.iter().zip(texts) {
        let y = area.y(axis, *tick);
        let (line, width) = if *tick == 0.0 {
            (color::FAINT, 0.8)
        } else {
            (color::RULE, 0.6)
        };
        out.push(Shape::line((left, y), (left + area.width, y), line, width));
        out.push(
            Shape::text(left - 4.0, y + 2.5, text)
                .sized(LABEL)
                .colored(color::MUTED)
                .anchored(Anchor::End),
        );
    }
    area
}

/// Labels under the pieces of time, as many as have room; `x` is where the middle of each stands.
pub(super) fn time_labels(
    out: &mut Vec<Shape>,
    spec: &ChartSpec<'_>,
    over: &OverTime<'_>,
    area: &Area,
    x: impl Fn(usize) -> f32,
) {
    let texts: Vec<String> = over
        .times
        .iter()
        .map(|at| time_text(at, over.piece, spec.locale))
        .collect();
    let widest = texts
        .iter()
        .map(|text| text_width(text, LABEL, Weight::Regular))
        .fold(1.0, f32::max);
    let most = (area.width / (widest + 10.0)).floor().max(1.0) as usize;
    let step = texts.len().div_ceil(most).max(1);
    for (n, text) in texts.iter().enumerate().step_by(step) {
        let half = text_width(text, LABEL, Weight::Regular) / 2.0;
        let middle = x(n).clamp(half, (area.left + area.width + 4.0 - half).max(half));
        out.push(
            Shape::text(middle, area.top + area.height + 11.0, text.clone())
                .sized(LABEL)
                .colored(color::MUTED)
                .anchored(Anchor::Middle),
        );
    }
}
