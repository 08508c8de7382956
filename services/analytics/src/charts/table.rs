//! An answer as a table of texts: what a picture of one shows, and what a PDF lays out over pages.

use super::{
    ChartSpec,
    data::{self, piece_of},
    font::{Weight, fit, text_width},
    format::{Tone, change_text, key_text, number},
    locale::Locale,
    shape::{Anchor, Shape, Size, color},
};
use crate::query::{Column, Frame, Granularity, Row};

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A column of texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextColumn {
    pub(crate) label: String,
    pub(crate) align: Align,
    /// Time and dimensions, which say what a row is about.
    pub(crate) is_key: bool,
}

/// A text of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// A table of texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<TextColumn>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) totals: Option<Vec<Cell>>,
    /// How many rows the answer has, also those that were not taken.
    pub(crate) count: usize,
}

impl Table {
    /// The first `most` rows of an answer.
    pub(crate) fn of(frame: &Frame, locale: Locale, most: usize) -> Self {
        let (keys, metrics) = (data::keys(frame), data::metrics(frame));
        let compared = frame
            .rows
            .iter()
            .chain(&frame.totals)
            .any(|row| row.change.is_some());
        let key = |column: &&Column| TextColumn {
            label: column.label.clone(),
            align: Align::Left,
            is_key: true,
        };
        let mut columns: Vec<TextColumn> = keys.iter().map(key).collect();
        for column in &metrics {
            let labels = [
                Some(column.label.clone()),
                compared.then(|| locale.words().change.to_owned()),
            ];
            columns.extend(labels.into_iter().flatten().map(|label| TextColumn {
                label,
                align: Align::Right,
                is_key: false,
            }));
        }
        let maker = Maker {
            keys,
            metrics,
            compared,
            piece: piece_of(frame),
            locale,
        };
        Self {
            columns,
            rows: frame
                .rows
                .iter()
                .take(most)
                .map(|row| maker.row(row))
                .collect(),
            totals: frame.totals.as_ref().map(|row| maker.totals(row)),
            count: frame.rows.len(),
        }
    }
}

/// Makes texts of rows.
struct Maker<'a> {
    keys: Vec<&'a Column>,
    metrics: Vec<&'a Column>,
    compared: bool,
    piece: Granularity,
    locale: Locale,
}

impl Maker<'_> {
    fn row(&self, row: &Row) -> Vec<Cell> {
        let text = |(column, key): (&&Column, &Option<String>)| Cell {
            text: key_text(key.as_deref(), column, self.piece, self.locale),
            tone: Tone::Neutral,
        };
        self.keys
            .iter()
            .zip(&row.keys)
            .map(text)
            .chain(self.numbers(row))
            .collect()
    }

    fn totals(&self, row: &Row) -> Vec<Cell> {
        let label = |n: usize| Cell {
            text: if n == 0 {
                self.locale.words().total.to_owned()
            } else {
                String::new()
            },
            tone: Tone::Neutral,
        };
        (0..self.keys.len())
            .map(label)
            .chain(self.numbers(row))
            .collect()
    }

    fn numbers<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = Cell> + 'a {
        self.metrics.iter().enumerate().flat_map(|(n, column)| {
            let value = row.values.get(n).copied().flatten();
            let text = value.map_or_else(
                || "–".to_owned(),
                |value| number(value, column, self.locale),
            );
            let change = self.compared.then(|| {
                let change = row.change.as_ref().and_then(|changes| changes.get(n));
                let said = change.and_then(|change| change_text(change, self.locale));
                let (text, tone) = said.unwrap_or_else(|| ("–".to_owned(), Tone::Neutral));
                Cell { text, tone }
            });
            let tone = Tone::Neutral;
            [Some(Cell { text, tone }), change].into_iter().flatten()
        })
    }
}

const LABEL: f32 = 7.5;
const ROW: f32 = 15.0;

/// As much of the table as has room.
pub(super) fn draw(spec: &ChartSpec<'_>, size: Size) -> Vec<Shape> {
    let room = ((size.height / ROW).floor() as usize).max(3) - 1;
    let table = Table::of(spec.frame, spec.locale, room);
    let with_totals = usize::from(table.totals.is_some());
    let shown = if table.count + with_totals > room {
        room.saturating_sub(1 + with_totals).max(1)
    } else {
        table.count
    };
    let widths = widths(&table, shown, size.width);
    let mut out = Vec::new();
    let labels: Vec<Cell> = table
        .columns
        .iter()
        .map(|column| Cell {
            text: column.label.clone(),
            tone: Tone::Neutral,
        })
        .collect();
    line(&mut out, &table, &labels, &widths, 0.0, Weight::Bold);
    out.push(Shape::line(
        (0.0, ROW - 2.5),
        (size.width, ROW - 2.5),
        color::FAINT,
        0.6,
    ));
    let mut y = ROW;
    for row in table.rows.iter().take(shown) {
        line(&mut out, &table, row, &widths, y, Weight::Regular);
        y += ROW;
        out.push(Shape::line(
            (0.0, y - 2.5),
            (size.width, y - 2.5),
            color::RULE,
            0.4,
        ));
    }
    if let Some(totals) = &table.totals {
        line(&mut out, &table, totals, &widths, y, Weight::Bold);
        y += ROW;
    }
    if table.count > shown {
        let more = format!("+{} {}", table.count - shown, spec.locale.words().more_rows);
        out.push(
            Shape::text(0.0, y + 9.5, more)
                .sized(LABEL)
                .colored(color::FAINT),
        );
    }
    out
}

/// What each column gets: what it needs, else numbers first and the rest for texts.
fn widths(table: &Table, shown: usize, room: f32) -> Vec<f32> {
    let need = |n: usize| {
        let cells = table.rows.iter().take(shown).chain(&table.totals);
        let widths = cells.map(|row| text_width(&row[n].text, LABEL, Weight::Bold));
        let label = text_width(&table.columns[n].label, LABEL, Weight::Bold);
        widths.fold(label, f32::max) + 10.0
    };
    let needs: Vec<f32> = (0..table.columns.len()).map(need).collect();
    let whole: f32 = needs.iter().sum();
    let texts: f32 = needs
        .iter()
        .zip(&table.columns)
        .filter(|(_, it)| it.is_key)
        .map(|(need, _)| need)
        .sum();
    let left = room - (whole - texts);
    let share = |(need, column): (&f32, &TextColumn)| match (whole <= room, column.is_key) {
        (true, true) => need + (room - whole) * need / texts.max(1.0),
        (true, false) if texts == 0.0 => need * room / whole,
        (true, false) => *need,
        (false, true) if left > texts * 0.3 => need * left / texts,
        (false, false) if left > texts * 0.3 => *need,
        (false, _) => need * room / whole,
    };
    needs.iter().zip(&table.columns).map(share).collect()
}

fn line(
    out: &mut Vec<Shape>,
    table: &Table,
    cells: &[Cell],
    widths: &[f32],
    y: f32,
    weight: Weight,
) {
    let mut x = 0.0;
    for ((cell, column), width) in cells.iter().zip(&table.columns).zip(widths) {
        let text = fit(&cell.text, LABEL, weight, width - 4.0).into_owned();
        let ink = match cell.tone {
            Tone::Neutral => color::INK,
            tone => tone.color(),
        };
        let shape = match column.align {
            Align::Left => Shape::text(x, y + 9.5, text),
            Align::Right => Shape::text(x + width, y + 9.5, text).anchored(Anchor::End),
        };
        let shape = shape.sized(LABEL).colored(ink);
        out.push(if weight == Weight::Bold {
            shape.bold()
        } else {
            shape
        });
        x += width;
    }
}
