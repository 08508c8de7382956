use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Problem, Query};

use super::store;
use crate::{
    app::AppState,
    scim::{ScimManage, answer, query::ScimQuery},
};

/// The users that pass a filter, in the order of their making (RFC 7644 section 3.4.2).
pub(in crate::scim) async fn list_users(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let (filter, start, count) = (query.filter()?, query.start(), query.count());
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (total, users) = store::list(&mut tx, filter.as_ref(), start, count).await?;
    let items = users.iter().map(|user| user.to_json(&app)).collect();
    Ok(answer::list(total, start, items, &query))
}
