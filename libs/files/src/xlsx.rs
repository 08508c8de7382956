//! A spreadsheet (ECMA-376, Office Open XML) that is written while it is sent: the text is in the cells, so that nothing
//! has to be kept until the end, neither in memory nor in a file.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

/// Rows of a sheet, its heading included.
const ROWS: usize = 1_048_576;
/// The longest text of a cell.
const LONGEST: usize = 32_767;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number, as digits with a point.
    Number(String),
    /// A number that is shown in some way.
    Shown(String, Format),
    /// A text, which is never a formula.
    Text(String),
    /// A text in bold.
    Heading(String),
}

/// How a number is shown. What is in the cell stays exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With marks between thousands, no decimals.
    Whole,
    /// With marks between thousands and two decimals.
    Decimal,
    /// A share: 0.25 as 25.00 %.
    Percent,
    /// Days since the end of 1899 as a date.
    Day,
}

impl Format {
    /// The place in the list of formats of the file, and the number of the format that every spreadsheet knows.
    const fn style(self) -> (usize, u32) {
        match self {
            Self::Whole => (2, 3),
            Self::Decimal => (3, 4),
            Self::Percent => (4, 10),
            Self::Day => (5, 14),
        }
    }
}

/// Writes the file, part by part.
pub struct Xlsx {
    /// What every sheet begins with again when its rows go on in another.
    headings: Vec<Cell>,
    names: Vec<String>,
    zip: Option<ZipWriter<StreamWriter<Sink>>>,
    out: Sink,
    /// Rows of the sheet in hand.
    rows: usize,
}

impl std::fmt::Debug for Xlsx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Xlsx")
            .field("names", &self.names)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Where the bytes go until they are sent.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Xlsx {
    fn default() -> Self {
        let out = Sink::default();
        Self {
            headings: Vec::new(),
            names: Vec::new(),
            zip: Some(ZipWriter::new_stream(out.clone())),
            out,
            rows: 0,
        }
    }
}

impl Xlsx {
    /// Begins a sheet with its headings. Its name is made one that spreadsheets take, and that no other sheet has.
    ///
    /// # Errors
    /// When the packer fails.
    pub fn sheet(&mut self, name: &str, headings: Vec<Cell>) -> io::Result<Vec<u8>> {
        if !self.names.is_empty() {
            self.put(SHEET_END)?;
        }
        self.headings = headings;
        self.begin_sheet(name)?;
        Ok(self.out.take())
    }

