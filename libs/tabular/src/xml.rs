//! The words of a spreadsheet's parts (ECMA-376, Office Open XML).

use crate::Format;

/// The longest text of a cell.
const LONGEST: usize = 32_767;
pub(crate) const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
pub(crate) const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
pub(crate) const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006";
pub(crate) const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
pub(crate) const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
pub(crate) const RELATIONSHIPS: &str = "application/vnd.openxmlformats-package.relationships+xml";
pub(crate) const CONTENT: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
pub(crate) const FROZEN: &str = r#"<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#;
/// What the name of a sheet may not have, and how long it may be.
pub(crate) const FORBIDDEN: [char; 7] = [':', '\\', '/', '?', '*', '[', ']'];
pub(crate) const LONGEST_NAME: usize = 31;
pub(crate) const SHEET_END: &str = "</sheetData></worksheet>";

/// The list of formats: plain, bold, then those of [`Format`] in order.
pub(crate) fn styles() -> String {
    let formats = [Format::Whole, Format::Decimal, Format::Percent, Format::Day];
    let shown: String = formats
        .iter()
        .map(|format| format!(r#"<xf numFmtId="{}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#, format.style().1))
        .collect();
    format!(
        r#"<styleSheet xmlns="{SHEET}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>{shown}</cellXfs></styleSheet>"#
    )
}

/// The name of a column: A to Z, AA ...
pub(crate) fn letters(mut n: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.push(b'A' + u8::try_from(n % 26).unwrap_or(0));
        if n < 26 {
            break;
        }
        n = n / 26 - 1;
    }
    name.iter()
        .rev()
        .map(|letter| char::from(*letter))
        .collect()
}

/// Text as XML has it; characters that XML has not are left out.
pub(crate) fn escape(text: &str, xml: &mut String) {
    for c in text.chars().take(LONGEST) {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => xml.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => xml.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_like_in_a_spreadsheet() {
        let names = [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
        ];
        for (n, name) in names {
            assert_eq!(letters(n), name);
        }
    }
}
