//! Datasets: where numbers are kept, and what is measured there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CURRENCY, PLATFORM};
use crate::query::Unit;

/// Numbers of one kind: events, the facts of one advertising platform, orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Name for programs, as `google-ads`.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// Where it is kept.
    pub storage: Storage,
    /// What it can be broken down and filtered by. With money, `currency` is one, too.
    pub dimensions: Vec<String>,
    /// What is measured.
    pub measures: Vec<Measure>,
}

/// Where a dataset is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// Single events, counted as they come in.
    Events,
    /// Numbers by day that another system has summed up.
    Facts,
    /// Orders of shops.
    Orders,
    /// What was in the orders.
    OrderLines,
    /// Deals of sales systems.
    Deals,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Name for programs, as `cost`: of facts, the key in `measures`.
    pub name: String,
    /// What it counts; money is kept in the currency's smallest unit.
    pub unit: Unit,
    /// What it may be added over.
    pub additivity: Additivity,
    /// Of facts, the key in `measures` when it is not the name: the first and the last value of the same thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What a measure may be added over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Additivity {
    /// Everything.
    Additive,
    /// Nothing: who was counted once here may have been counted there, too.
    Distinct,
    /// Everything but time, of which the last value stands: followers, open deals.
    Last,
    /// Everything but time, of which the first value stands.
    First,
}

impl Dataset {
    /// A measure by its name.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// Whether it can be broken down by a dimension.
    #[must_use]
    pub fn has_dimension(&self, name: &str) -> bool {
        match name {
            PLATFORM => true,
            CURRENCY => self.has_money(),
            own => self.dimensions.iter().any(|dimension| dimension == own),
        }
    }

    /// Whether it has nothing shorter than a day.
    #[must_use]
    pub fn is_by_day(&self) -> bool {
        self.storage == Storage::Facts
    }

    /// Whether anything in it is money.
    #[must_use]
    pub fn has_money(&self) -> bool {
        self.measures
            .iter()
            .any(|measure| measure.unit == Unit::Money)
    }
}
