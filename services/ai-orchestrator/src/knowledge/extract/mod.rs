//! The text of a file. What is read out of HTML and DOCX is written as Markdown, so that headings stay headings.

mod docx;
mod html;
mod pdf;

use std::time::Duration;

use bytes::Bytes;
use bz_http::Problem;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use http::StatusCode;
use tokio::sync::Semaphore;

/// The most characters of a document's text.
pub(super) const MOST_CHARACTERS: usize = 2_000_000;
/// The most bytes that a part of a packed file may have when it is unpacked.
const MOST_UNPACKED: u64 = 32 << 20;
/// How long a file may be read.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files that are read at the same time: each may take memory.
static READERS: Semaphore = Semaphore::const_new(2);

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Markdown,
    Html,
    Pdf,
    Docx,
}

/// What was read out of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extracted {
    /// The title that the file gives itself.
    pub title: Option<String>,
    /// Its text.
    pub text: String,
}

/// Why there is no text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is not what it says.
    #[error(
        "The file is damaged or not of the kind that it says to be. Save it again and send that."
    )]
    Damaged,
    /// It is encrypted.
    #[error("The file is protected with a password. Save it without one and send that.")]
    Encrypted,
    /// It inflates beyond measure.
    #[error(
        "The file is much larger unpacked than packed, or has too many pages. Split it and send the parts."
    )]
    TooLarge,
    /// It takes too long.
    #[error("The file takes too long to read. Split it, or send its text.")]
    TooSlow,
    /// There are only pictures in it.
    #[error(
        "There is no text in the file. If its pages are pictures, have the text recognised first (OCR), or send the text."
    )]
    Empty,
}

impl From<Unreadable> for Problem {
    fn from(why: Unreadable) -> Self {
        let (status, code) = match why {
            Unreadable::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "document_unreadable"),
        };
        Self::new(status, code, "The file cannot be read").detail(why.to_string())
    }
}

impl Kind {
    /// The kind of a media type.
    pub(super) fn of_media_type(essence: &str) -> Option<Self> {
        match essence {
            "text/plain" => Some(Self::Text),
            "text/markdown" | "text/x-markdown" => Some(Self::Markdown),
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            "application/pdf" => Some(Self::Pdf),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
                Some(Self::Docx)
            }
            _ => None,
        }
    }

    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Html => "text/html",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    /// Whether a stored text of this media type is Markdown.
    pub(super) fn is_markdown(media_type: &str) -> bool {
        let kind = Self::of_media_type(media_type);
        matches!(kind, Some(Self::Markdown | Self::Html | Self::Docx))
    }

    /// The kind of a file: by its media type where that says more than nothing, by its name, by how it begins.
    pub(super) fn of_file(essence: &str, name: Option<&str>, bytes: &[u8]) -> Option<Self> {
        let said = Self::of_media_type(essence);
        if let Some(kind) = said.filter(|kind| *kind != Self::Text) {
            return Some(kind);
        }
        let ending = name.and_then(|name| name.rsplit_once('.'));
        let by_name = match ending
            .map(|(_, ending)| ending.to_ascii_lowercase())
            .as_deref()
        {
            Some("md" | "markdown") => Some(Self::Markdown),
            Some("html" | "htm" | "xhtml") => Some(Self::Html),
            Some("pdf") => Some(Self::Pdf),
            Some("docx") => Some(Self::Docx),
            Some("txt" | "text") => Some(Self::Text),
            _ => None,
        };
        let known = matches!(essence, "" | "text/plain" | "application/octet-stream");
        let by_start = match bytes {
            _ if !known => None,
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [b'P', b'K', 3, 4, ..] => Some(Self::Docx),
            _ => None,
        };
        by_name.filter(|_| known).or(by_start).or(said)
    }
}

