use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, IfNoneMatch, Json, Path, Problem, ProblemDocument, Query, extract};
use bz_tenant::TenantTx;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ChartKind, Dashboard, DashboardId, DashboardsRead, Layout, Tile, TileQuery, View, answer_tiles,
    boards, check,
};
use crate::{
    alerts::{self, AlertsRead, FiringAlert},
    app::AppState,
    query::{Align, Compare, Effort, Frame, Preset, Range},
    version,
};

/// What to show instead of the dashboard's own view; what is missing stays.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DataQuery {
    /// A period that moves with today.
    preset: Option<Preset>,
    /// First day; needs `to`.
    from: Option<NaiveDate>,
    /// Last day, included; needs `from`.
    to: Option<NaiveDate>,
    /// IANA time zone of the days.
    #[param(example = "Europe/Berlin")]
    timezone: Option<String>,
    /// `none`, `previous_period` or `previous_year`.
    #[param(value_type = Option<String>, example = "previous_period")]
    compare: Option<Compare>,
    /// Whether the days compared have the same dates or the same days of the week.
    #[param(inline)]
    compare_align: Option<Align>,
    /// Filters as a JSON list: `[{"dimension":"country","operator":"in","values":["DE"]}]`.
    filters: Option<String>,
}

/// The answers of all tiles, from one snapshot of the data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DashboardData {
    /// The dashboard's name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What the tiles were asked for.
    pub view: View,
    /// When the numbers were read.
    pub as_of: DateTime<Utc>,
    /// Version of the tenant's data.
    pub data_version: i64,
    /// The tiles, in the dashboard's order.
    pub tiles: Vec<AnsweredTile>,
}

/// A tile and its answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnsweredTile {
    /// The tile's name for programs.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// How the answer is drawn.
    pub chart: ChartKind,
    /// What was asked.
    pub query: TileQuery,
    /// Where it stands.
    pub layout: Layout,
    /// Its numbers.
    pub frame: Option<Frame>,
    /// Why it has none.
    #[schema(value_type = Option<ProblemDocument>)]
    pub problem: Option<serde_json::Value>,
    /// Alerts that fire for its metrics, or for a part of what it shows; for who may see alerts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub alerts: Vec<FiringAlert>,
}

