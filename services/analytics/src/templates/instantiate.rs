use axum::{extract::State, http::StatusCode, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Path, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Template, find,
    needs::{self, Missing},
    store,
};
use crate::{
    app::AppState,
    dashboards::{
        Dashboard, DashboardsWrite, MadeOf, Tile, View, WantedDashboard, boards, check,
        create::made,
    },
};

/// How the dashboard differs from the template.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Advertising on Google", "skip_missing": true }))]
pub(super) struct InstantiateTemplate {
    /// Its name, 1 to 120 characters; the template's when not given.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Days, time zone, comparison and filters; the template's when not given.
    view: Option<View>,
    /// Whether to leave out tiles for which there is no data, instead of making nothing.
    #[serde(default)]
    skip_missing: bool,
}

impl Validate for InstantiateTemplate {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check::text(errors, "/name", name, 1, 120);
        }
        if let Some(view) = &self.view {
            check::view(errors, "/view", view);
        }
    }
}

/// A dashboard made of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Instantiated {
    /// The dashboard.
    dashboard: Dashboard,
    /// What was missing for the tiles that were left out.
    missing: Vec<Missing>,
}

/// Make a dashboard of a template.
///
/// When there is no data for some of its tiles the answer is 422 and its `missing` lists what to connect, by dataset; with
/// `skip_missing` those tiles are left out. With an `Idempotency-Key` the same request may be sent again.
#[utoipa::path(
    post, path = "/api/templates/{slug}/instantiate", tag = "templates",
    security(("bearer" = ["dashboards:write"])),
    params(("slug" = String, Path, description = "Its name for programs", example = "google-ads"), IdempotencyKey),
    request_body = InstantiateTemplate,
    responses(
        (status = 201, description = "The dashboard", body = Instantiated,
         headers(("ETag" = String, description = "The dashboard's version"))),
        (status = 404, description = "No such template", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn instantiate_template(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(slug): Path<String>,
    key: IdempotencyKey,
    Json(wanted): Json<InstantiateTemplate>,
) -> Result<Response, Problem> {
    let template = find(&slug).ok_or_else(Problem::not_found)?;
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "templates.instantiate",
        &(&slug, &wanted),
        async |tx| {
            let keys: Vec<String> = needs::wanted(template).into_keys().collect();
            let have = store::available(tx, &keys).await?;
            let (tiles, missing) = needs::split(template, &have);
            if tiles.is_empty() || (!missing.is_empty() && !wanted.skip_missing) {
                return Err(lacking(&missing));
            }
            let made_of = MadeOf {
                slug: slug.clone(),
                version: template.version,
            };
            let dashboard = made(
                sources,
                &caller,
                wanted.clone().of(template, tiles),
                Some(made_of),
            );
            boards::insert(tx, &dashboard).await?;
            Ok(Instantiated { dashboard, missing })
        },
    )
    .await?;
    Ok(created.into_response_with(|made| made.dashboard.version))
}

impl InstantiateTemplate {
    fn of(self, template: &Template, tiles: Vec<Tile>) -> WantedDashboard {
        WantedDashboard {
            name: self.name.unwrap_or_else(|| template.title.clone()),
            description: template.description.clone(),
            view: self.view.unwrap_or_else(|| template.view.clone()),
            tiles: closed_up(tiles),
        }
    }
}

/// Moves tiles up where rows are empty because tiles were left out.
fn closed_up(mut tiles: Vec<Tile>) -> Vec<Tile> {
    tiles.sort_by_key(|tile| (tile.layout.y, tile.layout.x));
    let (mut shift, mut bottom) = (0, 0);
    for tile in &mut tiles {
        let top = tile.layout.y;
        if top > bottom {
            shift += top - bottom;
        }
        bottom = bottom.max(top + u16::from(tile.layout.h));
        tile.layout.y = top - shift;
    }
    tiles
}

/// 422: what there has to be before a dashboard can be made of the template.
fn lacking(missing: &[Missing]) -> Problem {
    let named: Vec<&str> = missing
        .iter()
        .map(|missing| missing.label.as_str())
        .collect();
    let detail = format!(
        "There is no data of {}. Connect a source of it, or send skip_missing to leave out its tiles.",
        named.join(", ")
    );
    let title = "The template needs data that is not there";
    let problem =
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "data_missing", title).detail(detail);
    let list = serde_json::to_value(missing).unwrap_or_default();
    missing
        .iter()
        .fold(problem.member("missing", list), |problem, missing| {
            let message = format!("{} lacks {}", missing.label, missing.measures.join(", "));
            problem.error("", "data_missing", message)
        })
}
