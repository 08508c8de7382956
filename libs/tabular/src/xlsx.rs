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

use crate::xml::{
    CONTENT, FORBIDDEN, FROZEN, LONGEST_NAME, OFFICE, PACKAGE, RELATIONSHIPS, SHEET, SHEET_END,
    TYPES, XML, escape, letters, styles,
};

/// Rows of a sheet, its heading included.
const ROWS: usize = 1_048_576;

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
    pub(crate) const fn style(self) -> (usize, u32) {
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

#[cfg(test)]
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
}
