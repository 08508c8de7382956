use bz_http::Problem;
use bz_kernel::RoleId;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{ScimGroup, WriteGroup, apply::set_members, store};
use crate::{
    app::AppState,
    changes::{self, By},
    scim::resource::Resource,
};

/// Makes a group, which allows nothing until somebody gives it permissions.
pub(super) async fn create(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    group: &WriteGroup,
) -> Result<RoleId, Problem> {
    let id: RoleId = app.core.sources.id();
    store::insert(tx, id, group, app.core.sources.now()).await?;
    let empty = ScimGroup::find(tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (added, _) = set_members(tx, app, by, &empty, group).await?;
    let changes = json!({ "by": "scim", "name": group.display_name, "added": added });
    changes::tell(tx, app, by, "role.created", ("role", id.as_uuid()), changes).await?;
    Ok(id)
}
