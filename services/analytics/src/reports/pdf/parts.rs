//! The parts of a report on its pages: cards beside one another, charts alone or in pairs, tables as long as they are.

use super::{layout::Pages, table};
use crate::{
    charts::{ChartKind, ChartSpec, Locale, Shape, Size, Weight, card, card_count, color, fit},
    query::Frame,
    reports::document::{Answer, Document, Failure, Part},
};

const CARD: Size = Size {
    width: 0.0,
    height: 66.0,
};
const GAP: f32 = 10.0;
/// What is free under a part.
const BELOW: f32 = 20.0;
/// The heading of a part with its room.
const HEADING: f32 = 20.0;
/// Half of a dashboard's columns: parts no wider stand in pairs.
const HALF: u8 = 6;

/// Puts all parts.
pub(super) fn put(pages: &mut Pages<'_>, document: &Document) {
    let mut rest = &document.parts[..];
    while let Some(part) = rest.first() {
        let cards = rest.iter().take_while(|part| is_card(part)).count();
        if cards > 0 {
            card_grid(pages, &rest[..cards], document.locale);
            rest = &rest[cards..];
        } else if let [left, right, ..] = rest
            && is_half(left)
            && is_half(right)
        {
            pair(pages, left, right, document.locale);
            rest = &rest[2..];
        } else {
            single(pages, part, document.locale);
            rest = &rest[1..];
        }
    }
}

fn is_card(part: &Part) -> bool {
    part.frame().is_some() && part.chart == ChartKind::ScoreCard
}

fn is_half(part: &Part) -> bool {
    let beside = !matches!(
        part.chart,
        ChartKind::Table | ChartKind::ScoreCard | ChartKind::CohortGrid
    );
    part.frame().is_some() && beside && part.layout.w <= HALF
}

/// Cards in rows of up to four; every number of every part is one.
fn card_grid(pages: &mut Pages<'_>, parts: &[Part], locale: Locale) {
    let numbers: Vec<(&Part, &Frame, usize)> = parts
        .iter()
        .filter_map(|part| Some((part, part.frame()?)))
        .flat_map(|(part, frame)| (0..card_count(frame)).map(move |n| (part, frame, n)))
        .collect();
    let across = match numbers.len() {
        0 => return,
        n @ 1..=4 => n.max(3),
        5 | 6 | 9 => 3,
        _ => 4,
    };
    let width = (pages.width() - GAP * (across as f32 - 1.0)) / across as f32;
    for row in numbers.chunks(across) {
        pages.need(CARD.height);
        for (n, (part, frame, metric)) in row.iter().enumerate() {
            let x = n as f32 * (width + GAP);
            pages.put(Shape::rect(x, 0.0, width, CARD.height, color::WASH));
            pages.put(Shape::rect(x, 0.0, 2.0, CARD.height, color::ACCENT));
            let spec = spec(part, frame, locale);
            let label = (card_count(frame) == 1).then_some(part.title.as_str());
            let size = Size {
                width: width - 20.0,
                height: CARD.height - 12.0,
            };
            for shape in card(&spec, *metric, label, size) {
                pages.put(shape.moved(x + 11.0, 7.0));
            }
        }
        pages.y += CARD.height + GAP;
    }
    pages.y += BELOW - GAP;
}

fn spec<'a>(part: &'a Part, frame: &'a Frame, locale: Locale) -> ChartSpec<'a> {
    ChartSpec {
        kind: part.chart,
        title: &part.title,
        frame,
        locale,
    }
}

fn pair(pages: &mut Pages<'_>, left: &Part, right: &Part, locale: Locale) {
    let width = (pages.width() - 22.0) / 2.0;
    let height = height(left, width)
        .max(height(right, width))
        .min(pages.whole() - HEADING);
    pages.need(HEADING + height);
    let size = Size { width, height };
    for (n, part) in [left, right].into_iter().enumerate() {
        chart(pages, part, locale, n as f32 * (width + 22.0), size);
    }
    pages.y += HEADING + height + BELOW;
}

fn single(pages: &mut Pages<'_>, part: &Part, locale: Locale) {
    let frame = match &part.answer {
        Answer::Problem(failure) => return failed(pages, part, failure, locale),
        Answer::Frame(frame) => frame,
    };
    if part.chart == ChartKind::Table && !frame.rows.is_empty() {
        return table::put(pages, part, frame, locale);
    }
    pages.need(HEADING);
    let width = pages.width();
    let height = height(part, width).min(pages.whole() - HEADING);
    pages.need(HEADING + height);
    chart(pages, part, locale, 0.0, Size { width, height });
    pages.y += HEADING + height + BELOW;
}

fn chart(pages: &mut Pages<'_>, part: &Part, locale: Locale, x: f32, size: Size) {
    let Some(frame) = part.frame() else { return };
    pages.heading(&part.title, x, size.width);
    for shape in spec(part, frame, locale).shapes(size) {
        pages.put(shape.moved(x, HEADING));
    }
}

/// How high a part wants to be.
fn height(part: &Part, width: f32) -> f32 {
    let Some(frame) = part.frame() else {
        return 0.0;
    };
    let rows = frame.rows.len() as f32;
    let over_time = frame
        .columns
        .first()
        .is_some_and(|column| column.kind == crate::query::ColumnKind::Time);
    match part.chart {
        _ if frame.rows.is_empty() && frame.totals.is_none() => 40.0,
        ChartKind::Funnel => {
            rows.max(card_count(frame) as f32 * if rows <= 1.0 { 1.0 } else { 0.0 })
                .clamp(2.0, 9.0)
                * 36.0
        }
        ChartKind::Bar if !over_time => {
            rows.clamp(2.0, 15.0) * 17.0 + if card_count(frame) > 1 { 14.0 } else { 0.0 }
        }
        ChartKind::CohortGrid => {
            let mut cohorts: Vec<_> = frame.rows.iter().map(|row| row.keys.first()).collect();
            cohorts.dedup();
            14.0 + cohorts.len() as f32 * 18.0
        }
        ChartKind::Sparkline => 40.0,
        ChartKind::Donut => (width * 0.48).min(150.0),
        ChartKind::Line | ChartKind::Area | ChartKind::Bar => {
            let mut units: Vec<_> = frame
                .columns
                .iter()
                .filter_map(|column| column.unit.map(|unit| (unit, &column.currency)))
                .collect();
            units.dedup();
            165.0 + (units.len().max(1) as f32 - 1.0) * 90.0
        }
        ChartKind::Table | ChartKind::ScoreCard => 120.0,
    }
}

fn failed(pages: &mut Pages<'_>, part: &Part, failure: &Failure, locale: Locale) {
    pages.keep(HEADING + 30.0);
    let width = pages.width();
    pages.heading(&part.title, 0.0, width);
    pages.put(Shape::rect(0.0, HEADING, width, 22.0, color::WASH));
    let text = format!("{} {}", locale.words().failed_part, failure.detail);
    let text = fit(&text, 8.0, Weight::Regular, width - 20.0).into_owned();
    pages.put(Shape::text(10.0, HEADING + 14.0, text).colored(color::BAD));
    pages.y += HEADING + 22.0 + BELOW;
}
