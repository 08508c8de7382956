//! Where things stand: pages, what goes on, what goes on the next one.

use super::parts;
use crate::{
    charts::{Anchor, Shape, Size, Weight, color, day_text, fit, text_width},
    reports::document::Document,
};

/// A4, upright, in points.
pub(super) const UPRIGHT: Size = Size {
    width: 595.28,
    height: 841.89,
};
/// The same, lying.
pub(super) const LYING: Size = Size {
    width: UPRIGHT.height,
    height: UPRIGHT.width,
};
/// What is free at every side.
pub(super) const MARGIN: f32 = 42.0;
/// What the footer needs above the margin.
const FOOTER: f32 = 16.0;

/// A page.
pub(super) struct Page {
    pub(super) size: Size,
    pub(super) shapes: Vec<Shape>,
    /// What begins on it, and how far down, for the reader's list of contents.
    pub(super) headings: Vec<(String, f32)>,
}

/// Pages that grow.
pub(super) struct Pages<'a> {
    document: &'a Document,
    done: Vec<Page>,
    /// Whether there is nothing but the cover yet, so that the page may still lie.
    only_cover: bool,
    /// How far down the last page is used.
    pub(super) y: f32,
}

impl Pages<'_> {
    /// What there is to write on, from the left margin to the right.
    pub(super) fn width(&self) -> f32 {
        self.size().width - 2.0 * MARGIN
    }

    pub(super) fn size(&self) -> Size {
        self.done.last().map_or(UPRIGHT, |page| page.size)
    }

    /// What is left of the page.
    pub(super) fn left(&self) -> f32 {
        self.size().height - MARGIN - FOOTER - self.y
    }

    /// What a whole page has.
    pub(super) fn whole(&self) -> f32 {
        self.size().height - 2.0 * MARGIN - FOOTER
    }

    /// Begins a page.
    pub(super) fn turn(&mut self, size: Size) {
        let again = self.only_cover && size != self.size();
        if again {
            self.done.clear();
        }
        self.done.push(Page {
            size,
            shapes: Vec::new(),
            headings: Vec::new(),
        });
        self.y = MARGIN;
        if again {
            cover(self);
        }
    }

    /// Goes on to an upright page when this one has less room, or lies.
    pub(super) fn need(&mut self, height: f32) {
        if self.left() < height || self.size() != UPRIGHT {
            self.turn(UPRIGHT);
        }
    }

    /// Goes on to a page like this one when it has less room.
    pub(super) fn keep(&mut self, height: f32) {
        if self.left() < height {
            let size = self.size();
            self.turn(size);
        }
    }

    /// Puts a shape that counts from the left margin and from where the page is used to.
    pub(super) fn put(&mut self, shape: Shape) {
        let y = self.y;
        self.only_cover = false;
        if let Some(page) = self.done.last_mut() {
            page.shapes.push(shape.moved(MARGIN, y));
        }
    }

    /// Puts the heading of a part, and says so in the list of contents.
    pub(super) fn heading(&mut self, title: &str, x: f32, width: f32) {
        let shown = fit(title, 10.0, Weight::Bold, width).into_owned();
        self.put(Shape::text(x, 10.0, shown).sized(10.0).bold());
        let y = self.y;
        if let Some(page) = self.done.last_mut() {
            page.headings.push((title.to_owned(), y));
        }
    }
}

/// The pages of a report.
pub(super) fn pages(document: &Document) -> Vec<Page> {
    let mut pages = Pages {
        document,
        done: Vec::new(),
        only_cover: false,
        y: MARGIN,
    };
    pages.turn(UPRIGHT);
    cover(&mut pages);
    parts::put(&mut pages, document);
    let mut done = pages.done;
    let count = done.len();
    for (n, page) in done.iter_mut().enumerate() {
        footer(page, document, n + 1, count);
    }
    done
}

/// The line that every report begins with: what it is, of which days, compared with which.
fn cover(pages: &mut Pages<'_>) {
    let document = pages.document;
    let (words, width) = (document.locale.words(), pages.width());
    pages.put(Shape::rect(0.0, 0.0, 28.0, 3.0, color::ACCENT));
    let mut size = 20.0_f32;
    let natural = text_width(&document.title, size, Weight::Bold);
    if natural > width {
        size = (size * width / natural).max(12.0);
    }
    let title = fit(&document.title, size, Weight::Bold, width).into_owned();
    pages.put(Shape::text(0.0, 28.0, title).sized(size).bold());
    let day = |day| day_text(day, document.locale);
    let range = |from, to| {
        if from == to {
            day(from)
        } else {
            format!("{} – {}", day(from), day(to))
        }
    };
    let mut line = match (document.from, document.to) {
        (Some(from), Some(to)) => range(from, to),
        _ => String::new(),
    };
    if let Some(compared) = &document.compared {
        line = format!(
            "{line}, {} {}",
            words.compared_with,
            range(compared.from, compared.to)
        );
    }
    let line = fit(&line, 10.0, Weight::Regular, width).into_owned();
    pages.put(
        Shape::text(0.0, 46.0, line)
            .sized(10.0)
            .colored(color::MUTED),
    );
    let mut y = 54.0;
    if document.partial_period {
        pages.put(
            Shape::text(0.0, y + 5.0, words.partial)
                .sized(8.0)
                .colored(color::FAINT),
        );
        y += 10.0;
    }
    pages.put(Shape::line(
        (0.0, y + 4.0),
        (width, y + 4.0),
        color::RULE,
        0.8,
    ));
    pages.y += y + 18.0;
    pages.only_cover = true;
}

/// What every page ends with: which report, of which data, which page.
fn footer(page: &mut Page, document: &Document, n: usize, count: usize) {
    let words = document.locale.words();
    let (width, y) = (
        page.size.width - 2.0 * MARGIN,
        page.size.height - MARGIN + 6.0,
    );
    let mut put = |shape: Shape| {
        page.shapes
            .push(shape.moved(MARGIN, y).colored(color::MUTED));
    };
    put(Shape::line((0.0, -11.0), (width, -11.0), color::RULE, 0.6));
    let number = format!("{} {n} {} {count}", words.page, words.of);
    let room = width - text_width(&number, 7.0, Weight::Regular) - 12.0;
    let at = document.as_of.format("%H:%M UTC");
    let facts = format!(
        "{} {}, {at} · {} {} · {} {}",
        words.data_of,
        day_text(document.as_of.date_naive(), document.locale),
        words.data_version,
        document.data_version,
        words.time_zone,
        document.timezone
    );
    let title_room = (room - text_width(&facts, 7.0, Weight::Regular) - 10.0).max(40.0);
    let title = fit(&document.title, 7.0, Weight::Regular, title_room);
    let line = fit(&format!("{title} · {facts}"), 7.0, Weight::Regular, room).into_owned();
    put(Shape::text(0.0, 0.0, line).sized(7.0));
    put(Shape::text(width, 0.0, number)
        .sized(7.0)
        .anchored(Anchor::End));
}
