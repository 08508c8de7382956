//! Cells that a spreadsheet does not take for formulas (OWASP, CSV injection).

use std::borrow::Cow;

/// What a formula begins with.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The text as a cell: what would be a formula gets a `'` before it; what is a number stays one.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    // Some programs take the spaces before away.
    let seen = text.trim_start_matches(' ');
    if seen.starts_with(FORMULA) && text.parse::<f64>().is_err() {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// The text of a cell that [`cell`] may have made.
#[must_use]
pub fn bare(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.trim_start_matches(' ').starts_with(FORMULA) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay_numbers() {
        for text in [
            "=1+1",
            "+49 30 123",
            "-1+cmd|' /C calc'!A0",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1+1",
        ] {
            assert_eq!(cell(text), format!("'{text}"));
            assert_eq!(bare(&cell(text)), text);
        }
        for text in ["-12.50", "+4930", "Ada", "'quoted'", ""] {
            assert_eq!(cell(text), text);
            assert_eq!(bare(text), text);
        }
    }
}
