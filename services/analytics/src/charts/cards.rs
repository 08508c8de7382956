//! Large numbers with what became of them.

use super::{
    ChartSpec,
    data::{self, float},
    font::{Weight, fit, text_width},
    format::{Tone, change_text, number},
    lines,
    plot::Area,
    shape::{Anchor, Shape, Size, color},
};
use crate::query::{Column, Direction, Row};

/// The least width of a card.
const LEAST: f32 = 96.0;

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let metrics = data::metrics(spec.frame);
    let Some(row) = data::whole(spec.frame) else {
        return vec![super::nothing(size, spec.locale)];
    };
    let most = (size.width / LEAST).floor().max(1.0) as usize;
    let across = metrics.len().clamp(1, most);
    let down = metrics.len().div_ceil(across).max(1);
    let each = Size {
        width: size.width / across as f32 - 6.0,
        height: size.height / down as f32,
    };
    let mut out = Vec::new();
    for (n, column) in metrics.iter().enumerate() {
        let (x, y) = (
            (n % across) as f32 * (each.width + 6.0),
            (n / across) as f32 * each.height,
        );
        let shapes = card(spec, row, n, column, each);
        out.extend(shapes.into_iter().map(|shape| shape.moved(x, y)));
    }
    out
}

/// One number: its name, itself, its change; a small line of how it went when there is room and time.
fn card(spec: &ChartSpec<'_>, row: &Row, n: usize, column: &Column, size: Size) -> Vec<Shape> {
    let words = spec.locale.words();
    let value = row.values.get(n).copied().flatten();
    let text = value.map_or_else(
        || "–".to_owned(),
        |value| number(value, column, spec.locale),
    );
    let label = fit(&column.label, 7.5, Weight::Regular, size.width).into_owned();
    let mut large = 17.0_f32.min(size.height * 0.36).max(9.0);
    let width = text_width(&text, large, Weight::Bold);
    if width > size.width {
        large *= size.width / width;
    }
    let base = 12.0 + large;
    let mut out = vec![
        Shape::text(0.0, 8.0, label)
            .sized(7.5)
            .colored(color::MUTED),
        Shape::text(0.0, base, text).sized(large).bold(),
    ];
    let mut below = base + 12.0;
    let change = row.change.as_ref().and_then(|changes| changes.get(n));
    if let Some(change) = change
        && let Some((text, tone)) = change_text(change, spec.locale)
    {
        let end = with_arrow(&mut out, (0.0, below), &text, tone, change.direction);
        let before = row
            .previous
            .as_ref()
            .and_then(|values| values.get(n).copied().flatten());
        if let Some(before) = before {
            let text = format!("{} {}", words.versus, number(before, column, spec.locale));
            let room = size.width - end - 6.0;
            if text_width(&text, 6.5, Weight::Regular) <= room {
                out.push(
                    Shape::text(end + 6.0, below, text)
                        .sized(6.5)
                        .colored(color::FAINT),
                );
            }
        }
        below += 6.0;
    }
    let over = data::over_time(spec.frame).filter(|over| over.times.len() > 2);
    if over.is_some() && size.height - below > 14.0 {
        let values: Vec<Option<f64>> = spec
            .frame
            .rows
            .iter()
            .map(|row| float(row.values.get(n).copied().flatten()))
            .collect();
        let area = Area {
            left: 1.0,
            top: below,
            width: size.width - 8.0,
            height: (size.height - below - 4.0).min(26.0),
        };
        lines::thread(&mut out, &values, &area, spec.frame.meta.partial_period);
    }
    out
}

/// A change with an arrow that is drawn, since not every font has one; answers where it ends.
fn with_arrow(
    out: &mut Vec<Shape>,
    (x, y): (f32, f32),
    text: &str,
    tone: Tone,
    direction: Option<Direction>,
) -> f32 {
    let hue = tone.color();
    let corners = match direction {
        Some(Direction::Up) => Some([(x, y - 1.0), (x + 6.0, y - 1.0), (x + 3.0, y - 6.0)]),
        Some(Direction::Down) => Some([(x, y - 6.0), (x + 6.0, y - 6.0), (x + 3.0, y - 1.0)]),
        Some(Direction::Flat) | None => None,
    };
    let start = if corners.is_some() { x + 8.5 } else { x };
    out.extend(corners.map(|corners| Shape::polygon(&corners, hue)));
    out.push(
        Shape::text(start, y, text)
            .sized(7.5)
            .bold()
            .colored(hue)
            .anchored(Anchor::Start),
    );
    start + text_width(text, 7.5, Weight::Bold)
}
