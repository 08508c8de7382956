//! A report as a spreadsheet: a sheet that says what it is, and one for each part. Numbers are numbers.

use bz_tabular::{Cell, Format, Xlsx};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::csv::{change_number, headings, is_compared};
use crate::{
    query::{Column, ColumnKind, Frame, Row, Unit},
    reports::document::{Answer, Document, Part},
};

pub(super) fn write(document: &Document) -> anyhow::Result<Vec<u8>> {
    let mut xlsx = Xlsx::default();
    let mut bytes = xlsx.sheet(document.locale.words().report, Vec::new())?;
    bytes.extend(xlsx.rows(about(document))?);
    for part in &document.parts {
        bytes.extend(sheet(&mut xlsx, part)?);
    }
    bytes.extend(xlsx.end()?);
    Ok(bytes)
}

/// What the report is: title, days, time zone, version of the data, and its parts.
fn about(document: &Document) -> Vec<Vec<Cell>> {
    let words = document.locale.words();
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut rows = vec![vec![Cell::Heading(document.title.clone())]];
    if let (Some(from), Some(to)) = (document.from, document.to) {
        rows.push(vec![day(from), day(to)]);
    }
    if let Some(compared) = &document.compared {
        rows.push(vec![
            text(words.compared_with),
            day(compared.from),
            day(compared.to),
        ]);
    }
    rows.push(vec![text(words.time_zone), text(&document.timezone)]);
    rows.push(vec![
        text(words.data_of),
        Cell::Text(document.as_of.to_rfc3339()),
    ]);
    rows.push(vec![
        text(words.data_version),
        Cell::Number(document.data_version.to_string()),
    ]);
    if document.partial_period {
        rows.push(vec![text(words.partial)]);
    }
    rows.push(Vec::new());
    rows.extend(document.parts.iter().map(|part| vec![text(&part.title)]));
    rows
}

fn sheet(xlsx: &mut Xlsx, part: &Part) -> std::io::Result<Vec<u8>> {
    let frame = match &part.answer {
        Answer::Frame(frame) => frame,
        Answer::Problem(failure) => {
            let mut bytes = xlsx.sheet(&part.title, vec![Cell::Heading(failure.code.clone())])?;
            bytes.extend(xlsx.rows([vec![Cell::Text(failure.detail.clone())]])?);
            return Ok(bytes);
        }
    };
    let names = headings(frame).into_iter().map(Cell::Heading).collect();
    let mut bytes = xlsx.sheet(&part.title, names)?;
    let compared = is_compared(frame);
    bytes.extend(xlsx.rows(frame.rows.iter().map(|row| cells(frame, row, compared)))?);
    if frame.meta.truncated {
        let rows = Cell::Number(frame.rows.len().to_string());
        bytes.extend(xlsx.rows([vec![Cell::Text("truncated: true".to_owned()), rows]])?);
    }
    Ok(bytes)
}

fn cells(frame: &Frame, row: &Row, compared: bool) -> Vec<Cell> {
    let keys = frame
        .columns
        .iter()
        .filter(|column| column.kind != ColumnKind::Metric);
    let mut cells: Vec<Cell> = keys
        .zip(&row.keys)
        .map(|(column, value)| key(column, value.as_deref()))
        .collect();
    let metrics = frame
        .columns
        .iter()
        .filter(|column| column.kind == ColumnKind::Metric);
    for (n, column) in metrics.enumerate() {
        cells.push(number(column, row.values.get(n).copied().flatten()));
        if compared {
            let previous = row
                .previous
                .as_ref()
                .and_then(|values| values.get(n).copied().flatten());
            cells.push(number(column, previous));
            let change = row.change.as_ref().and_then(|changes| changes.get(n));
            cells.push(match change.and_then(change_number) {
                Some(by) => Cell::Shown(
                    (by / Decimal::ONE_HUNDRED).normalize().to_string(),
                    Format::Percent,
                ),
                None => Cell::Empty,
            });
        }
    }
    cells
}

fn key(column: &Column, value: Option<&str>) -> Cell {
    let Some(value) = value else {
        return Cell::Empty;
    };
    match value.parse() {
        Ok(date) if column.kind == ColumnKind::Time => day(date),
        _ => Cell::Text(value.to_owned()),
    }
}

fn number(column: &Column, value: Option<Decimal>) -> Cell {
    let Some(value) = value else {
        return Cell::Empty;
    };
    let digits = value.normalize().to_string();
    match column.unit {
        Some(Unit::Count) if value.fract().is_zero() => Cell::Shown(digits, Format::Whole),
        Some(Unit::Percent) => Cell::Shown(digits, Format::Percent),
        Some(_) => Cell::Shown(digits, Format::Decimal),
        None => Cell::Number(digits),
    }
}

/// A date as spreadsheets count: days since the end of 1899.
fn day(date: NaiveDate) -> Cell {
    let start = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
    Cell::Shown((date - start).num_days().to_string(), Format::Day)
}
