//! Cohorts down, periods across, the number as a colour: the first key is the cohort, the second the period.

use super::{
    ChartSpec,
    data::{self, float},
    font::{Weight, fit, text_width},
    format::{compact, key_text},
    shape::{Anchor, Shape, Size, color},
};

const LABEL: f32 = 7.0;

pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let keys = data::keys(spec.frame);
    let (Some(column), [cohort, _, ..]) = (data::metrics(spec.frame).first().copied(), &keys[..])
    else {
        return super::table::draw(spec, size);
    };
    let grid = Grid::of(spec);
    let names: Vec<String> = grid
        .cohorts
        .iter()
        .map(|key| key_text(Some(key), cohort, grid.piece, spec.locale))
        .collect();
    let widest = names
        .iter()
        .map(|name| text_width(name, LABEL, Weight::Regular))
        .fold(0.0, f32::max);
    let left = widest.min(size.width * 0.25) + 6.0;
    let width = ((size.width - left) / grid.periods.len().max(1) as f32).min(60.0);
    let height = ((size.height - 14.0) / grid.cohorts.len().max(1) as f32).min(20.0);
    let mut out = Vec::new();
    for (n, period) in grid.periods.iter().enumerate() {
        let x = left + width * (n as f32 + 0.5);
        let text = fit(period, LABEL, Weight::Regular, width).into_owned();
        out.push(
            Shape::text(x, 8.0, text)
                .sized(LABEL)
                .colored(color::MUTED)
                .anchored(Anchor::Middle),
        );
    }
    for (row, name) in names.iter().enumerate() {
        let y = 14.0 + height * row as f32;
        let name = fit(name, LABEL, Weight::Regular, left - 6.0);
        out.push(Shape::text(0.0, y + height / 2.0 + 2.5, name).sized(LABEL));
        for (n, value) in grid.values[row].iter().enumerate() {
            let Some(value) = value else { continue };
            let share = grid.share(*value);
            let (x, hue) = (
                left + width * n as f32,
                color::mix(color::TINT, color::ACCENT, share),
            );
            out.push(Shape::rect(x, y, width - 1.0, height - 1.0, hue));
            let text = compact(*value, column, spec.locale);
            let size = (width * 0.28).min(LABEL).min(height * 0.6);
            if text_width(&text, size, Weight::Regular) < width - 2.0 && size > 3.0 {
                let ink = if share > 0.55 {
                    color::WHITE
                } else {
                    color::INK
                };
                let middle = (x + (width - 1.0) / 2.0, y + height / 2.0 + size * 0.35);
                out.push(
                    Shape::text(middle.0, middle.1, text)
                        .sized(size)
                        .colored(ink)
                        .anchored(Anchor::Middle),
                );
            }
        }
    }
    out
}

/// The numbers in rows and columns.
struct Grid<'a> {
    cohorts: Vec<&'a str>,
    piece: crate::query::Granularity,
    periods: Vec<&'a str>,
    values: Vec<Vec<Option<f64>>>,
    most: f64,
}

impl<'a> Grid<'a> {
    fn of(spec: &ChartSpec<'a>) -> Self {
        let rows = &spec.frame.rows;
        let key = |row: &'a crate::query::Row, n: usize| {
            row.keys
                .get(n)
                .and_then(Option::as_deref)
                .unwrap_or_default()
        };
        let (mut cohorts, mut periods): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for row in rows {
            let (cohort, period) = (key(row, 0), key(row, 1));
            if !cohorts.contains(&cohort) {
                cohorts.push(cohort);
            }
            if !periods.contains(&period) {
                periods.push(period);
            }
        }
        // Periods are numbers from the cohort's own on.
        periods.sort_by_key(|period| (period.parse::<i64>().unwrap_or(i64::MAX), *period));
        let mut values = vec![vec![None; periods.len()]; cohorts.len()];
        for row in rows {
            let place = |list: &[&str], key: &str| list.iter().position(|it| *it == key);
            if let (Some(down), Some(across)) =
                (place(&cohorts, key(row, 0)), place(&periods, key(row, 1)))
            {
                values[down][across] = float(row.values.first().copied().flatten());
            }
        }
        let most = values
            .iter()
            .flatten()
            .flatten()
            .copied()
            .fold(0.0, f64::max);
        Self {
            piece: data::piece(&cohorts),
            cohorts,
            periods,
            values,
            most,
        }
    }

    fn share(&self, value: f64) -> f32 {
        if self.most > 0.0 {
            (value / self.most).clamp(0.0, 1.0) as f32
        } else {
            0.0
        }
    }
}
