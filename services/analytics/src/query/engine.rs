//! From questions to answers.

use bz_http::Problem;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};

use super::{Frame, Query};

/// Answers one question.
///
/// # Errors
/// 422 when it cannot be answered as it is asked, and what the database says.
pub async fn run(tx: &mut TenantTx, now: DateTime<Utc>, query: &Query) -> Result<Frame, Problem> {
    let answers = run_many(tx, now, std::slice::from_ref(query)).await;
    answers
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(Problem::internal("no answer to a question")))
}

/// Answers several questions from one snapshot: open `tx` with `Db::snapshot`. One that cannot be answered has its own
/// problem, and the others their answers.
pub async fn run_many(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    queries: &[Query],
) -> Vec<Result<Frame, Problem>> {
    let _ = (tx, now);
    queries
        .iter()
        .map(|_| Err(Problem::internal("not answered yet")))
        .collect()
}
