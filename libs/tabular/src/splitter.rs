//! Cuts a CSV text into its heading and pieces of whole rows.

use bz_http::Problem;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The most rows of a piece.
const ROWS: i32 = 5_000;
/// A piece with this many bytes is full.
const BYTES: usize = 2 << 20;
/// The longest row.
const LONGEST: usize = 1 << 20;
/// What the character between cells is found out from.
const SAMPLE: usize = 64 << 10;
/// The most rows of a file.
const MOST: i64 = 1_000_000;
/// The characters between cells that are known.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Whole rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The number of its first row; the heading is row 1.
    pub first_row: i64,
    /// How many rows it has.
    pub rows: i32,
    /// The rows.
    pub content: Vec<u8>,
}

/// Cuts a text as it comes.
pub struct Splitter {
    delimiter: Option<u8>,
    reader: Option<Reader>,
    header: Option<Vec<String>>,
    raw: Vec<u8>,
    scanned: usize,
    /// Behind the last whole row of `raw`.
    end: usize,
    rows: i32,
    first_row: i64,
    next_row: i64,
    cell: Vec<u8>,
    ends: Vec<usize>,
    /// The pieces that are ready.
    pub pieces: Vec<Piece>,
}

impl Splitter {
    /// A splitter for this character between cells, or for what is found out.
    #[must_use]
    pub fn new(delimiter: Option<u8>) -> Self {
        Self {
            delimiter,
            reader: None,
            header: None,
            raw: Vec::new(),
            scanned: 0,
            end: 0,
            rows: 0,
            first_row: 2,
            next_row: 2,
            cell: vec![0; 16 << 10],
            ends: vec![0; 1 << 10],
            pieces: Vec::new(),
        }
    }

    /// The same for a text without headings, whose columns have these names.
    #[must_use]
    pub fn without_heading(delimiter: Option<u8>, columns: Vec<String>) -> Self {
        Self {
            header: Some(columns),
            first_row: 1,
            next_row: 1,
            ..Self::new(delimiter)
        }
    }

    /// The headings and the character between them, once they are known.
    #[must_use]
    pub fn header(&self) -> Option<(Vec<String>, u8)> {
        Some((self.header.clone()?, self.delimiter?))
    }

    /// How many rows were in the text so far.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.next_row - self.first_row + i64::from(self.rows)
    }

    /// Reads on.
    ///
    /// # Errors
    /// 422 for what is no table.
    pub fn push(&mut self, text: &[u8]) -> Result<(), Problem> {
        self.raw.extend_from_slice(text);
        if self.reader.is_none() && self.raw.len() < SAMPLE {
            return Ok(());
        }
        self.scan(false)
    }

    /// The end of the text.
    ///
    /// # Errors
    /// 422 for what is no table.
    pub fn end(&mut self) -> Result<(), Problem> {
        self.scan(false)?;
        self.scan(true)?;
        self.cut();
        Ok(())
    }

    fn scan(&mut self, ended: bool) -> Result<(), Problem> {
        let delimiter = *self.delimiter.get_or_insert_with(|| found_out(&self.raw));
        let reader = self.reader.take();
        let mut reader =
            reader.unwrap_or_else(|| ReaderBuilder::new().delimiter(delimiter).build());
        while self.scanned < self.raw.len() || ended {
            let input = &self.raw[self.scanned..];
            let (result, read, ..) = reader.read_record(input, &mut self.cell, &mut self.ends);
            self.scanned += read;
            match result {
                ReadRecordResult::Record => self.row(delimiter)?,
                ReadRecordResult::End => break,
                // Only the places of the rows are of interest here: what was copied out may be written over.
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => {
                    if self.scanned - self.end > LONGEST {
                        return Err(too_long());
                    }
                }
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// A row ends here.
    fn row(&mut self, delimiter: u8) -> Result<(), Problem> {
        self.end = self.scanned;
        if self.header.is_none() {
            let first = self.drain();
            self.header = Some(headings(&first, delimiter)?);
            return Ok(());
        }
        self.rows += 1;
        if self.rows >= ROWS || self.end >= BYTES {
            self.cut();
        }
        self.within_limits()
    }

    fn within_limits(&self) -> Result<(), Problem> {
        if self.total() > MOST {
            return Err(Problem::invalid(
                "",
                "too_many_rows",
                "must have at most 1,000,000 rows; split the file",
            ));
        }
        Ok(())
    }

    /// Makes a piece of the whole rows.
    fn cut(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let content = self.drain();
        if rows > 0 {
            self.pieces.push(Piece {
                first_row: self.next_row,
                rows,
                content,
            });
            self.next_row += i64::from(rows);
        }
    }

    /// Takes the whole rows out.
    fn drain(&mut self) -> Vec<u8> {
        let rest = self.raw.split_off(self.end);
        self.scanned -= self.end;
        self.end = 0;
        std::mem::replace(&mut self.raw, rest)
    }
}

/// The headings, without blanks at their ends.
fn headings(row: &[u8], delimiter: u8) -> Result<Vec<String>, Problem> {
    let first = cells(row, delimiter).next();
    let names: Vec<String> = match first {
        Some(Ok(names)) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Some(Err(error)) => return Err(Problem::internal(error)),
        None => Vec::new(),
    };
    if names.len() > 1_000 || names.iter().any(|name| name.chars().count() > 300) {
        return Err(Problem::invalid(
            "",
            "invalid_heading",
            "must have at most 1,000 columns with headings of at most 300 characters",
        ));
    }
    let repeated = |(n, name): &(usize, &String)| !name.is_empty() && names[..*n].contains(name);
    if let Some((_, name)) = names.iter().enumerate().find(repeated) {
        return Err(Problem::invalid(
            "",
            "repeated_heading",
            format!("has two columns {name:?}; rename one"),
        ));
    }
    Ok(names)
}

/// The rows of a piece.
#[must_use]
pub fn cells(content: &[u8], delimiter: u8) -> csv::StringRecordsIntoIter<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(content)
        .into_records()
}

/// The character that cuts the first rows into the same number of cells, the more the better.
fn found_out(sample: &[u8]) -> u8 {
    let score = |delimiter: &u8| {
        let rows = cells(sample, *delimiter).take(20);
        let mut counts = rows.filter_map(Result::ok).map(|row| row.len());
        let first = counts.next().unwrap_or(0);
        let same = counts.filter(|count| *count == first).count();
        if first < 2 { 0 } else { (same + 1) * first }
    };
    let best = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| score(delimiter));
    best.copied().unwrap_or(b',')
}

