use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};

use super::{AnalyticsSettings, SettingsRead, store};
use crate::app::AppState;

/// The time zone and the currency of the tenant; `UTC` and none while nobody has set them.
#[utoipa::path(
    get, path = "/api/analytics/settings", tag = "settings",
    security(("bearer" = ["metrics:read"])),
    responses((status = 200, description = "The settings", body = AnalyticsSettings), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_analytics_settings(
    State(app): State<AppState>,
    caller: Can<SettingsRead>,
) -> Result<Json<AnalyticsSettings>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    Ok(Json(store::find(&mut tx).await?))
}
