//! A dashboard, and what a client writes of one.

use bz_http::{Errors, Validate};
use bz_kernel::{UserId, typed_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Tile, View, check};

typed_id!(
    /// A dashboard.
    DashboardId
);

/// The most tiles of a dashboard. All are answered in one request.
pub const MAX_TILES: usize = 50;

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dashboard {
    /// Its id.
    pub id: DashboardId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Days, comparison and filters that its tiles are asked for unless the request says otherwise.
    pub view: View,
    /// Its tiles.
    pub tiles: Vec<Tile>,
    /// The template that it was made of.
    pub template: Option<MadeOf>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// The template that a dashboard was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeOf {
    /// Its name for programs.
    pub slug: String,
    /// Which version of it.
    pub version: i32,
}

/// A dashboard in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DashboardSummary {
    /// Its id.
    pub id: DashboardId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How many tiles it has.
    pub tile_count: i32,
    /// The template that it was made of.
    pub template: Option<MadeOf>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change.
    pub version: i64,
}

/// What a client writes of a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateDashboard, example = json!({
    "name": "Advertising",
    "tiles": [{
        "id": "cost", "title": "Cost", "chart": "score_card",
        "query": { "numbers": { "metrics": ["google-ads.cost"] } },
        "layout": { "x": 0, "y": 0, "w": 3, "h": 2 }
    }]
}))]
pub struct WantedDashboard {
    /// Its name, 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// What it is for, at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// Days, comparison and filters that its tiles are asked for unless the request says otherwise.
    #[serde(default)]
    pub view: View,
    /// Its tiles, at most 50, none on top of another.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tiles: Vec<Tile>,
}

impl Validate for WantedDashboard {
    fn validate(&self, errors: &mut Errors) {
        check::text(errors, "/name", &self.name, 1, 120);
        check::text(errors, "/description", &self.description, 0, 2_000);
        check::view(errors, "/view", &self.view);
        check::tiles(errors, "/tiles", &self.tiles);
    }
}
