//! What a template is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dashboards::{Tile, View};

/// A dashboard ready made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name for programs, as `google-ads`.
    pub slug: String,
    /// One more with every change of the template; a dashboard says which it was made of.
    pub version: i32,
    /// Its name for people.
    pub title: String,
    /// For whom it is.
    pub layer: Layer,
    /// What it shows.
    pub description: String,
    /// The metrics that belong to the subject, whether or not a tile shows them.
    pub metrics: MetricGroups,
    /// What they can be broken down by.
    pub dimensions: DimensionGroups,
    /// Days and comparison.
    pub view: View,
    /// Its tiles.
    pub tiles: Vec<Tile>,
}

/// For whom something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Who decides: what it returns, unit economics, cohorts.
    Executive,
    /// Who leads: channels against each other, goals.
    Manager,
    /// Who does it: campaigns, keywords, creatives, by day.
    Operational,
}

/// Metrics, keys of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricGroups {
    /// What came of it.
    pub conversion: Vec<String>,
    /// What people did.
    pub engagement: Vec<String>,
    /// Who saw it.
    pub visibility: Vec<String>,
}

/// Dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DimensionGroups {
    /// What was done.
    pub campaign: Vec<String>,
    /// With whom.
    pub audience: Vec<String>,
    /// When: pieces of time.
    pub time: Vec<String>,
}
