//! Deletes the rows of tenants that were deleted some time ago.

use bz_service::{Job, retention};

use crate::{app::AppState, tenants::erase};

pub(super) fn job(app: &AppState) -> Job {
    let core = app.core.clone();
    retention::job("erasure-tenants", move || erase::run(core.clone()))
}
