//! What the database refused, as the client's problem: the constraints of the record tables and their names.

use bz_http::Problem;
use bz_tenant::{ConstraintKind, DbError};

use super::RecordType;
use crate::problems;

/// The problem of a statement that wrote a record of the type.
pub(crate) fn problem(record: &RecordType, error: DbError) -> Problem {
    let DbError::Constraint { name, kind, .. } = &error else {
        return error.into();
    };
    if name == "custom_values_unique_key" {
        return problems::not_unique("/custom");
    }
    let Some(about) = name
        .strip_prefix(record.plural)
        .and_then(|rest| rest.strip_prefix('_'))
    else {
        return error.into();
    };
    if about == "external_id_key" {
        return problems::external_id_taken(record.plural);
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
