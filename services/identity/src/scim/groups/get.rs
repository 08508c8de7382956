use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem, Query};
use bz_kernel::RoleId;
use http::StatusCode;

use super::store;
use crate::{
    app::AppState,
    scim::{ScimManage, answer, query::ScimQuery},
};

/// A group (RFC 7644 section 3.4.1).
pub(in crate::scim) async fn get_group(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<RoleId>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let group = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let json = group.to_json(&app);
    Ok(answer::resource(
        StatusCode::OK,
        group.version,
        json,
        &query,
    ))
}
