//! A report as a PDF: laid out by ourselves into pages of shapes, the same shapes as on screen, and written by `krilla`.
//! Nothing here asks the clock: the same report gives the same bytes.

mod ink;
mod layout;
mod parts;
mod table;

use std::collections::BTreeSet;

use super::document::Document;
use crate::charts::{Shape, missing_glyphs};

/// The most rows of one table; the other formats have all.
pub(crate) const MOST_ROWS: usize = 2_000;

/// A PDF.
#[derive(Debug)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// Characters that the font does not have; a `?` stands for each.
    pub missing_glyphs: Vec<char>,
}

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
#[error("the PDF could not be written: {0}")]
pub struct PdfError(String);

/// Makes the PDF of a report.
///
/// # Errors
/// [`PdfError`] when the writer refuses what it is given.
pub fn pdf(document: &Document) -> Result<Pdf, PdfError> {
    let pages = layout::pages(document);
    let texts = pages
        .iter()
        .flat_map(|page| &page.shapes)
        .filter_map(|shape| match shape {
            Shape::Text { text, .. } if !text.is_ascii() => Some(text.as_str()),
            Shape::Text { .. } | Shape::Path { .. } => None,
        });
    let missing: BTreeSet<char> = missing_glyphs(texts).into_iter().collect();
    let bytes = ink::write(document, &pages, &missing)?;
    Ok(Pdf {
        bytes,
        pages: pages.len(),
        missing_glyphs: missing.into_iter().collect(),
    })
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
