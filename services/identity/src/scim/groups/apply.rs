//! What all changes of a group have in common.

use bz_http::Problem;
use bz_tenant::TenantTx;
use serde_json::json;
use uuid::Uuid;

use super::{ScimGroup, WriteGroup, no_member, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members::change::{self, MOST_ROLES},
    roles::rights::Rights,
    scim::{error::bad_request, granter},
};

/// Writes what a directory wants of a group, with all that follows from it. The tenant's memberships are locked, and
/// `before` was read under the lock.
///
/// # Errors
/// 403 `privilege_escalation` for new members of a group that allows more than a directory grants.
pub(super) async fn apply(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    before: &ScimGroup,
    wanted: &WriteGroup,
) -> Result<(), Problem> {
    if before.written == *wanted {
        return Ok(());
    }
    let (id, now) = (before.id, app.core.sources.now());
    store::write(tx, id, wanted, now).await?;
    let (added, removed) = set_members(tx, app, by, before, wanted).await?;
    let changes = json!({
        "by": "scim", "name": [before.written.display_name, wanted.display_name], "added": added, "removed": removed,
    });
    changes::tell(tx, app, by, "role.updated", ("role", id.as_uuid()), changes).await?;
    Ok(())
}

/// Puts members in and takes them out; answers whom.
pub(super) async fn set_members(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    before: &ScimGroup,
    wanted: &WriteGroup,
) -> Result<(Vec<Uuid>, Vec<Uuid>), Problem> {
    let (id, had) = (before.id, &before.written.members);
    let added: Vec<Uuid> = wanted.members.difference(had).copied().collect();
    let removed: Vec<Uuid> = had.difference(&wanted.members).copied().collect();
    if !added.is_empty() {
        granter(by.caller).require(&Rights::default(), &before.rights)?;
        if !store::add_members(tx, id, &added, app.core.sources.now()).await? {
            return Err(no_member());
        }
        // One is left for the built-in role.
        if let Some(user) = store::with_too_many(tx, &added, MOST_ROLES - 1).await? {
            let detail = format!("The user {user} would have too many roles.");
            return Err(bad_request("invalidValue", detail));
        }
    }
    if !removed.is_empty() {
        store::remove_members(tx, id, &removed).await?;
    }
    for user in added.iter().chain(&removed) {
        change::refresh_rights(tx, app, (*user).into(), by.user()).await?;
    }
    Ok((added, removed))
}
