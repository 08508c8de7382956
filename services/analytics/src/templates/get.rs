use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Template, TemplatesRead, find,
    needs::{self, Missing},
    store,
};
use crate::app::AppState;

/// A template, and what of the data for it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct TemplateForTenant {
    /// The template.
    template: Template,
    /// The data that it looks at.
    datasets: Vec<WantedDataset>,
    /// What is missing for all of its tiles; empty when nothing is.
    missing: Vec<Missing>,
}

/// Data that a template looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
struct WantedDataset {
    /// The dataset, as `google-ads`.
    dataset: String,
    /// Its name for people.
    label: String,
    /// Whether the tenant has any of it.
    available: bool,
    /// The measures that tiles are made of.
    measures: Vec<String>,
}

/// One template, with what the tenant lacks for it.
#[utoipa::path(
    get, path = "/api/templates/{slug}", tag = "templates",
    security(("bearer" = ["templates:read"])),
    params(("slug" = String, Path, description = "Its name for programs", example = "google-ads")),
    responses((status = 200, description = "It", body = TemplateForTenant), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_template(
    State(app): State<AppState>,
    caller: Can<TemplatesRead>,
    Path(slug): Path<String>,
) -> Result<Json<TemplateForTenant>, Problem> {
    let template = find(&slug).ok_or_else(Problem::not_found)?;
    let wanted = needs::wanted(template);
    let keys: Vec<String> = wanted.keys().cloned().collect();
    let mut tx = app.core.db.read(&caller.scope).await?;
    let have = store::available(&mut tx, &keys).await?;
    let (_, missing) = needs::split(template, &have);
    let datasets = wanted.into_iter().map(|(dataset, measures)| WantedDataset {
        label: needs::label(&dataset),
        available: have.contains_key(&dataset),
        dataset,
        measures: measures.into_iter().collect(),
    });
    Ok(Json(TemplateForTenant {
        template: template.clone(),
        datasets: datasets.collect(),
        missing,
    }))
}
