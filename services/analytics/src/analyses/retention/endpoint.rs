use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RetentionGrid, RetentionQuery, answer};
use crate::{analyses::MetricsRead, app::AppState, query::Range};

/// A question about who came back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "retention": { "start": { "event": "user.registered" }, "granularity": "week", "periods": 4 },
    "range": { "preset": "last_90_days" }
}))]
pub(crate) struct AskRetention {
    /// Who came when, and who came back.
    #[serde(deserialize_with = "bz_http::object")]
    retention: RetentionQuery,
    /// The days in which they came: all periods with a day in it.
    range: Range,
    /// IANA time zone of the days; `UTC` when not given.
    timezone: Option<String>,
}

impl Validate for AskRetention {
    fn validate(&self, errors: &mut Errors) {
        self.retention.check(errors, "/retention");
    }
}

/// Who came back: people by the period in which they came, and how many of them came back in each period after it.
///
/// Exact: single events are read, in the days of the time zone.
#[utoipa::path(
    post, path = "/api/retention/query", tag = "analyses",
    security(("bearer" = ["metrics:read"])),
    request_body = AskRetention,
    responses((status = 200, description = "The grid", body = RetentionGrid), bz_http::openapi::WriteProblems),
)]
pub(crate) async fn query_retention(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Json(asked): Json<AskRetention>,
) -> Result<Json<RetentionGrid>, Problem> {
    let mut tx = app.core.db.snapshot(&caller.scope).await?;
    let days = (asked.range, asked.timezone.as_deref());
    let grid = answer(&mut tx, app.core.sources.now(), &asked.retention, days).await?;
    Ok(Json(grid))
}
