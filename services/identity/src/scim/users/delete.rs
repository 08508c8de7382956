use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;

use crate::{
    app::AppState,
    changes::{self, By},
    members::{self, change},
    sessions::store::RevokedBecause,
    users::admin,
};

/// Deletes a user. Whoever leaves the directory is out at once, whatever they were, but for the last owner.
pub(super) async fn delete(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    id: UserId,
) -> Result<(), Problem> {
    let member = members::store::find(tx, id).await?;
    let because = RevokedBecause::UserDeleted;
    change::shut_out(tx, app, id, because, by.user()).await?;
    admin::store::delete(tx, id, app.core.sources.now()).await?;
    change::keep_an_owner(tx, member.as_ref()).await?;
    let changes = json!({ "by": "scim" });
    changes::tell(tx, app, by, "user.deleted", ("user", id.as_uuid()), changes).await?;
    Ok(())
}