/// The text of a file of a kind, read beside the requests; `charset` is what the request says of a text.
///
/// # Errors
/// 413 for one that is too large, 422 for one that cannot be read.
pub(super) async fn extract(
    kind: Kind,
    bytes: Bytes,
    charset: Option<String>,
) -> Result<Extracted, Problem> {
    let turn = READERS.acquire().await.map_err(Problem::internal)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "with a permit, which it keeps as long as it reads"
    )]
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        read(kind, &bytes, charset.as_deref())
    });
    let done = tokio::time::timeout(PATIENCE * 2, work).await;
    let read = match done {
        Ok(Ok(read)) => read?,
        // A reader that panics found something that it does not know.
        Ok(Err(_)) => return Err(Unreadable::Damaged.into()),
        Err(_) => return Err(Unreadable::TooSlow.into()),
    };
    if read.text.trim().is_empty() {
        return Err(Unreadable::Empty.into());
    }
    if read.text.chars().count() > MOST_CHARACTERS {
        return Err(Unreadable::TooLarge.into());
    }
    Ok(read)
}

fn read(kind: Kind, bytes: &[u8], charset: Option<&str>) -> Result<Extracted, Unreadable> {
    let read = match kind {
        Kind::Text | Kind::Markdown => Extracted {
            title: None,
            text: decoded(bytes, charset)?,
        },
        Kind::Html => html::read(&decoded(bytes, charset.or(html::charset(bytes)))?),
        Kind::Docx => docx::read(bytes)?,
        Kind::Pdf => pdf::read(bytes)?,
    };
    Ok(Extracted {
        text: clean(&read.text),
        ..read
    })
}

/// The characters of a text: in the encoding that it begins with or that is named; otherwise UTF-8, or what Windows wrote.
fn decoded(bytes: &[u8], charset: Option<&str>) -> Result<String, Unreadable> {
    let named = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    if marked.is_none() && bytes.contains(&0) && named.is_none_or(Encoding::is_ascii_compatible) {
        return Err(Unreadable::Damaged);
    }
    let encoding = marked
        .or(named)
        .unwrap_or(match std::str::from_utf8(bytes) {
            Ok(_) => UTF_8,
            Err(_) => WINDOWS_1252,
        });
    let (text, _, damaged) = encoding.decode(bytes);
    if damaged {
        return Err(Unreadable::Damaged);
    }
    Ok(text.into_owned())
}

/// The text with line feeds alone, without characters that control something, and with at most one empty line in a row.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.replace("\r\n", "\n").split(['\n', '\r', '\u{c}']) {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 && !(line.is_empty() && out.is_empty()) {
            out.extend(line.chars().filter(|c| *c == '\t' || !c.is_control()));
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_type_its_name_or_its_beginning() {
        let kind = |essence, name, bytes: &[u8]| Kind::of_file(essence, name, bytes);
        assert_eq!(
            kind("text/markdown", Some("a.txt"), b""),
            Some(Kind::Markdown)
        );
        assert_eq!(
            kind("text/plain", Some("README.md"), b"# A"),
            Some(Kind::Markdown)
        );
        assert_eq!(
            kind("application/octet-stream", None, b"%PDF-1.7"),
            Some(Kind::Pdf)
        );
        assert_eq!(kind("text/plain", None, b"words"), Some(Kind::Text));
        assert_eq!(kind("application/octet-stream", None, b"words"), None);
        assert_eq!(kind("image/png", Some("a.pdf"), b"%PDF-"), None);
    }

    #[test]
    fn texts_are_read_in_the_encoding_that_they_have() {
        assert_eq!(decoded("Größe".as_bytes(), None).as_deref(), Ok("Größe"));
        assert_eq!(decoded(b"Gr\xf6\xdfe", None).as_deref(), Ok("Größe"));
        assert_eq!(decoded(b"\xff\xfeA\0", None).as_deref(), Ok("A"));
        assert_eq!(
            decoded(b"\xcf\xf0\xe8", Some("windows-1251")).as_deref(),
            Ok("При")
        );
        assert_eq!(
            decoded(b"Gr\xf6\xdfe", Some("utf-8")),
            Err(Unreadable::Damaged)
        );
        assert_eq!(decoded(b"a\0b", None), Err(Unreadable::Damaged));
    }

    #[test]
    fn empty_lines_and_control_characters_go() {
        assert_eq!(clean("\n\na\r\n\r\n\r\nb\x07\tc  \n"), "a\n\nb\tc");
    }
}
