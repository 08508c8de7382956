//! An answer as what charts draw: series over time, slices by dimension.

use chrono::NaiveDate;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{format::key_text, locale::Locale};
use crate::query::{Column, ColumnKind, Frame, Granularity, Row, Unit};

/// The most lines of a picture: more cannot be told apart.
const MOST_SERIES: usize = 6;

/// One line of a chart.
pub(super) struct Series {
    pub(super) label: String,
    pub(super) values: Vec<Option<f64>>,
    /// The same in the period compared with; empty without one.
    pub(super) previous: Vec<Option<f64>>,
}

/// Series that share an axis, because they have one unit.
pub(super) struct Panel<'a> {
    /// The column that says how numbers are written.
    pub(super) column: &'a Column,
    pub(super) series: Vec<Series>,
    /// How many series had no room.
    pub(super) left_out: usize,
}

/// Series over time.
pub(super) struct OverTime<'a> {
    /// The beginnings of the pieces of time.
    pub(super) times: Vec<&'a str>,
    pub(super) piece: Granularity,
    pub(super) panels: Vec<Panel<'a>>,
}

/// The columns of numbers, in the order of a row's values.
pub(super) fn metrics(frame: &Frame) -> Vec<&Column> {
    let is_metric = |column: &&Column| column.kind == ColumnKind::Metric;
    frame.columns.iter().filter(is_metric).collect()
}

/// The columns of time and dimensions, in the order of a row's keys.
pub(super) fn keys(frame: &Frame) -> Vec<&Column> {
    let is_key = |column: &&Column| column.kind != ColumnKind::Metric;
    frame.columns.iter().filter(is_key).collect()
}

pub(super) fn float(value: Option<Decimal>) -> Option<f64> {
    value.and_then(|value| value.to_f64())
}

/// The one row of numbers that stands for all: the totals, or the only row.
pub(super) fn whole(frame: &Frame) -> Option<&Row> {
    match (&frame.totals, &frame.rows[..]) {
        (Some(totals), _) => Some(totals),
        (None, [only]) => Some(only),
        _ => None,
    }
}

/// The answer as series over time; none when it has no time.
pub(super) fn over_time(frame: &Frame) -> Option<OverTime<'_>> {
    let keys = keys(frame);
    let time = keys
        .iter()
        .position(|column| column.kind == ColumnKind::Time)?;
    let mut times: Vec<&str> = Vec::new();
    for row in &frame.rows {
        let at = row
            .keys
            .get(time)
            .and_then(Option::as_deref)
            .unwrap_or_default();
        if times.last() != Some(&at) {
            times.push(at);
        }
    }
    times.sort_unstable();
    times.dedup();
    let panels = if keys.len() > 1 {
        vec![by_dimension(frame, time, &times)?]
    } else {
        by_unit(frame, time, &times)
    };
    Some(OverTime {
        piece: piece(&times),
        times,
        panels,
    })
}

/// A series for each metric; those of one unit and currency together.
fn by_unit<'a>(frame: &'a Frame, time: usize, times: &[&str]) -> Vec<Panel<'a>> {
    let mut panels: Vec<Panel<'a>> = Vec::new();
    for (n, column) in metrics(frame).into_iter().enumerate() {
        let rows: Vec<&Row> = frame.rows.iter().collect();
        let series = series(column.label.clone(), n, time, times, &rows);
        let same = |panel: &&mut Panel<'_>| {
            (panel.column.unit, &panel.column.currency) == (column.unit, &column.currency)
        };
        match panels.iter_mut().find(same) {
            Some(panel) if panel.series.len() < MOST_SERIES => panel.series.push(series),
            Some(panel) => panel.left_out += 1,
            None => panels.push(Panel {
                column,
                series: vec![series],
                left_out: 0,
            }),
        }
    }
    panels
}

