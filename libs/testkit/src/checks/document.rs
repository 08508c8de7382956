//! Whether the committed OpenAPI document is the one that the service answers.

use std::path::Path;

use utoipa::openapi::OpenApi;

/// Compares the document with the committed file, or writes the file.
///
/// # Errors
/// What to do when they differ.
///
/// # Panics
/// When the file cannot be written.
pub fn compare(document: &OpenApi, path: &Path, write: bool) -> Result<(), String> {
    let current = document
        .to_pretty_json()
        .expect("an OpenAPI document serialises")
        + "\n";
    if write {
        std::fs::write(path, current).expect("the document can be written");
        return Ok(());
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let different = current
        .lines()
        .zip(committed.lines())
        .position(|(now, then)| now != then);
    if current == committed {
        return Ok(());
    }
    let line =
        different.unwrap_or_else(|| current.lines().count().min(committed.lines().count())) + 1;
    Err(format!(
        "{} is not what the service answers, from line {line} on: run the test with BLESS=1",
        path.display()
    ))
}
