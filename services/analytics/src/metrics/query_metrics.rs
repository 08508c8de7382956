use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};

use super::MetricsRead;
use crate::app::AppState;
use crate::query::{Frame, Query};

/// Ask for numbers.
///
/// Metrics of the catalogue over days of a time zone, by piece of time and dimensions, against another period. Totals are
/// computed and not summed, a quotient by zero is null, and amounts of two currencies are not added. `meta` says what was
/// read and whether the period is over; nothing that is answered is older than the last write.
#[utoipa::path(
    post, path = "/api/metrics/query", tag = "metrics",
    security(("bearer" = ["metrics:read"])),
    request_body = Query,
    responses((status = 200, description = "The numbers", body = Frame), bz_http::openapi::WriteProblems),
)]
pub(super) async fn query_metrics(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Json(query): Json<Query>,
) -> Result<Json<Frame>, Problem> {
    Ok(Json(app.engine.answer(&caller.scope, &query).await?))
}
