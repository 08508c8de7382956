//! What pictures are made of.

use super::font::Weight;

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// To the right.
    pub width: f32,
    /// Downwards.
    pub height: f32,
}

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

/// The colours in use.
pub(crate) mod color {
    use super::Color;

    pub(crate) const INK: Color = Color(15, 23, 42);
    pub(crate) const MUTED: Color = Color(71, 85, 105);
    pub(crate) const FAINT: Color = Color(148, 163, 184);
    pub(crate) const RULE: Color = Color(226, 232, 240);
    pub(crate) const WASH: Color = Color(248, 250, 252);
    pub(crate) const TINT: Color = Color(239, 246, 255);
    pub(crate) const GOOD: Color = Color(21, 128, 61);
    pub(crate) const BAD: Color = Color(185, 28, 28);
    pub(crate) const WHITE: Color = Color(255, 255, 255);
    pub(crate) const ACCENT: Color = SERIES[0];

    /// Of series, told apart also by people who see fewer colours.
    const SERIES: [Color; 8] = [
        Color(37, 99, 235),
        Color(234, 120, 20),
        Color(13, 148, 136),
        Color(124, 58, 237),
        Color(202, 138, 4),
        Color(219, 39, 119),
        Color(14, 165, 233),
        Color(100, 116, 139),
    ];

    /// The colour of the `n`th series.
    pub(crate) const fn series(n: usize) -> Color {
        SERIES[n % SERIES.len()]
    }

    /// Between two colours: all of `from` at 0, all of `to` at 1.
    pub(crate) fn mix(from: Color, to: Color, share: f32) -> Color {
        let part =
            |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
        Color(part(from.0, to.0), part(from.1, to.1), part(from.2, to.2))
    }
}

/// A piece of an outline.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "as in SVG: M, L, C and Z")]
pub enum Segment {
    Move(f32, f32),
    Line(f32, f32),
    Cubic(f32, f32, f32, f32, f32, f32),
    Close,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pen {
    /// Its colour.
    pub color: Color,
    /// Its width.
    pub width: f32,
    /// Length of a dash and of the gap behind it; none: unbroken.
    pub dash: Option<(f32, f32)>,
}

/// Where a text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in SVG")]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An outline that is filled, drawn, or both.
    Path {
        /// Its outline.
        outline: Vec<Segment>,
        /// What it is filled with.
        fill: Option<Color>,
        /// How its outline is drawn.
        pen: Option<Pen>,
        /// From 0, not to be seen, to 1.
        opacity: f32,
    },
    /// A line of text; `y` is its base line.
    #[expect(missing_docs, reason = "the names say it")]
    Text {
        x: f32,
        y: f32,
        text: String,
        size: f32,
        weight: Weight,
        color: Color,
        anchor: Anchor,
    },
}

impl Shape {
    /// A text in the usual size and colour.
    pub(crate) fn text(x: f32, y: f32, text: impl Into<String>) -> Self {
        Self::Text {
            x,
            y,
            text: text.into(),
            size: 8.0,
            weight: Weight::Regular,
            color: color::INK,
            anchor: Anchor::Start,
        }
    }

    pub(crate) fn sized(mut self, wanted: f32) -> Self {
        if let Self::Text { size, .. } = &mut self {
            *size = wanted;
        }
        self
    }

    pub(crate) fn bold(mut self) -> Self {
        if let Self::Text { weight, .. } = &mut self {
            *weight = Weight::Bold;
        }
        self
    }

    pub(crate) fn colored(mut self, wanted: Color) -> Self {
        if let Self::Text { color, .. } = &mut self {
            *color = wanted;
        }
        self
    }

    pub(crate) fn anchored(mut self, wanted: Anchor) -> Self {
        if let Self::Text { anchor, .. } = &mut self {
            *anchor = wanted;
        }
        self
    }

    /// A filled outline.
    pub(crate) fn filled(outline: Vec<Segment>, fill: Color) -> Self {
        Self::Path {
            outline,
            fill: Some(fill),
            pen: None,
            opacity: 1.0,
        }
    }

    /// A drawn outline.
    pub(crate) fn drawn(outline: Vec<Segment>, pen: Pen) -> Self {
        Self::Path {
            outline,
            fill: None,
            pen: Some(pen),
            opacity: 1.0,
        }
    }

    pub(crate) fn faded(mut self, wanted: f32) -> Self {
        if let Self::Path { opacity, .. } = &mut self {
            *opacity = wanted;
        }
        self
    }

    /// A straight line.
    pub(crate) fn line(from: (f32, f32), to: (f32, f32), color: Color, width: f32) -> Self {
        let pen = Pen {
            color,
            width,
            dash: None,
        };
        Self::drawn(
            vec![Segment::Move(from.0, from.1), Segment::Line(to.0, to.1)],
            pen,
        )
    }

    /// A filled rectangle.
    pub(crate) fn rect(x: f32, y: f32, width: f32, height: f32, fill: Color) -> Self {
        Self::polygon(
            &[
                (x, y),
                (x + width, y),
                (x + width, y + height),
                (x, y + height),
            ],
            fill,
        )
    }

    /// A filled polygon.
    pub(crate) fn polygon(corners: &[(f32, f32)], fill: Color) -> Self {
        let mut outline = path(corners);
        outline.push(Segment::Close);
        Self::filled(outline, fill)
    }

    /// A filled circle.
    pub(crate) fn circle((x, y): (f32, f32), radius: f32, fill: Color) -> Self {
        // As far as a cubic's handles are from its ends in a quarter of a circle.
        let k = radius * 0.552_284_8;
        let outline = vec![
            Segment::Move(x + radius, y),
            Segment::Cubic(x + radius, y + k, x + k, y + radius, x, y + radius),
            Segment::Cubic(x - k, y + radius, x - radius, y + k, x - radius, y),
            Segment::Cubic(x - radius, y - k, x - k, y - radius, x, y - radius),
            Segment::Cubic(x + k, y - radius, x + radius, y - k, x + radius, y),
            Segment::Close,
        ];
        Self::filled(outline, fill)
    }

    /// The same shape elsewhere.
    #[must_use]
    pub fn moved(mut self, dx: f32, dy: f32) -> Self {
        match &mut self {
            Self::Text { x, y, .. } => {
                *x += dx;
                *y += dy;
            }
            Self::Path { outline, .. } => {
                for segment in outline {
                    *segment = match *segment {
                        Segment::Move(x, y) => Segment::Move(x + dx, y + dy),
                        Segment::Line(x, y) => Segment::Line(x + dx, y + dy),
                        Segment::Cubic(a, b, c, d, x, y) => {
                            Segment::Cubic(a + dx, b + dy, c + dx, d + dy, x + dx, y + dy)
                        }
                        Segment::Close => Segment::Close,
                    };
                }
            }
        }
        self
    }
}

/// Straight lines through points.
pub(crate) fn path(points: &[(f32, f32)]) -> Vec<Segment> {
    let mut points = points.iter();
    let first = points.next().map(|&(x, y)| Segment::Move(x, y));
    first
        .into_iter()
        .chain(points.map(|&(x, y)| Segment::Line(x, y)))
        .collect()
}
