//! Shapes on the pages of a PDF.

use std::{collections::BTreeSet, sync::LazyLock};

use chrono::{Datelike, Timelike};
use krilla::{
    Document as Writer,
    color::rgb,
    destination::XyzDestination,
    geom::{Path, PathBuilder, Point},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule, LineJoin, Stroke, StrokeDash},
    surface::Surface,
    text::{Font, GlyphId, KrillaGlyph},
};

use super::{PdfError, layout::Page};
use crate::{
    charts::{Anchor, Color, Pen, Segment, Shape, Weight, font_data, shaped},
    reports::document::Document,
};

static FONTS: LazyLock<[Option<Font>; 2]> = LazyLock::new(|| {
    [Weight::Regular, Weight::Bold].map(|weight| Font::new(font_data(weight).into(), 0))
});

/// Writes pages.
pub(super) fn write(
    document: &Document,
    pages: &[Page],
    missing: &BTreeSet<char>,
) -> Result<Vec<u8>, PdfError> {
    let mut writer = Writer::new();
    writer.set_metadata(metadata(document));
    let mut outline = Outline::new();
    for (n, page) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(page.size.width, page.size.height)
            .ok_or_else(|| PdfError("a page has no size".to_owned()))?;
        let mut sheet = writer.start_page_with(settings);
        let mut surface = sheet.surface();
        for shape in &page.shapes {
            draw(&mut surface, shape, missing);
        }
        surface.finish();
        sheet.finish();
        for (title, y) in &page.headings {
            let place = XyzDestination::new(n, Point::from_xy(0.0, *y));
            outline.push_child(OutlineNode::new(title.clone(), place));
        }
    }
    writer.set_outline(outline);
    writer
        .finish()
        .map_err(|error| PdfError(format!("{error:?}")))
}

fn metadata(document: &Document) -> Metadata {
    let at = document.as_of;
    let small = |n: u32| u8::try_from(n).unwrap_or_default();
    let date = DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(document.title.clone())
        .language(document.locale.tag().to_owned())
        .creator("BizOSaaS".to_owned())
        .creation_date(date)
}

fn draw(surface: &mut Surface<'_>, shape: &Shape, missing: &BTreeSet<char>) {
    match shape {
        Shape::Path {
            outline,
            fill,
            pen,
            opacity,
        } => {
            let Some(path) = path(outline) else { return };
            let opacity = NormalizedF32::new(*opacity).unwrap_or(NormalizedF32::ONE);
            surface.set_fill(fill.map(|color| filling(color, opacity)));
            surface.set_stroke(pen.map(|pen| stroke(pen, opacity)));
            if fill.is_some() || pen.is_some() {
                surface.draw_path(&path);
            }
        }
        Shape::Text {
            x,
            y,
            text,
            size,
            weight,
            color,
            anchor,
        } => {
            surface.set_fill(Some(filling(*color, NormalizedF32::ONE)));
            surface.set_stroke(None);
            let clean = (!missing.is_empty() && text.contains(|c| missing.contains(&c)))
                .then(|| text.replace(|c| missing.contains(&c), "?"));
            let text = clean.as_deref().unwrap_or(text);
            line(surface, text, (*x, *y), *size, *weight, *anchor);
        }
    }
}

fn line(
    surface: &mut Surface<'_>,
    text: &str,
    (x, y): (f32, f32),
    size: f32,
    weight: Weight,
    anchor: Anchor,
) {
    let Some(font) = FONTS[weight as usize].clone() else {
        return;
    };
    let placed = shaped(text, weight);
    let width = placed.iter().map(|glyph| glyph.advance).sum::<f32>() * size;
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    let mut starts: Vec<usize> = placed.iter().map(|glyph| glyph.start).collect();
    starts.sort_unstable();
    let glyphs: Vec<KrillaGlyph> = placed
        .iter()
        .map(|glyph| {
            // The characters up to those of the next glyph, which is what a reader copies.
            let next = starts.partition_point(|start| *start <= glyph.start);
            let end = starts.get(next).copied().unwrap_or(text.len());
            let id = GlyphId::new(glyph.glyph);
            KrillaGlyph::new(
                id,
                glyph.advance,
                glyph.dx,
                glyph.dy,
                0.0,
                glyph.start..end,
                None,
            )
        })
        .collect();
    surface.draw_glyphs(Point::from_xy(left, y), &glyphs, font, text, size, false);
}

fn filling(Color(red, green, blue): Color, opacity: NormalizedF32) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity,
        rule: FillRule::NonZero,
    }
}

fn stroke(pen: Pen, opacity: NormalizedF32) -> Stroke {
    let Color(red, green, blue) = pen.color;
    Stroke {
        paint: rgb::Color::new(red, green, blue).into(),
        width: pen.width,
        line_join: LineJoin::Round,
        opacity,
        dash: pen.dash.map(|(dash, gap)| StrokeDash {
            array: vec![dash, gap],
            offset: 0.0,
        }),
        ..Stroke::default()
    }
}

fn path(outline: &[Segment]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for segment in outline {
        match *segment {
            Segment::Move(x, y) => builder.move_to(x, y),
            Segment::Line(x, y) => builder.line_to(x, y),
            Segment::Cubic(a, b, c, d, x, y) => builder.cubic_to(a, b, c, d, x, y),
            Segment::Close => builder.close(),
        }
    }
    builder.finish()
}
