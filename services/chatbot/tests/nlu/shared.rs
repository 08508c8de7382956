//! The shared evaluation data, when this checkout has it beside it.

use std::path::PathBuf;

/// The text of a file of the development set; says so and gives none when the data is not there.
pub(crate) fn dev_file(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/nlu/dev")
        .join(name);
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        println!("skipped: no shared data ({name})");
    }
    text
}

/// A share in per cent.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The rows of a CSV text (RFC 4180) after its header.
pub(crate) fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => inside = !inside,
            ',' if !inside => row.push(String::new()),
            '\n' if !inside => rows.push(vec![String::new()]),
            '\r' if !inside => {}
            _ => row.last_mut().unwrap().push(c),
        }
    }
    rows.into_iter()
        .skip(1)
        .filter(|row| row.len() > 1)
        .collect()
}
