//! A report as comma-separated values: numbers exact and with a point, for programs and spreadsheets of every language.

use std::borrow::Cow;

use bz_tabular::safe;
use rust_decimal::Decimal;

use crate::{
    query::{Change, ColumnKind, Frame, Row},
    reports::document::{Answer, Document},
};

/// A block for each part: its title, its headings, its rows, an empty line. A report of one part is the block alone,
/// without its title.
pub(super) fn write(document: &Document, formula_guard: bool) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let text = |text: &str| -> String {
        let guarded = if formula_guard {
            safe::cell(text)
        } else {
            Cow::Borrowed(text)
        };
        guarded.into_owned()
    };
    let titled = document.parts.len() > 1;
    for (n, part) in document.parts.iter().enumerate() {
        if n > 0 {
            out.write_record([""])?;
        }
        if titled {
            out.write_record([text(&part.title)])?;
        }
        match &part.answer {
            Answer::Frame(frame) => block(&mut out, frame, &text)?,
            Answer::Problem(failure) => {
                out.write_record([text(&failure.code), text(&failure.detail)])?;
            }
        }
    }
    Ok(out.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

fn block(
    out: &mut csv::Writer<Vec<u8>>,
    frame: &Frame,
    text: &impl Fn(&str) -> String,
) -> anyhow::Result<()> {
    let compared = is_compared(frame);
    out.write_record(headings(frame).iter().map(|name| text(name)))?;
    for row in &frame.rows {
        let keys = row
            .keys
            .iter()
            .map(|key| text(key.as_deref().unwrap_or_default()));
        out.write_record(keys.chain(numbers(row, compared)))?;
    }
    // What was cut off is said in the file itself.
    if frame.meta.truncated {
        out.write_record(["truncated: true", &frame.rows.len().to_string()])?;
    }
    Ok(())
}

/// Whether the rows have numbers of another period.
pub(super) fn is_compared(frame: &Frame) -> bool {
    frame
        .rows
        .iter()
        .chain(&frame.totals)
        .any(|row| row.previous.is_some())
}

/// The headings: keys of the columns, and beside each metric what it was and how it changed.
pub(super) fn headings(frame: &Frame) -> Vec<String> {
    let compared = is_compared(frame);
    let mut names = Vec::new();
    for column in &frame.columns {
        let name = match &column.currency {
            Some(currency) => format!("{} ({currency})", column.label),
            None => column.label.clone(),
        };
        names.push(name.clone());
        if compared && column.kind == ColumnKind::Metric {
            names.extend([format!("{name}, previous"), format!("{name}, change")]);
        }
    }
    names
}

fn numbers(row: &Row, compared: bool) -> impl Iterator<Item = String> + '_ {
    let digits = |value: Option<Decimal>| {
        value.map_or_else(String::new, |value| value.normalize().to_string())
    };
    row.values.iter().enumerate().flat_map(move |(n, value)| {
        let previous = row
            .previous
            .as_ref()
            .and_then(|values| values.get(n).copied().flatten());
        let change = row.change.as_ref().and_then(|changes| changes.get(n));
        let more = compared.then(|| [digits(previous), digits(change.and_then(change_number))]);
        [digits(*value)]
            .into_iter()
            .chain(more.into_iter().flatten())
    })
}

/// Percent of what was, or points.
pub(super) fn change_number(change: &Change) -> Option<Decimal> {
    change.percent.or(change.points)
}
