use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Problem, Query};
use bz_kernel::RoleId;
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;

use super::{ScimGroup, WriteGroup, apply::set_members, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members,
    origin::Origin,
    scim::{ScimManage, answer, body::ScimBody, query::ScimQuery},
};

/// Make a group, which allows nothing until somebody gives it permissions (RFC 7644 section 3.3).
pub(in crate::scim) async fn create_group(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Query(query): Query<ScimQuery>,
    origin: Origin,
    ScimBody(resource): ScimBody,
) -> Result<Response, Problem> {
    let group = WriteGroup::read(&resource)?;
    let by = By::new(&caller, &origin);
    let create = async |tx: &mut TenantTx| create(tx, &app, by, &group).await;
    let run = app
        .core
        .db
        .run("identity.scim.create_group", &caller.scope, create);
    let created = run.await?;
    app.wake();
    let (version, json) = (created.version, created.to_json(&app));
    Ok(answer::resource(StatusCode::CREATED, version, json, &query))
}

async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    group: &WriteGroup,
) -> Result<ScimGroup, Problem> {
    members::store::lock_all(tx).await?;
    let id: RoleId = app.core.sources.id();
    store::insert(tx, id, group, app.core.sources.now()).await?;
    let empty = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    let (added, _) = set_members(tx, app, by, &empty, group).await?;
    let changes = json!({ "by": "scim", "name": group.display_name, "added": added });
    changes::tell(tx, app, by, "role.created", ("role", id.as_uuid()), changes).await?;
    store::find(tx, id).await?.ok_or_else(Problem::not_found)
}
