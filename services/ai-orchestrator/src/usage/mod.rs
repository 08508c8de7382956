//! What was used of the models.

mod list;
pub(crate) mod store;

use bz_http::{Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

bz_auth::permissions! {
    /// See what was used of the models.
    UsageRead = "usage:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(list::list_usage))
}

/// By what the sums are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupBy {
    /// By day, in UTC.
    #[default]
    Day,
    /// By the user's id.
    User,
    /// By the crew's id; the zero id for calls without one.
    Crew,
    /// By the provider's name.
    Provider,
    /// By the model's name.
    Model,
}

/// A sum of uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
pub(crate) struct Sum {
    /// The day, id or name.
    key: String,
    /// Calls that were answered.
    calls: i64,
    /// Tokens of requests.
    prompt_tokens: i64,
    /// Tokens of answers.
    completion_tokens: i64,
    /// Money, in millionths.
    cost_micros: i64,
}