    /// Adds rows. What is more than a sheet takes goes on in another.
    ///
    /// # Errors
    /// When the packer fails.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
        for row in rows {
            if self.rows == ROWS {
                self.put(SHEET_END)?;
                let name = self.names.last().cloned().unwrap_or_default();
                self.begin_sheet(&name)?;
            }
            self.row(&row)?;
        }
        Ok(self.out.take())
    }

    /// Ends the file, which has a sheet at least.
    ///
    /// # Errors
    /// When the packer fails.
    pub fn end(&mut self) -> io::Result<Vec<u8>> {
        self.put(SHEET_END)?;
        let sheets = self.names.len();
        let each = |part: &dyn Fn(usize) -> String| (1..=sheets).map(part).collect::<String>();
        let types = each(&|n| {
            format!(
                r#"<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{CONTENT}.worksheet+xml"/>"#
            )
        });
        let named = each(&|n| {
            let mut name = String::new();
            escape(&self.names[n - 1], &mut name);
            format!(r#"<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>"#)
        });
        let related = each(&|n| {
            format!(
                r#"<Relationship Id="rId{n}" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>"#
            )
        });
        let parts = [
            (
                "[Content_Types].xml",
                format!(
                    r#"<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="{RELATIONSHIPS}"/><Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{CONTENT}.styles+xml"/>{types}</Types>"#
                ),
            ),
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}/relationships"><sheets>{named}</sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{PACKAGE}">{related}<Relationship Id="rId{}" Type="{OFFICE}/relationships/styles" Target="styles.xml"/></Relationships>"#,
                    sheets + 1
                ),
            ),
            ("xl/styles.xml", styles()),
        ];
        for (name, text) in parts {
            self.begin(name)?;
            self.put(&format!("{XML}{text}"))?;
        }
        if let Some(zip) = self.zip.take() {
            zip.finish()?;
        }
        Ok(self.out.take())
    }

    fn begin_sheet(&mut self, name: &str) -> io::Result<()> {
        let name = self.free_name(name);
        self.names.push(name);
        self.rows = 0;
        let part = format!("xl/worksheets/sheet{}.xml", self.names.len());
        self.begin(&part)?;
        let headings = self.headings.clone();
        // The headings stay where they are while one reads on.
        let view = if headings.is_empty() { "" } else { FROZEN };
        self.put(&format!(
            r#"{XML}<worksheet xmlns="{SHEET}">{view}<sheetData>"#
        ))?;
        if headings.is_empty() {
            return Ok(());
        }
        self.row(&headings)
    }

    fn free_name(&self, name: &str) -> String {
        let clean: String = name
            .chars()
            .map(|c| if FORBIDDEN.contains(&c) { ' ' } else { c })
            .collect();
        let clean = clean.trim().trim_matches('\'');
        let clean = if clean.is_empty() { "Sheet" } else { clean };
        let taken = |name: &String| {
            self.names
                .iter()
                .any(|it| it.to_lowercase() == name.to_lowercase())
        };
        let numbered = (1..).map(|n| {
            let suffix = if n == 1 {
                String::new()
            } else {
                format!(" ({n})")
            };
            let kept: String = clean.chars().take(LONGEST_NAME - suffix.len()).collect();
            format!("{}{suffix}", kept.trim_end())
        });
        let mut free = numbered.filter(|name| !taken(name));
        free.next().unwrap_or_default()
    }

    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        let mut xml = format!(r#"<row r="{}">"#, self.rows);
        for (n, cell) in cells.iter().enumerate() {
            let place = format!("{}{}", letters(n), self.rows);
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => drop(write!(xml, r#"<c r="{place}"><v>{number}</v></c>"#)),
                Cell::Shown(number, format) => {
                    let style = format.style().0;
                    let _ = write!(xml, r#"<c r="{place}" s="{style}"><v>{number}</v></c>"#);
                }
                Cell::Text(text) | Cell::Heading(text) => {
                    let style = if matches!(cell, Cell::Heading(_)) {
                        r#" s="1""#
                    } else {
                        ""
                    };
                    let _ = write!(
                        xml,
                        r#"<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">"#
                    );
                    escape(text, &mut xml);
                    xml.push_str("</t></is></c>");
                }
            }
        }
        xml.push_str("</row>");
        self.put(&xml)
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true);
        if let Some(zip) = &mut self.zip {
            zip.start_file(name, options)?;
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        match &mut self.zip {
            Some(zip) => zip.write_all(text.as_bytes()),
            None => Ok(()),
        }
    }
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const RELATIONSHIPS: &str = "application/vnd.openxmlformats-package.relationships+xml";
const CONTENT: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const FROZEN: &str = r#"<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>"#;
/// What the name of a sheet may not have, and how long it may be.
const FORBIDDEN: [char; 7] = [':', '\\', '/', '?', '*', '[', ']'];
const LONGEST_NAME: usize = 31;
const SHEET_END: &str = "</sheetData></worksheet>";

/// The list of formats: plain, bold, then those of [`Format`] in order.
fn styles() -> String {
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
fn letters(mut n: usize) -> String {
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
fn escape(text: &str, xml: &mut String) {
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
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_spreadsheets_take_and_each_its_own() {
        let mut xlsx = Xlsx::default();
        let names = [
            "Cost / day?",
            "cost   day ",
            "",
            "A name that is much longer than a sheet's name may be",
            "A name that is much longer than a sheet's name may be",
        ];
        for name in names {
            xlsx.sheet(name, Vec::new()).unwrap();
        }
        assert_eq!(
            xlsx.names,
            [
                "Cost   day",
                "cost   day (2)",
                "Sheet",
                "A name that is much longer than",
                "A name that is much longer (2)"
            ]
        );
        assert!(!xlsx.end().unwrap().is_empty());
    }

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
