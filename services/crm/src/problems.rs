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

/// 409: there is the same already.
pub(crate) fn duplicate(candidates: Vec<Value>) -> Problem {
    Problem::conflict(
        "duplicate",
        "Use one of `candidates`, or send `?on_duplicate=create`, `update` or `return`.",
    )
    .member("candidates", candidates)
}

/// 409: the id in another system belongs to another record.
pub(crate) fn external_id_taken() -> Problem {
    Problem::conflict(
        "external_id_taken",
        "Another record of this type has this `external_id`.",
    )
}

/// 409: a merge can be undone for 30 days only.
pub(crate) fn merge_too_old() -> Problem {
    Problem::conflict(
        "merge_too_old",
        "A merge can be undone for 30 days. Change the records themselves instead.",
    )
}

/// 409: the name belongs to another one.
pub(crate) fn name_taken() -> Problem {
    Problem::conflict("name_taken", "There is another one of this name.")
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

/// 429: too often.
pub(crate) fn rate_limited(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests",
    )
    .detail("Try again after the time that `Retry-After` names.")
    .retry_after(seconds)
}
