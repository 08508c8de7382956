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
