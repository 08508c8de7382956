use bz_http::Problem;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{ScimGroup, WriteGroup, apply::set_members};
use crate::{
    app::AppState,
    changes::{self, By},
    roles,
};

/// Deletes a group; its members lose what it allows.
pub(super) async fn delete(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    before: &ScimGroup,
) -> Result<(), Problem> {
    let empty = WriteGroup {
        members: Default::default(),
        ..before.written.clone()
    };
    set_members(tx, app, by, before, &empty).await?;
    roles::store::delete(tx, before.id).await?;
    let changes = json!({ "by": "scim", "name": before.written.display_name });
    let target = ("role", before.id.as_uuid());
    changes::tell(tx, app, by, "role.deleted", target, changes).await?;
    Ok(())
}
