//! Tables over pages, with their heading on each.

use super::{
    MOST_ROWS,
    layout::{LYING, MARGIN, Pages, UPRIGHT},
};
use crate::{
    charts::{
        Align, Anchor, Cell, Locale, Shape, Table, Tone, Weight, color, decimal, fit, text_width,
    },
    query::Frame,
    reports::document::Part,
};

const TEXT: f32 = 7.5;
const ROW: f32 = 14.5;
const LINE: f32 = 9.0;
/// What is free between two columns.
const BETWEEN: f32 = 12.0;
/// The most that a text gets while others have less than they need.
const WIDEST_TEXT: f32 = 190.0;

/// Puts a table, upright when it fits, lying when it does not, in several parts when it does not fit so either.
pub(super) fn put(pages: &mut Pages<'_>, part: &Part, frame: &Frame, locale: Locale) {
    let table = Table::of(frame, locale, MOST_ROWS);
    let needs = needs(&table);
    let (upright, lying) = (UPRIGHT.width - 2.0 * MARGIN, LYING.width - 2.0 * MARGIN);
    let whole: f32 = needs.iter().sum();
    let size = if whole <= upright { UPRIGHT } else { LYING };
    let pieces = pieces(
        &table,
        &needs,
        if whole <= upright { upright } else { lying },
    );
    for (n, columns) in pieces.iter().enumerate() {
        if pages.size() != size || pages.left() < 20.0 + 4.0 * ROW || n > 0 {
            pages.turn(size);
        }
        let title = match pieces.len() {
            1 => part.title.clone(),
            count => format!("{} ({}/{count})", part.title, n + 1),
        };
        let width = pages.width();
        pages.heading(&title, 0.0, width);
        pages.y += 18.0;
        let needs: Vec<f32> = columns.iter().map(|column| needs[*column]).collect();
        let piece = Piece {
            table: &table,
            columns,
            widths: widths(&table, columns, &needs, width),
            title: &title,
            locale,
        };
        piece.put(pages, size);
    }
    notes(pages, frame, &table, locale);
    pages.y += 20.0;
}

/// What is said under a table that does not show everything.
fn notes(pages: &mut Pages<'_>, frame: &Frame, table: &Table, locale: Locale) {
    let words = locale.words();
    let mut notes = Vec::new();
    if table.count > table.rows.len() {
        let count = |n: usize| decimal(n.into(), 0, locale);
        notes.push(format!(
            "{} {} {} {}",
            words.cut_table,
            count(table.rows.len()),
            words.of,
            count(table.count)
        ));
    }
    if frame.meta.truncated {
        notes.push(words.cut_query.to_owned());
    }
    if !frame.meta.approximate.is_empty() {
        notes.push(format!(
            "{} {}",
            words.estimate,
            frame.meta.approximate.join(", ")
        ));
    }
    for note in notes {
        pages.keep(14.0);
        let note = fit(&note, 7.0, Weight::Regular, pages.width()).into_owned();
        pages.put(
            Shape::text(0.0, 10.0, note)
                .sized(7.0)
                .colored(color::MUTED),
        );
        pages.y += 11.0;
    }
}

/// What every column needs to show all of its texts.
fn needs(table: &Table) -> Vec<f32> {
    let need = |n: usize| {
        let column = &table.columns[n];
        let cells = table
            .rows
            .iter()
            .map(|row| text_width(&row[n].text, TEXT, Weight::Regular));
        let total = table
            .totals
            .iter()
            .map(|row| text_width(&row[n].text, TEXT, Weight::Bold));
        let label = heading(&column.label)
            .iter()
            .map(|line| text_width(line, TEXT, Weight::Bold))
            .fold(0.0, f32::max);
        let widest = cells.chain(total).fold(label, f32::max);
        BETWEEN
            + if column.is_key {
                widest.min(WIDEST_TEXT)
            } else {
                widest
            }
    };
    (0..table.columns.len()).map(need).collect()
}

/// The columns of each part of a table that is wider than the page: the keys on all of them, so that a row is known.
fn pieces(table: &Table, needs: &[f32], room: f32) -> Vec<Vec<usize>> {
    let keys: Vec<usize> = (0..needs.len())
        .filter(|n| table.columns[*n].is_key)
        .collect();
    let keys_need: f32 = keys.iter().map(|n| needs[*n]).sum::<f32>().min(room * 0.5);
    let mut pieces = vec![keys.clone()];
    let mut used = keys_need;
    for n in (0..needs.len()).filter(|n| !table.columns[*n].is_key) {
        if used + needs[n] > room + 0.5 && used > keys_need {
            pieces.push(keys.clone());
            used = keys_need;
        }
        used += needs[n];
        if let Some(piece) = pieces.last_mut() {
            piece.push(n);
        }
    }
    pieces
}

