//! Files of numbers that somebody brings. A file is read as it comes and kept in pieces of whole rows; what is wrong with
//! it is told before anything is loaded.

mod create;
mod events;
mod get;
mod receive;
mod workbook;

use bz_http::{Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    read::Fault,
    resource::{DataSourceId, SourceRun},
};
use crate::app::AppState;

/// The routes of this resource.
pub(super) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_data_import))
        .routes(routes!(get::get_data_import))
        .routes(routes!(events::get_data_import_events))
}

/// What was found in a file, and the run that loads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct DataImport {
    /// The source whose file it is.
    pub source_id: DataSourceId,
    /// The dataset that the rows go to.
    pub dataset: String,
    /// Whether nothing is loaded.
    pub dry_run: bool,
    /// The headings of the file.
    pub header: Vec<String>,
    /// Headings that go nowhere.
    pub left_out: Vec<String>,
    /// How many rows it has.
    pub rows_total: i64,
    /// How many of them have faults.
    pub rows_faulty: i64,
    /// What is wrong with them, the first 50 faults.
    pub faults: Vec<Fault>,
    /// The run that loads it; none of a dry run.
    pub run: Option<SourceRun>,
}
