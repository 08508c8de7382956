use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Path, Problem, Query};
use bz_kernel::UserId;
use http::StatusCode;

use super::store;
use crate::{
    app::AppState,
    scim::{ScimManage, answer, query::ScimQuery},
};

/// A user (RFC 7644 section 3.4.1).
pub(in crate::scim) async fn get_user(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<UserId>,
    Query(query): Query<ScimQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let user = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let json = user.to_json(&app);
    Ok(answer::resource(StatusCode::OK, user.version, json, &query))
}
