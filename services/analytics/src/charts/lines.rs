//! Lines and areas over time. Lines are straight: a smooth one shows numbers that were not there.

use super::{
    ChartSpec,
    axis::Axis,
    bars,
    data::{self, OverTime, Panel},
    font::Weight,
    format::number,
    plot::{self, Area, Entry},
    shape::{Anchor, Color, Pen, Segment, Shape, Size, color, path},
};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Line,
    /// The room under the line filled; several on top of one another.
    Area,
}

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size, style: Style) -> Vec<Shape> {
    let Some(over) = data::over_time(spec.frame) else {
        return bars::draw(spec, size);
    };
    let count = over.panels.len().max(1) as f32;
    let gap = 8.0;
    let each = Size {
        width: size.width,
        height: (size.height - gap * (count - 1.0)) / count,
    };
    let mut out = Vec::new();
    for (n, panel) in over.panels.iter().enumerate() {
        let top = n as f32 * (each.height + gap);
        let named = over.panels.len() > 1;
        let shapes = one(spec, &over, panel, each, style, named);
        out.extend(shapes.into_iter().map(|shape| shape.moved(0.0, top)));
    }
    out
}

fn one(
    spec: &ChartSpec<'_>,
    over: &OverTime<'_>,
    panel: &Panel<'_>,
    size: Size,
    style: Style,
    named: bool,
) -> Vec<Shape> {
    let mut out = Vec::new();
    let stacked = style == Style::Area && panel.series.len() > 1 && data::adds_up(panel.column);
    let mut entries = legend_of(spec, panel);
    if named && entries.len() == 1 {
        // Which of several pictures this is.
        entries.push(Entry {
            label: String::new(),
            color: color::WHITE,
            dashed: false,
        });
    }
    let top = plot::legend(&mut out, size, &entries, panel.left_out);
    let lines: Vec<Vec<Option<f64>>> = if stacked {
        stack(panel)
    } else {
        panel
            .series
            .iter()
            .map(|series| series.values.clone())
            .collect()
    };
    let before = panel
        .series
        .iter()
        .flat_map(|series| series.previous.iter());
    let before = before.filter(|_| !stacked);
    let all = lines.iter().flatten().chain(before).flatten().copied();
    let axis = Axis::of(all, if size.height < 90.0 { 2 } else { 4 });
    let area = plot::frame(&mut out, spec, &axis, panel.column, top, size);
    let last = over.times.len().saturating_sub(1).max(1) as f32;
    let x = |n: usize| area.left + 2.0 + (area.width - 4.0) * n as f32 / last;
    plot::time_labels(&mut out, spec, over, &area, x);
    if stacked {
        stacked_areas(&mut out, &lines, &axis, &area, x);
        return out;
    }
    let unfinished = spec.frame.meta.partial_period;
    for (n, series) in panel.series.iter().enumerate().rev() {
        let (hue, only) = (color::series(n), panel.series.len() == 1);
        let pen = Pen {
            color: if only {
                color::FAINT
            } else {
                color::mix(hue, color::WHITE, 0.45)
            },
            width: 1.1,
            dash: Some((3.0, 2.0)),
        };
        line(
            &mut out,
            &points(&series.previous, &axis, &area, x),
            pen,
            false,
        );
        let runs = points(&series.values, &axis, &area, x);
        if style == Style::Area {
            let floor = area.y(&axis, 0.0);
            out.extend(runs.iter().map(|run| under(run, floor, hue)));
        }
        let pen = Pen {
            color: hue,
            width: 1.7,
            dash: None,
        };
        line(&mut out, &runs, pen, unfinished);
    }
    out
}

fn legend_of(spec: &ChartSpec<'_>, panel: &Panel<'_>) -> Vec<Entry> {
    let lines = panel.series.iter().enumerate().map(|(n, series)| Entry {
        label: series.label.clone(),
        color: color::series(n),
        dashed: false,
    });
    let compared = panel
        .series
        .iter()
        .any(|series| !series.previous.is_empty());
    let before = compared.then(|| Entry {
        label: spec.locale.words().previous.to_owned(),
        color: color::FAINT,
        dashed: true,
    });
    lines.chain(before).collect()
}

/// Each series on top of those before it.
fn stack(panel: &Panel<'_>) -> Vec<Vec<Option<f64>>> {
    let mut heights = vec![0.0; panel.series.first().map_or(0, |series| series.values.len())];
    let mut lines = Vec::new();
    for series in &panel.series {
        for (height, value) in heights.iter_mut().zip(&series.values) {
            *height += value.unwrap_or_default();
        }
        lines.push(heights.iter().copied().map(Some).collect());
    }
    lines
}

