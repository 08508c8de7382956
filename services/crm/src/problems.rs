//! The problems that are this service's own.

use axum::http::StatusCode;
use bz_http::Problem;
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
