//! What PUT and PATCH of a user have in common.

use bz_http::Problem;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{ScimUser, WriteUser, store};
use crate::{
    app::AppState,
    changes::{self, By},
    guests,
    members::{self, change},
    roles::rights::Rights,
    scim::granter,
    sessions::store::RevokedBecause,
    users::{self, Email, admin},
};

/// Writes what a directory wants of a user, with all that follows from it. The tenant's memberships are locked, and
/// `before` was read under the lock.
///
/// # Errors
/// 403 `privilege_escalation` for another address of, or access again for, somebody who has more than a directory grants:
/// whoever gets that person's mail could reset the password. 409 `last_owner`.
pub(super) async fn apply(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    before: &ScimUser,
    wanted: &WriteUser,
) -> Result<(), Problem> {
    if before.written == *wanted {
        return Ok(());
    }
    let (id, had) = (before.id, &before.written);
    let member = members::store::find(tx, id).await?;
    let is_moved = had.email != wanted.email;
    if is_moved || (wanted.active && !had.active) {
        let nothing = Rights::default();
        let rights = member.as_ref().map_or(&nothing, |member| &member.rights);
        granter(by.caller).require(&nothing, rights)?;
    }
    if is_moved && let Ok(email) = Email::parse(&wanted.email) {
        admin::create::admit(tx, &email).await?;
    }
    let now = app.core.sources.now();
    store::write(tx, id, wanted, now).await?;
    if had.active != wanted.active {
        let status = if wanted.active { "active" } else { "disabled" };
        admin::store::set_status(tx, id, status, now).await?;
    }
    if !wanted.active {
        change::keep_an_owner(tx, member.as_ref()).await?;
    }
    if is_moved {
        move_home(tx, app, before, wanted).await?;
    }
    guests::store::spread_profile(tx, id, now).await?;
    if is_moved || (had.active && !wanted.active) {
        let because = if is_moved {
            RevokedBecause::EmailChanged
        } else {
            RevokedBecause::UserDisabled
        };
        change::shut_out(tx, app, id, because, by.user()).await?;
    }
    let kind = match (had.active, wanted.active) {
        (true, false) => "user.disabled",
        (false, true) => "user.enabled",
        _ => "user.updated",
    };
    let changes = json!({ "by": "scim", "email_changed": is_moved });
    changes::tell(tx, app, by, kind, ("user", id.as_uuid()), changes).await?;
    Ok(())
}

/// The old address is free for somebody else. Where addresses need not be verified, the tenant becomes the default home of a
/// new one that has none.
async fn move_home(
    tx: &mut TenantTx,
    app: &AppState,
    before: &ScimUser,
    wanted: &WriteUser,
) -> Result<(), Problem> {
    users::store::leave_home(tx, &before.written.email, before.id).await?;
    if let (Ok(email), false) = (
        Email::parse(&wanted.email),
        app.config.registration.needs_verified_email(),
    ) {
        users::store::claim_home(tx, &email, before.id).await?;
    }
    Ok(())
}
