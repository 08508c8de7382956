//! Rows as the bytes of a file.

use bz_tabular::{Cell, Xlsx, safe};
use serde_json::{Map, Value};

use super::{Format, table::Column};

/// Makes the bytes of a file, part by part.
pub(super) enum Encoder {
    Csv(Vec<Column>),
    /// With all that a record has when there are no columns.
    Ndjson(Option<Vec<Column>>),
    Xlsx(Box<Xlsx>, Vec<Column>),
}

impl Encoder {
    pub(super) fn new(format: Format, columns: Vec<Column>, chosen: bool) -> Self {
        match format {
            Format::Csv => Self::Csv(columns),
            Format::Ndjson => Self::Ndjson(chosen.then_some(columns)),
            Format::Xlsx => Self::Xlsx(Box::default(), columns),
        }
    }

    /// What the file begins with.
    pub(super) fn start(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Csv(columns) => {
                let mut out = csv::Writer::from_writer(Vec::new());
                out.write_record(columns.iter().map(|column| column.name.as_str()))?;
                finished(out)
            }
            Self::Ndjson(_) => Ok(Vec::new()),
            Self::Xlsx(xlsx, columns) => {
                let names = columns.iter().map(|column| Cell::Text(column.name.clone()));
                xlsx.sheet("Sheet1", names.collect())
            }
        }
    }

    /// More rows.
    pub(super) fn rows(&mut self, records: &[Map<String, Value>]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Csv(columns) => {
                let mut out = csv::Writer::from_writer(Vec::new());
                for record in records {
                    out.write_record(columns.iter().map(|column| text(column.cell(record))))?;
                }
                finished(out)
            }
            Self::Ndjson(columns) => {
                let mut out = Vec::new();
                for record in records {
                    match columns {
                        Some(columns) => {
                            let some = columns.iter().map(|it| (it.name.clone(), it.value(record)));
                            serde_json::to_writer(&mut out, &some.collect::<Map<_, _>>())?;
                        }
                        None => serde_json::to_writer(&mut out, record)?,
                    }
                    out.push(b'\n');
                }
                Ok(out)
            }
            Self::Xlsx(xlsx, columns) => {
                let cells = |record| columns.iter().map(|column| column.cell(record)).collect();
                xlsx.rows(records.iter().map(cells))
            }
        }
    }

    /// What the file ends with.
    pub(super) fn end(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Csv(_) | Self::Ndjson(_) => Ok(Vec::new()),
            Self::Xlsx(xlsx, _) => xlsx.end(),
        }
    }
}

fn finished(out: csv::Writer<Vec<u8>>) -> std::io::Result<Vec<u8>> {
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Number(number) | Cell::Shown(number, _) => number,
        Cell::Text(text) | Cell::Heading(text) => safe::cell(&text).into_owned(),
    }
}
