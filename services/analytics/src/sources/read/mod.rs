//! How the tables of a source are read: which column is what, how numbers and dates are written, what rows become.

mod cells;
mod convert;
mod fields;
mod made;
mod plan;
mod reading;
mod row;

pub(crate) use cells::minor;
pub(crate) use convert::{Batch, Converter};
pub(crate) use plan::Plan;
pub(crate) use reading::Reading;
pub(crate) use row::Fault;
