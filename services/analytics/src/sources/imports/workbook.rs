//! Spreadsheets (XLSX) as CSV.

use std::{io::Cursor, sync::Arc};

use bz_http::Problem;
use calamine::{Data, Reader as _, Xlsx};
use tokio::sync::Semaphore;

/// The largest file: unpacked it is in memory as a whole.
pub(super) const LARGEST: usize = 32 << 20;
/// The most cells of a sheet.
const MOST_CELLS: u64 = 20_000_000;

/// Whether a file begins like a spreadsheet (a zip archive).
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The first sheet of a spreadsheet as CSV with commas. One at a time: each takes memory.
#[expect(
    clippy::disallowed_methods,
    reason = "bounded: the permit is held by the thread"
)]
pub(super) async fn to_csv(permits: &Arc<Semaphore>, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .map_err(Problem::internal)?;
    let work = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        csv(bytes)
    });
    work.await.map_err(Problem::internal)?
}

fn csv(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let faulty = |_| {
        Problem::invalid(
            "",
            "not_xlsx",
            "cannot be read as XLSX; save it again, or as CSV",
        )
    };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(faulty)?;
    let sheet = book.sheet_names().first().cloned();
    let sheet = sheet.ok_or_else(|| Problem::invalid("", "no_rows", "has no sheet"))?;
    let range = book.worksheet_range(&sheet).map_err(faulty)?;
    if range.get_size().0 as u64 * range.get_size().1 as u64 > MOST_CELLS {
        return Err(Problem::invalid(
            "",
            "too_many_rows",
            "must have at most 20,000,000 cells; send it as CSV",
        ));
    }
    let mut out = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    for row in range.rows() {
        out.write_record(row.iter().map(text))
            .map_err(Problem::internal)?;
    }
    out.into_inner()
        .map_err(|error| Problem::internal(error.to_string()))
}

/// A cell as CSV has it.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(n) => n.to_string(),
        Data::Float(n) => n.to_string(),
        Data::Bool(yes) => yes.to_string(),
        Data::DateTime(at) => at.as_datetime().map_or_else(
            || at.as_f64().to_string(),
            |at| at.format("%Y-%m-%d %H:%M:%S").to_string(),
        ),
    }
}
