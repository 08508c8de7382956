//! The text of a document of Word (ECMA-376, Office Open XML): the paragraphs of its main part, headings by their styles.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{Extracted, MOST_UNPACKED, Unreadable};

/// The most files in the packed file.
const MOST_PARTS: usize = 10_000;

/// The text of a document.
pub(super) fn read(bytes: &[u8]) -> Result<Extracted, Unreadable> {
    // An encrypted document is in another container.
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Unreadable::Encrypted);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unreadable::Damaged)?;
    if archive.len() > MOST_PARTS {
        return Err(Unreadable::TooLarge);
    }
    let document = part(&mut archive, "word/document.xml")?.ok_or(Unreadable::Damaged)?;
    let styles = part(&mut archive, "word/styles.xml")?.unwrap_or_default();
    paragraphs(&document, &levels(&styles)?)
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// A part, unpacked; no more of it than may be.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<String>, Unreadable> {
    let Ok(file) = archive.by_name(name) else {
        return Ok(None);
    };
    if file.encrypted() {
        return Err(Unreadable::Encrypted);
    }
    let mut xml = Vec::new();
    let read = file.take(MOST_UNPACKED + 1).read_to_end(&mut xml);
    read.map_err(|_| Unreadable::Damaged)?;
    if xml.len() as u64 > MOST_UNPACKED {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(xml)
        .map(Some)
        .map_err(|_| Unreadable::Damaged)
}

/// The levels of the styles that are headings, by their ids, which are words of the writer's language.
fn levels(xml: &str) -> Result<HashMap<String, usize>, Unreadable> {
    let (mut reader, mut levels, mut style) =
        (Reader::from_str(xml), HashMap::new(), String::new());
    loop {
        match reader.read_event().map_err(|_| Unreadable::Damaged)? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "style" => style = attribute(&tag, "w:styleId").unwrap_or_default(),
                "name" => {
                    if let Some(level) = attribute(&tag, "w:val").and_then(|name| level_of(&name)) {
                        levels.insert(style.clone(), level);
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(levels),
            _ => {}
        }
    }
}

/// The level of a heading by the name of its style, which is English everywhere.
fn level_of(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    if name == "title" {
        return Some(1);
    }
    let level = name.strip_prefix("heading")?.trim().parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    let value = attribute
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}

/// A paragraph in the making.
#[derive(Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
    listed: bool,
}

impl Paragraph {
    fn end(self, out: &mut String) {
        let text = self.text.trim();
        if text.is_empty() {
            return;
        }
        match self.level {
            Some(level) => {
                let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
                out.push_str(&format!("{} {line}\n\n", "#".repeat(level)));
            }
            None if self.listed => out.push_str(&format!("- {text}\n")),
            None => out.push_str(&format!("{text}\n\n")),
        }
    }
}

fn paragraphs(xml: &str, levels: &HashMap<String, usize>) -> Result<Extracted, Unreadable> {
    let mut reader = Reader::from_str(xml);
    let (mut out, mut paragraph, mut in_text) = (String::new(), Paragraph::default(), false);
    loop {
        match reader.read_event().map_err(|_| Unreadable::Damaged)? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "pStyle" => {
                    let style = attribute(&tag, "w:val").unwrap_or_default();
                    paragraph.level = levels.get(&style).copied().or_else(|| level_of(&style));
                }
                "numPr" => paragraph.listed = true,
                "t" => in_text = true,
                "tab" | "ptab" if !paragraph.text.is_empty() => paragraph.text.push('\t'),
                "br" | "cr" => paragraph.text.push('\n'),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "p" => std::mem::take(&mut paragraph).end(&mut out),
                _ => {}
            },
            Event::Text(text) if in_text => paragraph.text.push_str(&text.xml10_content()),
            Event::CData(text) if in_text => paragraph.text.push_str(&text.xml10_content()),
            Event::GeneralRef(named) if in_text => {
                let character = named.resolve_char_ref().map_err(|_| Unreadable::Damaged)?;
                let character = character.or(match &*named {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => None,
                });
                paragraph.text.extend(character);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(Extracted {
        title: None,
        text: out,
    })
}
