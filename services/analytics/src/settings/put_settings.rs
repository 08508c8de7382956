use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};

use super::{AnalyticsSettings, SettingsManage, store};
use crate::app::AppState;
use crate::tracking::zones;
use crate::version;

/// Set the time zone and the currency of the tenant.
///
/// Numbers of the new zone's days are right at once; they are fast once its days have been counted, which begins with this.
#[utoipa::path(
    put, path = "/api/analytics/settings", tag = "settings",
    security(("bearer" = ["data_sources:manage"])),
    request_body = AnalyticsSettings,
    responses((status = 200, description = "As they are now", body = AnalyticsSettings), bz_http::openapi::WriteProblems),
)]
pub(super) async fn put_analytics_settings(
    State(app): State<AppState>,
    caller: Can<SettingsManage>,
    Json(settings): Json<AnalyticsSettings>,
) -> Result<Json<AnalyticsSettings>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::replace(&mut tx, app.core.sources.now(), &settings).await?;
    version::bump(&mut tx).await?;
    if let Ok(zone) = settings.timezone.parse() {
        // A tenant that has as many zones as it may goes on without the counts of this one.
        let _ = zones::want(&mut tx, zone).await?;
    }
    tx.commit().await?;
    Ok(Json(settings))
}
