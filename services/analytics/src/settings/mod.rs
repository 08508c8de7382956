//! Settings of a tenant: the time zone of its days and the currency of its amounts, where a question does not say.

mod get_settings;
mod put_settings;
mod store;

use bz_http::{Errors, Routes, Validate, routes};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

bz_auth::permissions! {
    /// See the settings of analytics.
    SettingsRead = "metrics:read",
    /// Change the settings of analytics.
    SettingsManage = "data_sources:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(
        get_settings::get_analytics_settings,
        put_settings::put_analytics_settings
    ))
}

/// What numbers are told in, where a question does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnalyticsSettings {
    /// IANA time zone in which days begin and end.
    #[schema(example = "Europe/Berlin")]
    pub(crate) timezone: String,
    /// ISO 4217 code of amounts that come without one.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub(crate) currency: Option<String>,
}

impl Validate for AnalyticsSettings {
    fn validate(&self, errors: &mut Errors) {
        if self.timezone.parse::<Tz>().is_err() {
            let told = "must be an IANA name such as Europe/Berlin";
            errors.add("/timezone", "unknown_time_zone", told);
        }
        let is_code = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if self.currency.as_deref().is_some_and(|code| !is_code(code)) {
            let told = "must be three capital letters (ISO 4217), such as EUR";
            errors.add("/currency", "invalid_currency", told);
        }
    }
}
