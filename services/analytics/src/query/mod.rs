//! Numbers on request: what is asked ([`Query`]) and what is answered ([`Frame`]). Dashboards, reports, alerts and shared
//! links all ask this way, so that a number is the same everywhere.

mod change;
mod engine;
mod frame;
mod request;

pub use change::{Change, ChangeKind, ChangeNote, Direction, change};
pub use engine::{run, run_many};
pub use frame::{Column, ColumnKind, Compared, Frame, FrameMeta, Polarity, Row, Source, Unit};
pub use request::{
    Align, Compare, Filter, FilterOperator, Granularity, Order, Preset, Query, Range,
};
