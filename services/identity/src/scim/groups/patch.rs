use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query};
use bz_kernel::RoleId;
use http::StatusCode;

use super::{SHAPE, WriteGroup, apply::apply, store};
use crate::{
    app::AppState,
    changes::By,
    members,
    origin::Origin,
    scim::{ScimManage, answer, body::ScimBody, patch, query::ScimQuery},
};

/// Change a group (RFC 7644 section 3.5.2).
pub(in crate::scim) async fn patch_group(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<RoleId>,
    Query(query): Query<ScimQuery>,
    if_match: IfMatch,
    origin: Origin,
    ScimBody(request): ScimBody,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    members::store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let mut resource = before.written.to_resource(&app);
    patch::apply(&mut resource, &SHAPE, &request)?;
    let wanted = WriteGroup::read(&resource)?;
    let by = By::new(&caller, &origin);
    let group = apply(&mut tx, &app, by, before, &wanted).await?;
    tx.commit().await?;
    app.wake();
    let json = group.to_json(&app);
    Ok(answer::resource(
        StatusCode::OK,
        group.version,
        json,
        &query,
    ))
}
