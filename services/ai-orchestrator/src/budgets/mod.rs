//! Budgets: how much a tenant, its users and its crews may use of the models in a day or a month. What a call may use at
//! most is reserved before it and settled after it, so that calls side by side never overspend.

mod account;
mod list;
mod put;
mod store;

use bz_http::{Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use account::{Accounts, Reservation, Worst, start_run};

use crate::app::AppState;

bz_auth::permissions! {
    /// See the budgets.
    BudgetsRead = "budgets:read",
    /// Set the budgets.
    BudgetsManage = "budgets:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(list::list_budgets, put::put_budgets))
}

/// The most budgets of a tenant.
const MAX_BUDGETS: usize = 100;

/// Whom a budget limits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// All together.
    Tenant,
    /// One user, or each user by itself when none is named.
    User,
    /// One crew.
    Crew,
}

/// How long a budget lasts before it begins anew, in UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Period {
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

/// A budget as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetLimits {
    scope: Scope,
    /// The user or crew; each user by itself when a budget for users names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Uuid>,
    period: Period,
    /// Tokens of requests and answers together.
    #[schema(minimum = 0)]
    max_tokens: Option<i64>,
    /// Money, in millionths of the currency of the configured prices.
    #[schema(minimum = 0)]
    max_cost_micros: Option<i64>,
    /// Runs of agents and crews.
    #[schema(minimum = 0)]
    max_runs: Option<i64>,
    /// Whether calls stop at the limit; a soft budget only counts.
    hard: bool,
}

/// A budget and what is used of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Budget {
    scope: Scope,
    /// The user or crew; each user by itself when a budget for users names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Uuid>,
    period: Period,
    /// Tokens of requests and answers together.
    max_tokens: Option<i64>,
    /// Money, in millionths of the currency of the configured prices.
    max_cost_micros: Option<i64>,
    /// Runs of agents and crews.
    max_runs: Option<i64>,
    /// Whether calls stop at the limit; a soft budget only counts.
    hard: bool,
    /// Used in this period, with what is reserved by calls that are under way; of a budget for each user, by the caller.
    used: Used,
}

/// What is used of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Used {
    tokens: i64,
    cost_micros: i64,
    runs: i64,
}
