//! The fields that a row makes: checked like those that a client sends.

use bz_http::{Errors, Problem, extract::parse};
use serde_json::{Map, Value};

use super::{
    cells::{Fault, Sheet},
    mapping,
};
use crate::records::{
    Fields,
    custom::{self, Definition},
    patch::merge,
};
use csv::StringRecord;

/// The fields of a new record, or of a record with these fields after the row.
pub(super) fn fields<F: Fields>(
    before: Option<&F>,
    members: &Map<String, Value>,
    definitions: &[&Definition],
) -> Result<F, Problem> {
    let mut value = match before {
        Some(fields) => serde_json::to_value(fields).map_err(Problem::internal)?,
        None => Value::Object(Map::new()),
    };
    if let Value::Object(fields) = &mut value {
        for (name, member) in members.iter().filter(|(name, _)| *name != "id") {
            merge(fields.entry(name).or_insert(Value::Null), member.clone());
        }
    }
    let fields: F = match serde_json::from_value(value.clone()) {
        Ok(fields) => fields,
        // Reading it once more as text says where the fault is.
        Err(_) => parse(&serde_json::to_vec(&value).map_err(Problem::internal)?)?,
    };
    let mut errors = Errors::default();
    fields.validate(&mut errors);
    custom::validate(definitions, fields.common().custom, &mut errors);
    if errors.is_empty() {
        Ok(fields)
    } else {
        Err(Problem::validation(errors))
    }
}

/// What happened before as columns of a new record: what has an end has its time.
pub(super) fn history(history: &Map<String, Value>) -> Map<String, Value> {
    let mut columns = history.clone();
    let [created_at, outcome, outcome_at] = mapping::HISTORY;
    if !columns.contains_key(outcome) {
        columns.remove(outcome_at);
    } else if !columns.contains_key(outcome_at)
        && let Some(at) = columns.get(created_at).cloned()
    {
        columns.insert(outcome_at.to_owned(), at);
    }
    columns
}

/// What is wrong with a row, by its columns.
///
/// # Errors
/// The problem, when it is not the row's.
pub(super) fn faults(
    problem: Problem,
    sheet: &Sheet,
    row: &StringRecord,
) -> Result<Vec<Fault>, Problem> {
    if problem.status().is_server_error() {
        return Err(problem);
    }
    let document = problem.document();
    if document.errors.is_empty() {
        let mut fault = Fault::of_row("refused", document.detail.unwrap_or(document.title));
        fault.code = document.code.into();
        return Ok(vec![fault]);
    }
    let fault = |error: bz_http::FieldError| {
        let pointer = error.pointer.unwrap_or_default();
        sheet.fault(&pointer, error.code, error.message, row)
    };
    Ok(document.errors.into_iter().map(fault).collect())
}
