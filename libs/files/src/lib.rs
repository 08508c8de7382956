//! Files that people open: what imports and exports of all services share.
#![warn(missing_docs)]

pub mod safe;
mod xlsx;
mod xml;

pub use xlsx::{Cell, Format, Xlsx};
