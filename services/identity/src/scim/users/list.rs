use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Problem, Query};

use super::store;
use crate::{
    app::AppState,
    scim::{ScimManage, answer, query::ScimQuery},
};

/// The users that pass a filter, in the order of their making unless another one is wanted (RFC 7644
/// section 3.4.2).
pub(in crate::scim) async fn list_users(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let wanted = query.wanted()?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (total, users) = store::list(&mut tx, &wanted).await?;
    let items = users.iter().map(|user| user.to_json(&app)).collect();
    Ok(answer::list(total, wanted.start, items, &query))
}
