use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
