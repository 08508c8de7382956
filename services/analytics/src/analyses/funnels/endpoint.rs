use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Funnel, FunnelQuery, answer};
use crate::{analyses::MetricsRead, app::AppState, query::Range};

/// A question about steps.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "funnel": { "steps": [{ "events": { "event": "page_view" } }, { "events": { "event": "user.registered" } }] },
    "range": { "preset": "last_30_days" }
}))]
pub(crate) struct AskFunnel {
    /// The steps, and how they count.
    funnel: FunnelQuery,
    /// Which days.
    range: Range,
    /// IANA time zone of the days; `UTC` when not given.
    timezone: Option<String>,
}

impl Validate for AskFunnel {
    fn validate(&self, errors: &mut Errors) {
        self.funnel.check(errors, "/funnel");
    }
}

/// How many come to each of several steps.
///
/// Exact: single events or deals are read. An event takes one step; who takes the first step several times is counted once,
/// with the attempt that came furthest.
#[utoipa::path(
    post, path = "/api/funnels/query", tag = "analyses",
    security(("bearer" = ["metrics:read"])),
    request_body = AskFunnel,
    responses((status = 200, description = "The steps", body = Funnel), bz_http::openapi::WriteProblems),
)]
pub(crate) async fn query_funnel(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Json(asked): Json<AskFunnel>,
) -> Result<Json<Funnel>, Problem> {
    let mut tx = app.core.db.snapshot(&caller.scope).await?;
    let days = (asked.range, asked.timezone.as_deref());
    let funnel = answer(&mut tx, app.core.sources.now(), &asked.funnel, days).await?;
    Ok(Json(funnel))
}
