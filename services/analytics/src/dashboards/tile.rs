//! A tile: one question and how its answer is drawn. Dashboards, templates and reports are made of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::analyses::{CohortsQuery, FunnelQuery, RetentionQuery};
use crate::query::{Align, Compare, Filter, Granularity, Order, Preset, Query, Range};

/// How many columns a dashboard has.
pub const GRID_COLUMNS: u8 = 12;

/// One question and how its answer is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Its name for programs, unique in the dashboard: 1 to 60 small letters, digits and `-`.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z0-9-]+$")]
    pub id: String,
    /// Its name for people, 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title: String,
    /// How the answer is drawn.
    pub chart: ChartKind,
    /// What is asked.
    pub query: TileQuery,
    /// Where it stands.
    pub layout: Layout,
}

/// How an answer is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// One number, large, with its change.
    ScoreCard,
    /// Numbers over time.
    Line,
    /// Numbers by a dimension or over time.
    Bar,
    /// Numbers over time that add up.
    Area,
    /// Shares of a whole.
    Donut,
    /// Rows and columns.
    Table,
    /// Steps, each with what is left of the one before.
    Funnel,
    /// Cohorts down, periods across.
    CohortGrid,
    /// A small line without axes.
    Sparkline,
}

/// What a tile asks. The dashboard gives days, time zone and comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TileQuery {
    /// Numbers of the catalogue.
    Numbers(NumbersQuery),
    /// Customers by the period of their first order.
    Cohorts(CohortsQuery),
    /// People by the period in which they came, and whether they came back.
    #[serde(deserialize_with = "bz_http::object")]
    Retention(RetentionQuery),
    /// Steps that people or deals go through.
    Funnel(FunnelQuery),
}

/// A [`Query`] without what the dashboard gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumbersQuery {
    /// Keys of the catalogue, as `google-ads.roas`.
    #[schema(min_items = 1, max_items = 20)]
    pub metrics: Vec<String>,
    /// Dimensions to break down by, as `campaign`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 3)]
    pub dimensions: Vec<String>,
    /// What counts, besides what the dashboard filters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
    /// One row for each such piece of time; none: one for the whole range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<Granularity>,
    /// How rows are ordered; by time, then by the first metric downwards, when not given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 3)]
    pub order: Vec<Order>,
    /// The most rows; 1,000 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub limit: Option<u32>,
    /// Whether to answer the totals, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub totals: bool,
}

/// Where a tile stands, in columns and rows of the grid; 12 columns are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// First column, from 0.
    #[schema(maximum = 11)]
    pub x: u8,
    /// First row, from 0.
    #[schema(maximum = 999)]
    pub y: u16,
    /// Columns.
    #[schema(minimum = 1, maximum = 12)]
    pub w: u8,
    /// Rows.
    #[schema(minimum = 1, maximum = 40)]
    pub h: u8,
}

/// What all tiles of a dashboard are asked for: days, comparison, filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Which days.
    #[serde(default = "last_30_days")]
    pub range: Range,
    /// IANA time zone of the days; the tenant's when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60, example = "Europe/Berlin")]
    pub timezone: Option<String>,
    /// The period to compare with.
    #[serde(default = "previous_period")]
    pub compare: Compare,
    /// Whether the days compared have the same dates or the same days of the week.
    #[serde(default)]
    pub compare_align: Align,
    /// What counts. A tile whose numbers have not that dimension says so and shows nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
}

const fn last_30_days() -> Range {
    Range::Preset {
        preset: Preset::Last30Days,
    }
}

const fn previous_period() -> Compare {
    Compare::PreviousPeriod
}

impl Default for View {
    fn default() -> Self {
        Self {
            range: last_30_days(),
            timezone: None,
            compare: previous_period(),
            compare_align: Align::default(),
            filters: Vec::new(),
        }
    }
}

impl Tile {
    /// A table of the answer to a whole question, and the view that it is asked with.
    #[must_use]
    pub fn of_question(query: &Query) -> (Self, View) {
        let title = query.metrics.join(", ");
        let tile = Self {
            id: "numbers".to_owned(),
            title: title.chars().take(120).collect(),
            chart: ChartKind::Table,
            query: TileQuery::Numbers(NumbersQuery {
                metrics: query.metrics.clone(),
                dimensions: query.dimensions.clone(),
                filters: query.filters.clone(),
                granularity: query.granularity,
                order: query.order.clone(),
                limit: query.limit,
                totals: query.totals,
            }),
            layout: Layout {
                x: 0,
                y: 0,
                w: GRID_COLUMNS,
                h: 8,
            },
        };
        let view = View {
            range: query.range,
            timezone: query.timezone.clone(),
            compare: query.compare,
            compare_align: query.compare_align,
            filters: Vec::new(),
        };
        (tile, view)
    }
}

impl NumbersQuery {
    /// The whole question: these numbers as a view asks for them.
    #[must_use]
    pub fn over(&self, view: &View) -> Query {
        Query {
            metrics: self.metrics.clone(),
            dimensions: self.dimensions.clone(),
            filters: [&self.filters[..], &view.filters[..]].concat(),
            range: view.range,
            timezone: view.timezone.clone(),
            granularity: self.granularity,
            compare: view.compare,
            compare_align: view.compare_align,
            order: self.order.clone(),
            limit: self.limit,
            totals: self.totals,
        }
    }
}
