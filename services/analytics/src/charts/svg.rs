//! Shapes as SVG.

use std::fmt::Write as _;

use super::{
    font::Weight,
    shape::{Anchor, Color, Segment, Shape, Size},
};

/// What a browser without our font takes.
const FAMILY: &str = "Noto Sans, system-ui, sans-serif";

/// A document of its own.
pub(super) fn document(title: &str, size: Size, shapes: &[Shape]) -> String {
    let (width, height) = (number(size.width), number(size.height));
    let title = escaped(title);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}" font-family="{FAMILY}"><title>{title}</title>"#
    );
    for shape in shapes {
        add(&mut svg, shape);
    }
    svg.push_str("</svg>");
    svg
}

fn add(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Path {
            outline,
            fill,
            pen,
            opacity,
        } => {
            let fill = fill.map_or_else(|| "none".to_owned(), hex);
            let _ = write!(svg, r#"<path d="{}" fill="{fill}""#, data(outline));
            if let Some(pen) = pen {
                let (color, width) = (hex(pen.color), number(pen.width));
                let _ = write!(
                    svg,
                    r#" stroke="{color}" stroke-width="{width}" stroke-linejoin="round""#
                );
                if let Some((dash, gap)) = pen.dash {
                    let _ = write!(
                        svg,
                        r#" stroke-dasharray="{} {}""#,
                        number(dash),
                        number(gap)
                    );
                }
            }
            if *opacity < 1.0 {
                let _ = write!(svg, r#" opacity="{}""#, number(*opacity));
            }
            svg.push_str("/>");
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
            let _ = write!(
                svg,
                r#"<text x="{}" y="{}" font-size="{}" fill="{}""#,
                number(*x),
                number(*y),
                number(*size),
                hex(*color)
            );
            svg.push_str(match anchor {
                Anchor::Start => "",
                Anchor::Middle => r#" text-anchor="middle""#,
                Anchor::End => r#" text-anchor="end""#,
            });
            if *weight == Weight::Bold {
                svg.push_str(r#" font-weight="700""#);
            }
            let _ = write!(svg, ">{}</text>", escaped(text));
        }
    }
}

fn data(outline: &[Segment]) -> String {
    let mut data = String::new();
    let mut put = |letter: char, numbers: &[f32]| {
        data.push(letter);
        for (n, value) in numbers.iter().enumerate() {
            if n > 0 {
                data.push(' ');
            }
            data.push_str(&number(*value));
        }
    };
    for segment in outline {
        match *segment {
            Segment::Move(x, y) => put('M', &[x, y]),
            Segment::Line(x, y) => put('L', &[x, y]),
            Segment::Cubic(a, b, c, d, x, y) => put('C', &[a, b, c, d, x, y]),
            Segment::Close => put('Z', &[]),
        }
    }
    data
}

/// At most two decimals: finer than anybody sees.
fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

fn hex(Color(red, green, blue): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML has it; characters that XML has not are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
