use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{GroupBy, Sum, UsageRead, store};
use crate::app::AppState;

/// Days that are summed when a request does not say.
const DAYS: u64 = 30;

/// What to sum.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListUsage {
    /// The first day; 30 days before the last one when not given.
    from: Option<NaiveDate>,
    /// The last day; today, in UTC, when not given.
    to: Option<NaiveDate>,
    /// By what: `day` when not given.
    group_by: Option<GroupBy>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was used of the models, summed by day, user, crew, provider or model.
#[utoipa::path(
    get, path = "/api/usage", tag = "usage",
    security(("bearer" = ["usage:read"])),
    params(ListUsage),
    responses((status = 200, description = "One page", body = Page<Sum>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_usage(
    State(app): State<AppState>,
    caller: Can<UsageRead>,
    Query(query): Query<ListUsage>,
) -> Result<Json<Page<Sum>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let to = query
        .to
        .unwrap_or_else(|| app.core.sources.now().date_naive());
    let from = query
        .from
        .unwrap_or_else(|| to.checked_sub_days(Days::new(DAYS)).unwrap_or(to));
    if from > to {
        return Err(Problem::invalid_parameter(
            "from",
            "out_of_range",
            "must not be after to",
        ));
    }
    let by = query.group_by.unwrap_or_default();
    let list = format!("usage {by:?} {from} {to}");
    let page = PageQuery::new(query.limit, query.cursor).open::<String>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let sums = store::sums(&mut tx, by, (from, to), page.after, page.limit).await?;
    Ok(Json(Page::cut(sums, page.limit, |last: &Sum| {
        cursors.seal(tenant, &list, &last.key)
    })))
}
