//! A spreadsheet (ECMA-376, Office Open XML) that is written while it is sent: the text is in the cells, so that nothing
//! has to be kept until the end, neither in memory nor in a file.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value};
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::table::{Cell, Column};

/// Rows of a sheet, its heading included.
const ROWS: usize = 1_048_576;
/// The longest text of a cell.
const LONGEST: usize = 32_767;

/// Writes the file, part by part.
pub(super) struct Xlsx {
    columns: Vec<Column>,
    zip: Option<ZipWriter<StreamWriter<Sink>>>,
    out: Sink,
    sheets: usize,
    /// Rows of the sheet in hand.
    rows: usize,
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

impl Xlsx {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let out = Sink::default();
        Self {
            columns,
            zip: Some(ZipWriter::new_stream(out.clone())),
            out,
            sheets: 0,
            rows: 0,
        }
    }

    pub(super) fn start(&mut self) -> io::Result<Vec<u8>> {
        self.sheet()?;
        Ok(self.out.take())
    }

    pub(super) fn rows(&mut self, records: &[Map<String, Value>]) -> io::Result<Vec<u8>> {
        for record in records {
            if self.rows == ROWS {
                self.put(SHEET_END)?;
                self.sheet()?;
            }
            let cells: Vec<Cell> = self
                .columns
                .iter()
                .map(|column| column.cell(record))
                .collect();
            self.row(cells)?;
        }
        Ok(self.out.take())
    }

    pub(super) fn end(&mut self) -> io::Result<Vec<u8>> {
        self.put(SHEET_END)?;
        let sheets = self.sheets;
        let each = |part: &dyn Fn(usize) -> String| (1..=sheets).map(part).collect::<String>();
        let types = each(&|n| {
            format!(
                r#"<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{CONTENT}.worksheet+xml"/>"#
            )
        });
        let named = each(&|n| format!(r#"<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>"#));
        let related = each(&|n| {
            format!(
                r#"<Relationship Id="rId{n}" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>"#
            )
        });
        let parts = [
            (
                "[Content_Types].xml",
                format!(
                    r#"<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="{RELATIONSHIPS}"/><Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>{types}</Types>"#
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
                format!(r#"<Relationships xmlns="{PACKAGE}">{related}</Relationships>"#),
            ),
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

    /// Begins a sheet, with its headings.
    fn sheet(&mut self) -> io::Result<()> {
        self.sheets += 1;
        self.rows = 0;
        let name = format!("xl/worksheets/sheet{}.xml", self.sheets);
        self.begin(&name)?;
        self.put(&format!(r#"{XML}<worksheet xmlns="{SHEET}"><sheetData>"#))?;
        let names = self
            .columns
            .iter()
            .map(|column| Cell::Text(column.name.clone()));
        let names = names.collect();
        self.row(names)
    }

    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        self.rows += 1;
        let mut xml = format!(r#"<row r="{}">"#, self.rows);
        for (n, cell) in cells.into_iter().enumerate() {
            let place = format!("{}{}", letters(n), self.rows);
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => drop(write!(xml, r#"<c r="{place}"><v>{number}</v></c>"#)),
                Cell::Text(text) => {
                    let _ = write!(
                        xml,
                        r#"<c r="{place}" t="inlineStr"><is><t xml:space="preserve">"#
                    );
                    escape(&text, &mut xml);
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
const SHEET_END: &str = "</sheetData></worksheet>";

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
