//! The font of charts and reports: Noto Sans, whose licence (SIL OFL 1.1) lies beside it.

use std::{borrow::Cow, sync::LazyLock};

use rustybuzz::{Face, UnicodeBuffer, shape};

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weight {
    Regular,
    Bold,
}

/// What stands for the rest of a text that is too long.
const ELLIPSIS: char = '…';

const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");

static FACES: LazyLock<[Option<Face<'static>>; 2]> =
    LazyLock::new(|| [REGULAR, BOLD].map(|data| Face::from_slice(data, 0)));

/// The font's file.
pub(crate) const fn font_data(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    }
}

/// A glyph at its place: offsets and advance in units of the font's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    pub(crate) glyph: u32,
    pub(crate) advance: f32,
    pub(crate) dx: f32,
    pub(crate) dy: f32,
    /// The byte of the text where its characters begin.
    pub(crate) start: usize,
}

/// The glyphs of a line of text, from left to right.
pub(crate) fn shaped(text: &str, weight: Weight) -> Vec<Placed> {
    let Some(face) = face(weight) else {
        return Vec::new();
    };
    let em = face.units_per_em() as f32;
    if is_plain(text) {
        return plain(text, face, em);
    }
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let output = shape(face, &[], buffer);
    let places = output.glyph_infos().iter().zip(output.glyph_positions());
    let placed = |(info, position): (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition)| Placed {
        glyph: info.glyph_id,
        advance: position.x_advance as f32 / em,
        dx: position.x_offset as f32 / em,
        dy: position.y_offset as f32 / em,
        start: info.cluster as usize,
    };
    places.map(placed).collect()
}

/// Numbers need no shaping: every figure is as wide as another. They are most of a report.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b" .,:%+-$/".contains(&byte))
}

fn plain(text: &str, face: &Face<'static>, em: f32) -> Vec<Placed> {
    let place = |(start, c)| {
        let glyph = face.glyph_index(c).unwrap_or_default();
        Placed {
            glyph: u32::from(glyph.0),
            advance: f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) / em,
            dx: 0.0,
            dy: 0.0,
            start,
        }
    };
    text.char_indices().map(place).collect()
}

fn face(weight: Weight) -> Option<&'static Face<'static>> {
    FACES[weight as usize].as_ref()
}

/// How wide a line of text is.
pub(crate) fn text_width(text: &str, size: f32, weight: Weight) -> f32 {
    let advances = shaped(text, weight).into_iter().map(|it| it.advance);
    advances.sum::<f32>() * size
}

/// The text, or as much of it as has room, with an ellipsis.
pub(crate) fn fit(text: &str, size: f32, weight: Weight, room: f32) -> Cow<'_, str> {
    let glyphs = shaped(text, weight);
    let whole: f32 = glyphs.iter().map(|it| it.advance).sum();
    if whole * size <= room {
        return Cow::Borrowed(text);
    }
    let dots = text_width("…", size, weight);
    let mut width = 0.0;
    let mut end = 0;
    for (n, glyph) in glyphs.iter().enumerate() {
        width += glyph.advance * size;
        if width + dots > room {
            break;
        }
        end = glyphs.get(n + 1).map_or(text.len(), |next| next.start);
    }
    let kept = text.get(..end).unwrap_or_default().trim_end();
    Cow::Owned(format!("{kept}{ELLIPSIS}"))
}

/// Characters that the font does not have, each once, in order. They would be empty boxes.
#[must_use]
pub fn missing_glyphs<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<char> {
    let Some(face) = face(Weight::Regular) else {
        return Vec::new();
    };
    let mut missing = std::collections::BTreeSet::new();
    for text in texts {
        let lacking =
            |c: &char| !c.is_control() && !is_invisible(*c) && face.glyph_index(*c).is_none();
        missing.extend(text.chars().filter(lacking));
    }
    missing.into_iter().collect()
}

/// Characters that only say how others are joined.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}
