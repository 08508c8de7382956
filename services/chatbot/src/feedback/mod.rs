//! What users think of answers.

mod create;

use axum::http::StatusCode;
use bz_http::{Problem, Routes, routes};

use crate::app::AppState;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(create::create_feedback))
}

/// Only answers are judged.
fn no_answer() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_an_answer", "Not an answer").detail(
        "This is what the user said. Send the id of an answer of the chatbot: its `message_id`.",
    )
}
