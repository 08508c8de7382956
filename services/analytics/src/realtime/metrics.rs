use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    MetricsRead,
    numbers::{self, RealtimeMetrics, names},
};
use crate::app::AppState;

/// What to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RealtimeQuery {
    /// Names of events, with commas between; all when not given.
    #[param(example = "page_view,signup")]
    pub(super) names: Option<String>,
}

/// The last 30 minutes, by minute.
#[utoipa::path(
    get, path = "/api/realtime/metrics", tag = "realtime",
    security(("bearer" = ["metrics:read"])),
    params(RealtimeQuery),
    responses((status = 200, description = "The numbers", body = RealtimeMetrics), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_realtime_metrics(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Query(wanted): Query<RealtimeQuery>,
) -> Result<Json<RealtimeMetrics>, Problem> {
    let names = names(wanted.names.as_deref());
    let mut tx = app.core.db.read(&caller.scope).await?;
    Ok(Json(numbers::read(&mut tx, app.core.sources.now(), &names).await?))
}