/// A series of the first metric for each value of the first dimension, the largest first.
fn by_dimension<'a>(frame: &'a Frame, time: usize, times: &[&str]) -> Option<Panel<'a>> {
    let dimension = usize::from(time == 0);
    let column = *metrics(frame).first()?;
    let mut groups: Vec<(Option<&str>, Vec<&Row>)> = Vec::new();
    for row in &frame.rows {
        let value = row.keys.get(dimension).and_then(Option::as_deref);
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((value, vec![row])),
        }
    }
    let size = |rows: &[&Row]| -> f64 {
        let values = rows
            .iter()
            .filter_map(|row| float(row.values.first().copied().flatten()));
        values.map(f64::abs).sum()
    };
    groups.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)));
    let left_out = groups.len().saturating_sub(MOST_SERIES);
    groups.truncate(MOST_SERIES);
    let key = keys(frame)[dimension];
    let made = |(value, rows): (Option<&str>, Vec<&Row>)| {
        let label = key_text(value, key, Granularity::Day, Locale::En);
        // The period before of every line would be twice as many lines.
        let mut series = series(label, 0, time, times, &rows);
        series.previous.clear();
        series
    };
    Some(Panel {
        column,
        series: groups.into_iter().map(made).collect(),
        left_out,
    })
}

fn series(label: String, metric: usize, time: usize, times: &[&str], rows: &[&Row]) -> Series {
    let mut values = vec![None; times.len()];
    let mut previous = Vec::new();
    for row in rows {
        let at = row
            .keys
            .get(time)
            .and_then(Option::as_deref)
            .unwrap_or_default();
        let Ok(place) = times.binary_search(&at) else {
            continue;
        };
        values[place] = float(row.values.get(metric).copied().flatten());
        if let Some(before) = &row.previous {
            previous.resize(times.len(), None);
            previous[place] = float(before.get(metric).copied().flatten());
        }
    }
    Series {
        label,
        values,
        previous,
    }
}

/// How long the pieces of time are, by how far apart they begin.
pub(super) fn piece(times: &[&str]) -> Granularity {
    let days: Vec<NaiveDate> = times
        .iter()
        .filter_map(|at| at.get(..10)?.parse().ok())
        .collect();
    if times.iter().any(|at| at.len() > 10) {
        return Granularity::Hour;
    }
    let gap = days
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).num_days())
        .min();
    match gap {
        None | Some(..7) => Granularity::Day,
        Some(7..28) => Granularity::Week,
        Some(28..89) => Granularity::Month,
        Some(89..365) => Granularity::Quarter,
        Some(_) => Granularity::Year,
    }
}

/// The pieces of time of a frame's first column.
pub(crate) fn piece_of(frame: &Frame) -> Granularity {
    let mut times: Vec<&str> = frame
        .rows
        .iter()
        .filter_map(|row| row.keys.first().and_then(Option::as_deref))
        .collect();
    times.sort_unstable();
    times.dedup();
    piece(&times)
}

/// A number of one value of a dimension.
pub(super) struct Slice {
    pub(super) label: String,
    pub(super) value: f64,
}

/// The first metric by dimension, in the order of the rows.
pub(super) fn slices(frame: &Frame, metric: usize, locale: Locale) -> Vec<Slice> {
    let keys = keys(frame);
    let piece = piece_of(frame);
    let slice = |row: &Row| {
        let texts = keys
            .iter()
            .zip(&row.keys)
            .map(|(column, key)| key_text(key.as_deref(), column, piece, locale));
        Some(Slice {
            label: texts.collect::<Vec<_>>().join(" · "),
            value: float(row.values.get(metric).copied().flatten())?,
        })
    };
    frame.rows.iter().filter_map(slice).collect()
}

/// Whether numbers of a unit may be added up.
pub(super) const fn adds_up(column: &Column) -> bool {
    matches!(
        column.unit,
        None | Some(Unit::Count | Unit::Money | Unit::Seconds)
    )
}
