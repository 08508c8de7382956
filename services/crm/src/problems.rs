//! The problems that are this service's own.

use axum::http::StatusCode;
use bz_http::{Errors, Problem};
use serde_json::Value;
use uuid::Uuid;

/// 410: the record was merged into another one.
pub(crate) fn merged(into: Uuid) -> Problem {
    Problem::new(
        StatusCode::GONE,
        "merged",
        "It was merged into another record",
    )
    .detail(format!("Use {into} instead."))
    .member("merged_into", into.to_string())
}

/// 409: another record has the value of a field that no two may have the same in.
pub(crate) fn not_unique(pointer: impl Into<String>) -> Problem {
    let detail = "Another record has this value, and the field allows it only once.";
    taken("not_unique", pointer, detail)
}

/// 409: another record of the type has the same id of another system.
pub(crate) fn external_id_taken(plural: &str) -> Problem {
    let detail = format!("Another of the {plural} has this external_id.");
    taken("external_id_taken", "/external_id", detail)
}

/// 409: the type of record has a field with this key.
pub(crate) fn custom_field_exists() -> Problem {
    let detail = "This type of record has a field with this key.";
    taken("custom_field_exists", "/key", detail)
}

/// 409: there is a tag with this name.
pub(crate) fn tag_exists() -> Problem {
    let detail = "There is a tag with this name. Merge the two: POST /api/tags/{id}/merge.";
    taken("tag_exists", "/name", detail)
}

/// 409: there is a team with this name.
pub(crate) fn team_exists() -> Problem {
    taken("team_exists", "/name", "There is a team with this name.")
}

/// 409: the user has a view with this name.
pub(crate) fn view_exists() -> Problem {
    taken("view_exists", "/name", "You have a view with this name.")
}

fn taken(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem::conflict(code, detail).error(pointer.into(), "not_unique", "is taken")
}

/// 409: the type of record has as many fields as it may.
pub(crate) fn too_many_custom_fields() -> Problem {
    let detail = "A type of record has at most 200 fields.";
    Problem::conflict("too_many_custom_fields", detail)
}

/// 409: records have values of the field.
pub(crate) fn custom_field_in_use() -> Problem {
    let detail =
        "Records have values of this field, so its type cannot change. Define another field.";
    Problem::conflict("custom_field_in_use", detail).error(
        "/type",
        "in_use",
        "cannot change any more",
    )
}

/// 409: the team has as many members as it may.
pub(crate) fn too_many_members() -> Problem {
    Problem::conflict("too_many_members", "A team has at most 1,000 members.")
}

/// 409: deals stand in a stage that is to go, or whose kind is to change.
pub(crate) fn stage_in_use(detail: &str) -> Problem {
    Problem::conflict("stage_in_use", detail)
}

/// 409: there is always exactly one default pipeline.
pub(crate) fn default_pipeline() -> Problem {
    Problem::conflict(
        "default_pipeline",
        "It is the default pipeline. Make another one the default first.",
    )
}

/// 409: another one has the name.
pub(crate) fn name_taken() -> Problem {
    Problem::conflict(
        "name_taken",
        "Another one has this name; choose a different one.",
    )
}

/// 409: another number of records is meant than the client expects.
pub(crate) fn count_mismatch(count: i64, expected: i64) -> Problem {
    Problem::conflict(
        "count_mismatch",
        format!("{count} records are meant, not {expected}."),
    )
    .member("count", count)
}

/// 409: there is nothing to undo, or not yet.
pub(crate) fn not_finished() -> Problem {
    Problem::conflict(
        "not_finished",
        "Only an import that is over and has written something can be undone.",
    )
}

/// 409: what an import wrote is not remembered for ever.
pub(crate) fn too_late() -> Problem {
    Problem::conflict("too_late", "An import can be undone for 72 hours.")
}

/// 409: there is the same already.
pub(crate) fn duplicate(candidates: Vec<Value>) -> Problem {
    Problem::conflict(
        "duplicate",
        "Use one of `candidates`, or send `?on_duplicate=create`, `update` or `return`.",
    )
    .member("candidates", candidates)
}

/// 409: a merge can be undone for 30 days only.
pub(crate) fn merge_too_old() -> Problem {
    Problem::conflict(
        "merge_too_old",
        "A merge can be undone for 30 days. Change the records themselves instead.",
    )
}

/// 409: a tenant has only so many of these.
pub(crate) fn too_many(what: &str, most: usize) -> Problem {
    Problem::conflict(
        "too_many",
        format!("A tenant has at most {most} {what}. Delete one first."),
    )
}

/// The same problem, with its faults where they are in the whole request.
pub(crate) fn within(prefix: &str, problem: Problem) -> Problem {
    if problem.code() != "validation_failed" {
        return problem;
    }
    let mut errors = Errors::default();
    for fault in problem.document().errors {
        let pointer = fault.pointer.unwrap_or_default();
        errors.add(format!("{prefix}{pointer}"), fault.code, fault.message);
    }
    Problem::validation(errors)
}

/// 409: the file of the model is not kept any more.
pub(crate) fn model_gone(name: &str) -> Problem {
    Problem::conflict(
        "model_gone",
        format!("The file of {name} is not kept any more. Use a newer model, or train again."),
    )
}