fn stacked_areas(
    out: &mut Vec<Shape>,
    lines: &[Vec<Option<f64>>],
    axis: &Axis,
    area: &Area,
    x: impl Fn(usize) -> f32,
) {
    let mut floor: Option<Vec<(f32, f32)>> = None;
    for (n, line) in lines.iter().enumerate() {
        let height =
            |(at, value): (usize, &Option<f64>)| (x(at), area.y(axis, value.unwrap_or_default()));
        let top: Vec<(f32, f32)> = line.iter().enumerate().map(height).collect();
        let ground = |(at, _): &(f32, f32)| (*at, area.y(axis, 0.0));
        let bottom = floor
            .take()
            .unwrap_or_else(|| top.iter().map(ground).collect());
        let corners: Vec<_> = top
            .iter()
            .copied()
            .chain(bottom.into_iter().rev())
            .collect();
        out.push(Shape::polygon(&corners, color::series(n)).faded(0.75));
        floor = Some(top);
    }
}

/// Unbroken runs of points: where there is no number, there is no line.
fn points(
    values: &[Option<f64>],
    axis: &Axis,
    area: &Area,
    x: impl Fn(usize) -> f32,
) -> Vec<Vec<(f32, f32)>> {
    let mut runs = vec![Vec::new()];
    for (n, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                if let Some(run) = runs.last_mut() {
                    run.push((x(n), area.y(axis, *value)));
                }
            }
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Draws runs; what leads to the last point is dashed while its time is not over.
fn line(out: &mut Vec<Shape>, runs: &[Vec<(f32, f32)>], pen: Pen, unfinished: bool) {
    for (n, run) in runs.iter().enumerate() {
        if let [point] = run[..] {
            out.push(Shape::circle(point, pen.width, pen.color));
            continue;
        }
        let dashed = unfinished && n + 1 == runs.len() && pen.dash.is_none();
        let kept = if dashed { run.len() - 1 } else { run.len() };
        if kept > 1 {
            out.push(Shape::drawn(path(&run[..kept]), pen));
        }
        if dashed {
            let pen = Pen {
                dash: Some((2.0, 1.6)),
                ..pen
            };
            out.push(Shape::drawn(path(&run[run.len() - 2..]), pen));
        }
    }
}

fn under(run: &[(f32, f32)], floor: f32, hue: Color) -> Shape {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Shape::filled(Vec::new(), hue);
    };
    let mut outline = path(run);
    outline.extend([
        Segment::Line(last.0, floor),
        Segment::Line(first.0, floor),
        Segment::Close,
    ]);
    Shape::filled(outline, hue).faded(0.16)
}

/// The first number over time without axes, and the last of its values.
pub(super) fn sparkline(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let Some(over) = data::over_time(spec.frame) else {
        return super::cards::draw(spec, size);
    };
    let Some(panel) = over.panels.first() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let latest = spec
        .frame
        .rows
        .last()
        .and_then(|row| row.values.first().copied().flatten());
    let text = latest
        .map(|value| number(value, panel.column, spec.locale))
        .unwrap_or_default();
    let room = super::font::text_width(&text, 9.0, Weight::Bold) + 8.0;
    let values = panel
        .series
        .first()
        .map(|series| series.values.clone())
        .unwrap_or_default();
    let area = Area {
        left: 2.0,
        top: 2.0,
        width: (size.width - room - 4.0).max(8.0),
        height: (size.height - 4.0).max(4.0),
    };
    thread(&mut out, &values, &area, spec.frame.meta.partial_period);
    out.push(
        Shape::text(size.width, size.height / 2.0 + 3.0, text)
            .sized(9.0)
            .bold()
            .anchored(Anchor::End),
    );
    out
}

/// A small line from the lowest to the highest number.
pub(super) fn thread(out: &mut Vec<Shape>, values: &[Option<f64>], area: &Area, unfinished: bool) {
    let known = || values.iter().flatten().copied();
    let (low, high) = (
        known().fold(f64::MAX, f64::min),
        known().fold(f64::MIN, f64::max),
    );
    let axis = Axis {
        low,
        high: if high > low { high } else { low + 1.0 },
        ticks: Vec::new(),
    };
    let last = values.len().saturating_sub(1).max(1) as f32;
    let runs = points(values, &axis, area, |n| {
        area.left + area.width * n as f32 / last
    });
    let pen = Pen {
        color: color::ACCENT,
        width: 1.3,
        dash: None,
    };
    line(out, &runs, pen, unfinished);
}
