use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ActivitiesRead, Activity, ActivityType};
use crate::{app::AppState, records::list};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListActivities {
    /// Only activities of this type.
    r#type: Option<ActivityType>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's activities, the last written first.
#[utoipa::path(
    get, path = "/api/activities", tag = "activities",
    security(("bearer" = ["activities:read"])),
    params(ListActivities),
    responses((status = 200, description = "One page", body = Page<Activity>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_activities(
    State(app): State<AppState>,
    caller: Can<ActivitiesRead>,
    Query(query): Query<ListActivities>,
) -> Result<Json<Page<Activity>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let kind = query.r#type.map(ActivityType::as_str);
    list::page(&app, &caller, page, &[("type", kind)]).await
}
