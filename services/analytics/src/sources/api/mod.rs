//! The endpoints of data sources.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod runs;
mod sync;
mod test;

use bz_http::{Problem, Routes, routes};

use super::Sources;
use crate::app::AppState;

/// The routes of this resource.
pub(super) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_data_sources, create::create_data_source))
        .routes(routes!(
            get::get_data_source,
            patch::patch_data_source,
            delete::delete_data_source
        ))
        .routes(routes!(test::test_data_source))
        .routes(routes!(sync::sync_data_source))
        .routes(routes!(runs::list_data_source_runs))
}

/// Whether the policy lets requests go to an address.
fn check_url(sources: &Sources, url: &str) -> Result<(), Problem> {
    // Days in place of their names: braces are no part of an address.
    let url = url
        .replace("{from}", "2026-01-01")
        .replace("{to}", "2026-01-01");
    let checked = sources.egress.policy().check(&url);
    checked
        .map(drop)
        .map_err(|refused| Problem::invalid("/pull/url", refused.code, refused.message))
}

/// A name that another source has.
fn name_taken() -> Problem {
    Problem::conflict(
        "name_taken",
        "Another source has this name; choose another one.",
    )
}
