use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    activities::{ActivitiesRead, Activity, ActivityType},
    app::AppState,
    records::{
        filter::{Filter, Op, Test},
        pages,
    },
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListNotes {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's notes, the last written first.
#[utoipa::path(
    get, path = "/api/notes", tag = "notes",
    security(("bearer" = ["activities:read"])),
    params(ListNotes),
    responses((status = 200, description = "One page", body = Page<Activity>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_notes(
    State(app): State<AppState>,
    caller: Can<ActivitiesRead>,
    Query(query): Query<ListNotes>,
) -> Result<Json<Page<Activity>>, Problem> {
    let page = PageQuery::new(query.limit, query.cursor);
    let notes = Filter::Test(Test {
        field: "type".to_owned(),
        op: Op::Eq,
        value: ActivityType::Note.as_str().into(),
    });
    pages::filtered(&app, &caller, page, ("notes", &notes)).await
}
