//! The files of a report.

mod csv;
mod xlsx;

use super::{document::Document, pdf, resource::Format};

/// A file.
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    /// Characters that the font does not have.
    pub(super) missing_glyphs: Vec<String>,
}

impl Made {
    /// No bytes at all.
    pub(super) const fn nothing() -> Self {
        Self {
            bytes: Vec::new(),
            missing_glyphs: Vec::new(),
        }
    }
}

/// Makes a file of a report. The same report gives the same bytes.
///
/// # Errors
/// What its writer says.
pub(super) fn make(
    document: &Document,
    format: Format,
    formula_guard: bool,
) -> anyhow::Result<Made> {
    let (bytes, missing) = match format {
        Format::Json => (serde_json::to_vec(document)?, Vec::new()),
        Format::Csv => (csv::write(document, formula_guard)?, Vec::new()),
        Format::Xlsx => (xlsx::write(document)?, Vec::new()),
        Format::Pdf => {
            let made = pdf::pdf(document)?;
            (made.bytes, made.missing_glyphs)
        }
    };
    Ok(Made {
        bytes,
        missing_glyphs: missing.iter().map(ToString::to_string).collect(),
    })
}

#[cfg(test)]
mod tests;