/// The numbers of a dashboard: all tiles in one request and from one snapshot.
///
/// A tile that cannot be answered has its own `problem`; the others have their numbers. The `ETag` stays while data, dashboard,
/// view and the current quarter of an hour do; there is none while the database did not answer for a tile (its `status` is 503).
#[utoipa::path(
    get, path = "/api/dashboards/{id}/data", tag = "dashboards",
    security(("bearer" = ["dashboards:read"])),
    params(("id" = DashboardId, Path, description = "The dashboard"), DataQuery, IfNoneMatch),
    responses(
        (status = 200, description = "The tiles with their numbers", body = DashboardData,
         headers(("ETag" = String, description = "Version of the answer"))),
        (status = 304, description = "The answer is the one that the client has"),
        (status = 404, description = "Not there, or another tenant's", body = ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn get_dashboard_data(
    State(app): State<AppState>,
    caller: Can<DashboardsRead>,
    Path(id): Path<DashboardId>,
    headers: HeaderMap,
    Query(query): Query<DataQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.snapshot(&caller.scope).await?;
    let mut dashboard = boards::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    dashboard.view = query.onto(dashboard.view)?;
    let alerts = if caller.permissions.has::<AlertsRead>() {
        alerts::firing(&mut tx).await?
    } else {
        Vec::new()
    };
    answered(
        &mut tx,
        app.core.sources.now(),
        (dashboard, &alerts),
        &headers,
    )
    .await
}

/// The numbers of a dashboard and what is wrong with them, or 304 when the client has them.
pub(crate) async fn answered(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    (dashboard, alerts): (Dashboard, &[FiringAlert]),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let data_version = version::current(tx).await?;
    let tag = etag(&dashboard, alerts, data_version, now)?;
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let mut data = read(tx, now, dashboard).await?;
    for tile in &mut data.tiles {
        tile.tell(alerts, &data.view);
    }
    let is_whole = data.tiles.iter().all(|tile| !tile.has_failed());
    let mut response = Json(data).into_response();
    if is_whole {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The numbers of a dashboard.
pub(crate) async fn read(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    dashboard: Dashboard,
) -> Result<DashboardData, Problem> {
    let data_version = version::current(tx).await?;
    let answers = answer_tiles(tx, now, &dashboard.tiles, &dashboard.view, Effort::AtOnce).await;
    let tiles = dashboard.tiles.into_iter().zip(answers);
    Ok(DashboardData {
        name: dashboard.name,
        description: dashboard.description,
        view: dashboard.view,
        as_of: now,
        data_version,
        tiles: tiles
            .map(|(tile, answer)| AnsweredTile::of(tile, answer))
            .collect(),
    })
}

impl AnsweredTile {
    /// Whether it has no numbers though it could have: whoever asks again gets them.
    fn has_failed(&self) -> bool {
        let status = self.problem.as_ref().map(|problem| &problem["status"]);
        status.is_some_and(|status| status.as_u64() >= Some(500))
    }

    fn tell(&mut self, alerts: &[FiringAlert], view: &View) {
        if let TileQuery::Numbers(query) = &self.query {
            let filters: Vec<_> = view.filters.iter().chain(&query.filters).collect();
            let about = |alert: &&FiringAlert| alert.is_about(&query.metrics, &filters);
            self.alerts = alerts.iter().filter(about).cloned().collect();
        }
    }

    fn of(tile: Tile, answer: Result<Frame, Problem>) -> Self {
        let (frame, problem) = match answer {
            Ok(frame) => (Some(frame), None),
            Err(problem) => {
                if problem.status().is_server_error() {
                    tracing::warn!(tile = tile.id, problem = ?problem, "a tile could not be answered");
                }
                (None, serde_json::to_value(problem.document()).ok())
            }
        };
        Self {
            id: tile.id,
            title: tile.title,
            chart: tile.chart,
            query: tile.query,
            layout: tile.layout,
            frame,
            problem,
            alerts: Vec::new(),
        }
    }
}

/// What an answer depends on: data, dashboard, view, alerts that fire, and how far the day has come (numbers of a day that is not over are
/// compared with as much of the day before).
fn etag(
    dashboard: &Dashboard,
    alerts: &[FiringAlert],
    data_version: i64,
    now: DateTime<Utc>,
) -> Result<HeaderValue, Problem> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let view = serde_json::to_string(&dashboard.view).map_err(Problem::internal)?;
    (view, dashboard.version, now.timestamp() / 900).hash(&mut hasher);
    for alert in alerts {
        (alert.id, alert.since, &alert.name).hash(&mut hasher);
    }
    let text = format!("\"{data_version}-{:016x}\"", hasher.finish());
    HeaderValue::from_str(&text).map_err(Problem::internal)
}

impl DataQuery {
    /// The view with what the request says.
    fn onto(self, mut view: View) -> Result<View, Problem> {
        let faulty = |name: &'static str, message: &str| {
            Problem::invalid_parameter(name, "invalid_value", message.to_owned())
        };
        view.range = match (self.preset, self.from, self.to) {
            (None, None, None) => view.range,
            (Some(preset), None, None) => Range::Preset { preset },
            (None, Some(from), Some(to)) => Range::Days { from, to },
            (None, None, Some(_)) => return Err(faulty("from", "is needed with to")),
            (None, Some(_), None) => return Err(faulty("to", "is needed with from")),
            (Some(_), ..) => return Err(faulty("preset", "cannot stand beside from and to")),
        };
        view.timezone = self.timezone.or(view.timezone);
        view.compare = self.compare.unwrap_or(view.compare);
        view.compare_align = self.compare_align.unwrap_or(view.compare_align);
        if let Some(filters) = self.filters {
            view.filters = extract::parse(filters.as_bytes())
                .map_err(|_| faulty("filters", "must be a JSON list of filters"))?;
        }
        let mut errors = Errors::default();
        check::view(&mut errors, "", &view);
        let Some(first) = Vec::from(errors).into_iter().next() else {
            return Ok(view);
        };
        let pointer = first.pointer.unwrap_or_default();
        let name = match pointer.split('/').nth(1) {
            Some("range") => "from",
            Some("timezone") => "timezone",
            Some("compare") => "compare",
            _ => "filters",
        };
        Err(Problem::invalid_parameter(name, first.code, first.message))
    }
}
