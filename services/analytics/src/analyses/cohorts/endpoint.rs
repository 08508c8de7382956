use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CohortGrid, CohortsQuery, answer};
use crate::{analyses::MetricsRead, app::AppState, query::Range};

/// A question about cohorts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "cohorts": { "granularity": "month", "periods": 6, "cac": "25.00", "margin": "0.6" },
    "range": { "preset": "last_365_days" }
}))]
pub(crate) struct AskCohorts {
    /// Which cohorts, and how far.
    cohorts: CohortsQuery,
    /// The days of the first orders: all periods with a day in it.
    range: Range,
    /// IANA time zone of the days; `UTC` when not given.
    timezone: Option<String>,
}

impl Validate for AskCohorts {
    fn validate(&self, errors: &mut Errors) {
        self.cohorts.check(errors, "/cohorts");
    }
}

/// Customers by the period of their first order: how many bought again, what they brought, when they had paid for themselves.
///
/// Exact: single orders are read, in the days of the time zone. An order without a customer belongs to no cohort.
#[utoipa::path(
    post, path = "/api/cohorts/query", tag = "analyses",
    security(("bearer" = ["metrics:read"])),
    request_body = AskCohorts,
    responses((status = 200, description = "The grid", body = CohortGrid), bz_http::openapi::WriteProblems),
)]
pub(crate) async fn query_cohorts(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Json(asked): Json<AskCohorts>,
) -> Result<Json<CohortGrid>, Problem> {
    let mut tx = app.core.db.snapshot(&caller.scope).await?;
    let days = (asked.range, asked.timezone.as_deref());
    let grid = answer(&mut tx, app.core.sources.now(), &asked.cohorts, days).await?;
    Ok(Json(grid))
}
