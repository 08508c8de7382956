use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Problem, Query};

use super::store;
use crate::{
    app::AppState,
    scim::{ScimManage, answer, query::ScimQuery},
};

/// The groups that pass a filter, in the order of their making unless another one is wanted (RFC 7644
/// section 3.4.2).
pub(in crate::scim) async fn list_groups(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let wanted = query.wanted()?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let (total, groups) = store::list(&mut tx, &wanted).await?;
    let items = groups.iter().map(|group| group.to_json(&app)).collect();
    Ok(answer::list(total, wanted.start, items, &query))
}
