//! What every change of somebody's access has in common: it waits its turn, it leaves the tenant an owner, and it reaches
//! the tokens that are out.

use bz_http::{Errors, Problem};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use uuid::Uuid;

use super::{Member, store};
use crate::{
    app::AppState,
    guests, impersonation,
    revocations::{self, Revoked},
    roles::{
        self,
        rights::{BuiltIn, Rights},
    },
    sessions::store::RevokedBecause,
};

/// The most roles that a member has: tokens list them.
pub(crate) const MOST_ROLES: usize = 20;

/// Roles that somebody is to have.
#[derive(Debug, Default)]
pub(crate) struct WantedRoles {
    /// The built-in one.
    pub(crate) built_in: Option<BuiltIn>,
    /// The tenant's own.
    pub(crate) own: Vec<Uuid>,
    /// What they give together.
    pub(crate) rights: Rights,
}

/// Adds what is wrong with a list of roles, as far as the list itself shows it.
pub(crate) fn check_roles(pointer: &'static str, roles: &[String], errors: &mut Errors) {
    if roles.len() > MOST_ROLES {
        errors.add(pointer, "too_long", "must have at most 20 entries");
    }
    let built_in = roles.iter().filter(|role| BuiltIn::parse(role).is_some());
    if built_in.count() > 1 {
        errors.add(pointer, "ambiguous", "must have at most one built-in role");
    }
}

/// Finds the roles of a list: names of built-in ones, and ids of the tenant's own. They stay as they are until the end of
/// the transaction.
///
/// # Errors
/// 422 for what is no role of the tenant.
pub(crate) async fn resolve(
    tx: &mut TenantTx,
    pointer: &'static str,
    names: &[String],
) -> Result<WantedRoles, Problem> {
    let mut wanted = WantedRoles::default();
    let mut unknown = Errors::default();
    for (at, name) in names.iter().enumerate() {
        match (BuiltIn::parse(name), name.parse()) {
            (Some(role), _) => wanted.built_in = Some(role),
            (None, Ok(id)) => wanted.own.push(id),
            (None, Err(_)) => add_unknown(pointer, at, &mut unknown),
        }
    }
    wanted.own.sort_unstable();
    wanted.own.dedup();
    let found = match wanted.own.as_slice() {
        [] => Vec::new(),
        own => roles::store::find_all(tx, own).await?,
    };
    for (at, name) in names.iter().enumerate() {
        let is_own = name.parse::<Uuid>().is_ok_and(|id| {
            let id = id.to_string();
            found.iter().all(|role| role.id != id)
        });
        if is_own {
            add_unknown(pointer, at, &mut unknown);
        }
    }
    if !unknown.is_empty() {
        return Err(Problem::validation(unknown));
    }
    wanted.rights = Rights {
        built_in: wanted.built_in,
        named: found
            .into_iter()
            .flat_map(|role| role.permissions)
            .collect(),
    };
    Ok(wanted)
}

fn add_unknown(pointer: &'static str, at: usize, errors: &mut Errors) {
    let message = "is neither a built-in role nor the id of a role of the tenant";
    errors.add(format!("{pointer}/{at}"), "unknown_role", message);
}

/// Goes on if the tenant still has an owner who can log in, or had none before either. `before` is the member as they
/// were; call it after the change, with the tenant's memberships locked by [`store::lock_all`].
///
/// # Errors
/// 409 `last_owner`.
pub(crate) async fn keep_an_owner(
    tx: &mut TenantTx,
    before: Option<&Member>,
) -> Result<(), Problem> {
    if before.is_none_or(|member| !member.is_acting_owner()) || store::has_acting_owner(tx).await? {
        return Ok(());
    }
    let detail =
        "The tenant would have no owner who can log in: make somebody else an owner first.";
    Err(Problem::conflict("last_owner", detail))
}

/// Lets a user whose rights have changed refresh their access token, which then carries the new ones. What they do in
/// others' names ends.
pub(crate) async fn refresh_rights(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    by: UserId,
) -> Result<(), DbError> {
    impersonation::end_by(tx, app, user, Some(by)).await?;
    revocations::revoke(tx, &app.core.sources, Revoked::User(user)).await
}

/// Ends all sessions of a user in the tenant, also those in which they act in others' names and those that they have
/// elsewhere as a guest from here, and refuses every access token that is out.
pub(crate) async fn shut_out(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    because: RevokedBecause,
    by: UserId,
) -> Result<usize, DbError> {
    impersonation::end_by(tx, app, user, Some(by)).await?;
    let ended = guests::end_everywhere(tx, app, user, None, because, Some(by)).await?;
    revocations::revoke(tx, &app.core.sources, Revoked::User(user)).await?;
    Ok(ended)
}
