//! Templates: dashboards ready made for what marketing and sales look at, as data. A template says which numbers it needs;
//! a tenant that has them makes a dashboard of it.

mod get;
mod instantiate;
mod list;
mod model;
mod needs;
mod store;

use std::sync::LazyLock;

use bz_http::{Routes, routes};

use crate::app::AppState;

pub use model::{DimensionGroups, Layer, MetricGroups, Template};

bz_auth::permissions! {
    /// See templates of dashboards.
    TemplatesRead = "templates:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_templates))
        .routes(routes!(get::get_template))
        .routes(routes!(instantiate::instantiate_template))
}

/// The files, in the order in which they are listed.
const FILES: [&str; 16] = [
    include_str!("data/paid-media.json"),
    include_str!("data/growth.json"),
    include_str!("data/agency-overview.json"),
    include_str!("data/google-ads.json"),
    include_str!("data/facebook-ads.json"),
    include_str!("data/linkedin-ads.json"),
    include_str!("data/tiktok-ads.json"),
    include_str!("data/microsoft-ads.json"),
    include_str!("data/ga4.json"),
    include_str!("data/search-console.json"),
    include_str!("data/ecommerce.json"),
    include_str!("data/ecommerce-cohorts.json"),
    include_str!("data/hubspot-crm.json"),
    include_str!("data/email.json"),
    include_str!("data/social-organic.json"),
    include_str!("data/local.json"),
];

static ALL: LazyLock<Result<Vec<Template>, String>> = LazyLock::new(|| {
    let read = |text: &&str| serde_json::from_str(text).map_err(|error| error.to_string());
    FILES.iter().map(read).collect()
});

/// All templates.
///
/// # Errors
/// Which file cannot be read; the service does not start then.
pub fn all() -> Result<&'static [Template], String> {
    ALL.as_ref().map(Vec::as_slice).map_err(Clone::clone)
}

/// A template by its name for programs.
fn find(slug: &str) -> Option<&'static Template> {
    all().ok()?.iter().find(|template| template.slug == slug)
}

#[cfg(test)]
mod tests;