fn too_long() -> Problem {
    Problem::invalid(
        "",
        "row_too_long",
        "has a row of more than 1 MiB; a quotation mark may be missing",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, step: usize) -> (Vec<String>, u8, Vec<String>) {
        let mut splitter = Splitter::new(None);
        for part in text.as_bytes().chunks(step) {
            splitter.push(part).unwrap();
        }
        splitter.end().unwrap();
        let (header, delimiter) = splitter.header().unwrap();
        let all: Vec<u8> = splitter
            .pieces
            .iter()
            .flat_map(|piece| piece.content.clone())
            .collect();
        let rows =
            cells(&all, delimiter).map(|row| row.unwrap().iter().collect::<Vec<_>>().join("|"));
        (header, delimiter, rows.collect())
    }

    #[test]
    fn quoted_cells_with_line_ends_stay_whole_and_the_last_row_needs_none() {
        let text = "name;note\r\nAda;\"one\r\ntwo; \"\"three\"\"\"\r\n\r\nGrace;x";
        for step in [1, 7, 1000] {
            let (header, delimiter, rows) = split(text, step);
            assert_eq!(
                (header, delimiter),
                (vec!["name".to_owned(), "note".to_owned()], b';')
            );
            assert_eq!(rows, ["Ada|one\r\ntwo; \"three\"", "Grace|x"]);
        }
    }

    #[test]
    fn a_text_without_heading_has_rows_from_the_first_line_on() {
        let mut splitter = Splitter::without_heading(None, vec!["id".into(), "n".into()]);
        splitter.push(b"a,1\nb,2\n").unwrap();
        splitter.end().unwrap();
        assert_eq!(splitter.header().unwrap().0, ["id", "n"]);
        assert_eq!((splitter.total(), splitter.pieces[0].first_row), (2, 1));
    }

    #[test]
    fn long_texts_become_pieces_that_follow_each_other() {
        let rows: String = (0..12_345).map(|n| format!("{n},x\n")).collect();
        let mut splitter = Splitter::new(None);
        for part in format!("n,x\n{rows}").as_bytes().chunks(10_000) {
            splitter.push(part).unwrap();
        }
        splitter.end().unwrap();
        let places: Vec<(i64, i32)> = splitter
            .pieces
            .iter()
            .map(|it| (it.first_row, it.rows))
            .collect();
        assert_eq!(places, [(2, 5_000), (5_002, 5_000), (10_002, 2_345)]);
        assert_eq!(splitter.total(), 12_345);
    }

    #[test]
    fn a_file_without_rows_and_one_with_a_mark_missing_are_told() {
        let mut empty = Splitter::new(None);
        empty.push(b"name,email\n").unwrap();
        empty.end().unwrap();
        assert_eq!((empty.total(), empty.pieces.len()), (0, 0));
        let mut open = Splitter::new(None);
        let long = vec![b'x'; LONGEST + 10];
        assert!(
            open.push(b"name\n\"")
                .and_then(|()| open.push(&long))
                .and_then(|()| open.end())
                .is_err()
        );
    }
}
