//! Numbers on request: what is asked ([`Query`]) and what is answered ([`Frame`]). Dashboards, reports, alerts and shared
//! links all ask this way, so that a number is the same everywhere.

mod assemble;
mod cache;
mod calendar;
mod change;
mod check;
mod columns;
mod currency;
mod engine;
mod expression;
mod frame;
mod head;
mod plan;
mod request;
mod sql;
mod table;
mod window;

pub use cache::{Answers, Engine};
pub(crate) use calendar::begins;
pub use change::{Change, ChangeKind, ChangeNote, Direction, change};
pub(crate) use engine::is_for_a_worker;
pub use engine::{Effort, run, run_many};
pub use frame::{Column, ColumnKind, Compared, Frame, FrameMeta, Polarity, Row, Source, Unit};
pub use request::{
    Align, Compare, Filter, FilterOperator, Granularity, Order, Preset, Query, Range,
};
