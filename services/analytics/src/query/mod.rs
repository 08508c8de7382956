//! Numbers on request: what is asked ([`Query`]) and what is answered ([`Frame`]). Dashboards, reports, alerts and shared
//! links all ask this way, so that a number is the same everywhere.

mod frame;
mod request;

pub use frame::{Column, ColumnKind, Compared, Frame, FrameMeta, Polarity, Row, Source, Unit};
pub use request::{
    Align, Compare, Filter, FilterOperator, Granularity, Order, Preset, Query, Range,
};
