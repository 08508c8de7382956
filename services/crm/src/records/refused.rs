//! What the database refused, as the client's problem: the constraints of the record tables and their names.

use bz_http::Problem;
use bz_tenant::{ConstraintKind, DbError};

use super::RecordType;

/// The problem of a statement that wrote a record of the type.
pub(crate) fn problem(record: &RecordType, error: DbError) -> Problem {
    let DbError::Constraint { name, kind, .. } = &error else {
        return error.into();
    };
    if name == "custom_values_unique_key" {
        return not_unique("/custom");
    }
    let Some(about) = name
        .strip_prefix(record.plural)
        .and_then(|rest| rest.strip_prefix('_'))
    else {
        return error.into();
    };
    if about == "external_id_key" {
        return Problem::conflict(
            "external_id_taken",
            format!("Another of the {} has this external_id.", record.plural),
        )
        .error("/external_id", "not_unique", "is another record's already");
    }
    match (kind, about.strip_suffix("_fkey")) {
        (ConstraintKind::ForeignKey, Some(other)) => Problem::invalid(
            format!("/{other}_id"),
            "not_found",
            "must be the id of something that is there",
        ),
        _ => error.into(),
    }
}

/// 409: another record has the value of a field that no two may have the same in.
pub(crate) fn not_unique(pointer: impl Into<String>) -> Problem {
    let detail = "Another record has this value, and the field allows it only once.";
    Problem::conflict("not_unique", detail).error(
        pointer.into(),
        "not_unique",
        "is another record's already",
    )
}
