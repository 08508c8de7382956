//! Charts: an answer as shapes, and shapes as SVG. Screen, shared page and PDF draw the same shapes, so that a picture is
//! the same everywhere; text stays text. Nothing here knows the clock: the same answer gives the same bytes.

mod axis;
mod bars;
mod cards;
mod cohort;
mod data;
mod donut;
mod font;
mod format;
mod funnel;
mod lines;
mod locale;
mod plot;
mod shape;
mod svg;
mod table;

pub use crate::dashboards::ChartKind;
pub(crate) use cards::{card, card_count};
pub use font::{Weight, missing_glyphs};
pub(crate) use font::{fit, font_data, shaped, text_width};
pub(crate) use format::{Tone, change_text, day_text, decimal, minor_digits, number};
pub use locale::Locale;
pub(crate) use shape::color;
pub use shape::{Anchor, Color, Pen, Segment, Shape, Size};
pub(crate) use table::{Align, Cell, Table};

use crate::query::Frame;

/// What is drawn: an answer, and how.
#[derive(Debug, Clone, Copy)]
pub struct ChartSpec<'a> {
    /// How it is drawn.
    pub kind: ChartKind,
    /// What it is called; said by screen readers, not drawn.
    pub title: &'a str,
    /// The numbers.
    pub frame: &'a Frame,
    /// The language, and how numbers and dates are written.
    pub locale: Locale,
}

impl ChartSpec<'_> {
    /// The shapes, from the upper left corner, in units of a CSS pixel or a point.
    #[must_use]
    pub fn shapes(&self, size: Size) -> Vec<Shape> {
        let frame = self.frame;
        if frame.rows.is_empty() && frame.totals.is_none() {
            return vec![nothing(size, self.locale)];
        }
        match self.kind {
            ChartKind::ScoreCard => cards::draw(self, size),
            ChartKind::Line => lines::draw(self, size, lines::Style::Line),
            ChartKind::Area => lines::draw(self, size, lines::Style::Area),
            ChartKind::Sparkline => lines::sparkline(self, size),
            ChartKind::Bar => bars::draw(self, size),
            ChartKind::Donut => donut::draw(self, size),
            ChartKind::Table => table::draw(self, size),
            ChartKind::Funnel => funnel::draw(self, size),
            ChartKind::CohortGrid => cohort::draw(self, size),
        }
    }

    /// The picture for a browser. It has no script, no style sheet and no link: it may stand in any page.
    #[must_use]
    pub fn svg(&self, size: Size) -> String {
        svg::document(self.title, size, &self.shapes(size))
    }
}

/// What stands where there are no numbers.
fn nothing(size: Size, locale: Locale) -> Shape {
    Shape::text(size.width / 2.0, size.height / 2.0, locale.words().no_data)
        .sized(9.0)
        .colored(color::FAINT)
        .anchored(Anchor::Middle)
}

#[cfg(test)]
mod tests;
