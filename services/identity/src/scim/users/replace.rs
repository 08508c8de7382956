use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query};
use bz_kernel::UserId;
use http::StatusCode;

use super::{WriteUser, apply::apply, store};
use crate::{
    app::AppState,
    changes::By,
    members,
    origin::Origin,
    scim::{ScimManage, answer, body::ScimBody, query::ScimQuery},
};

/// Write a user anew (RFC 7644 section 3.5.1).
pub(in crate::scim) async fn replace_user(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<UserId>,
    Query(query): Query<ScimQuery>,
    if_match: IfMatch,
    origin: Origin,
    ScimBody(resource): ScimBody,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    members::store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let wanted = WriteUser::read(&resource)?;
    let by = By::new(&caller, &origin);
    let user = apply(&mut tx, &app, by, before, &wanted).await?;
    tx.commit().await?;
    app.wake();
    let json = user.to_json(&app);
    Ok(answer::resource(StatusCode::OK, user.version, json, &query))
}
