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

/// 409: the file of the model is not kept any more.
pub(crate) fn model_gone(name: &str) -> Problem {
    Problem::conflict(
        "model_gone",
        format!("The file of {name} is not kept any more. Use a newer model, or train again."),
    )
}