/// What every column gets: numbers what they need, texts the rest.
fn widths(table: &Table, columns: &[usize], needs: &[f32], room: f32) -> Vec<f32> {
    let is_key = |n: &usize| table.columns[*n].is_key;
    let of = |wanted: bool| {
        columns
            .iter()
            .zip(needs)
            .filter(|(n, _)| is_key(n) == wanted)
            .map(|(_, need)| need)
            .sum::<f32>()
    };
    let (texts, numbers) = (of(true), of(false));
    if texts == 0.0 {
        return needs
            .iter()
            .map(|need| need * room / numbers.max(1.0))
            .collect();
    }
    let rest = (room - numbers).max(room * 0.15);
    // Numbers far from what they are about are hard to follow: texts get twice their need at most, numbers the rest.
    let text_part = (rest / texts).min(2.0);
    let number_part = if numbers > 0.0 {
        (room - texts * text_part) / numbers
    } else {
        1.0
    };
    let width = |(n, need): (&usize, &f32)| need * if is_key(n) { text_part } else { number_part };
    columns.iter().zip(needs).map(width).collect()
}

/// A heading in one line or two.
fn heading(label: &str) -> Vec<&str> {
    let middle = label.len() / 2;
    let spaces = label.match_indices(' ').map(|(at, _)| at);
    match spaces.min_by_key(|at| at.abs_diff(middle)) {
        Some(at) if label.len() > 12 => vec![&label[..at], &label[at + 1..]],
        _ => vec![label],
    }
}

/// Columns of a table that stand beside one another.
struct Piece<'a> {
    table: &'a Table,
    columns: &'a [usize],
    widths: Vec<f32>,
    title: &'a str,
    locale: Locale,
}

impl Piece<'_> {
    fn put(&self, pages: &mut Pages<'_>, size: crate::charts::Size) {
        self.headings(pages);
        for row in &self.table.rows {
            self.room(pages, size, 1.0);
            self.line(pages, row, Weight::Regular);
            let width = pages.width();
            pages.put(Shape::line((0.0, ROW), (width, ROW), color::RULE, 0.4));
            pages.y += ROW;
        }
        if let Some(totals) = &self.table.totals {
            self.room(pages, size, 1.2);
            let width = pages.width();
            pages.put(Shape::rect(0.0, 0.0, width, ROW, color::WASH));
            pages.put(Shape::line((0.0, 0.0), (width, 0.0), color::FAINT, 0.8));
            self.line(pages, totals, Weight::Bold);
            pages.y += ROW;
        }
    }

    /// Goes on to the next page, headings again, when so many rows have no room.
    fn room(&self, pages: &mut Pages<'_>, size: crate::charts::Size, rows: f32) {
        if pages.left() >= rows * ROW {
            return;
        }
        pages.turn(size);
        let title = format!("{} ({})", self.title, self.locale.words().continued);
        let title = fit(&title, 8.0, Weight::Regular, pages.width()).into_owned();
        pages.put(Shape::text(0.0, 8.0, title).colored(color::MUTED));
        pages.y += 14.0;
        self.headings(pages);
    }

    fn headings(&self, pages: &mut Pages<'_>) {
        let lines: Vec<Vec<&str>> = self
            .columns
            .iter()
            .map(|n| heading(&self.table.columns[*n].label))
            .collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1) as f32;
        let height = most * LINE + 6.0;
        let width = pages.width();
        pages.put(Shape::rect(0.0, 0.0, width, height, color::WASH));
        let mut x = 0.0;
        for ((n, lines), width) in self.columns.iter().zip(lines).zip(&self.widths) {
            let first = height - 5.5 - LINE * (lines.len() as f32 - 1.0);
            for (k, text) in lines.into_iter().enumerate() {
                let y = first + k as f32 * LINE;
                pages.put(
                    self.text(*n, text, (x, y), *width, Weight::Bold)
                        .colored(color::MUTED),
                );
            }
            x += width;
        }
        pages.put(Shape::line(
            (0.0, height),
            (width, height),
            color::FAINT,
            0.8,
        ));
        pages.y += height;
    }

    fn line(&self, pages: &mut Pages<'_>, cells: &[Cell], weight: Weight) {
        let mut x = 0.0;
        for (n, width) in self.columns.iter().zip(&self.widths) {
            let cell = &cells[*n];
            let ink = if cell.tone == Tone::Neutral {
                color::INK
            } else {
                cell.tone.color()
            };
            if !cell.text.is_empty() {
                pages.put(
                    self.text(*n, &cell.text, (x, ROW - 4.5), *width, weight)
                        .colored(ink),
                );
            }
            x += width;
        }
    }

    fn text(
        &self,
        column: usize,
        text: &str,
        (x, y): (f32, f32),
        width: f32,
        weight: Weight,
    ) -> Shape {
        let text = fit(text, TEXT, weight, width - BETWEEN + 4.0).into_owned();
        let shape = match self.table.columns[column].align {
            Align::Left => Shape::text(x + 4.0, y, text),
            Align::Right => Shape::text(x + width - 4.0, y, text).anchored(Anchor::End),
        };
        let shape = shape.sized(TEXT);
        if weight == Weight::Bold {
            shape.bold()
        } else {
            shape
        }
    }
}
