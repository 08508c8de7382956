use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_kernel::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Layer, Template, TemplatesRead, all};

/// A template in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct TemplateSummary {
    /// Its name for programs.
    slug: String,
    /// One more with every change of the template.
    version: i32,
    /// Its name for people.
    title: String,
    /// For whom it is.
    layer: Layer,
    /// What it shows.
    description: String,
    /// How many tiles it has.
    tile_count: usize,
}

impl From<&Template> for TemplateSummary {
    fn from(template: &Template) -> Self {
        Self {
            slug: template.slug.clone(),
            version: template.version,
            title: template.title.clone(),
            layer: template.layer,
            description: template.description.clone(),
            tile_count: template.tiles.len(),
        }
    }
}

/// All templates, without their tiles. There are few, so they are one page.
#[utoipa::path(
    get, path = "/api/templates", tag = "templates",
    security(("bearer" = ["templates:read"])),
    responses((status = 200, description = "All of them", body = Page<TemplateSummary>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_templates(
    _: Can<TemplatesRead>,
) -> Result<Json<Page<TemplateSummary>>, Problem> {
    let templates = all().map_err(Problem::internal)?;
    Ok(Json(Page {
        items: templates.iter().map(Into::into).collect(),
        next_cursor: None,
    }))
}
