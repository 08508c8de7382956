//! Becoming a member by an invitation, in one transaction of the tenant.

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{OnConstraint, TenantScope, TenantTx};
use http::StatusCode;
use serde_json::json;

use super::{
    already_member, create,
    store::{self, Found},
    token, token_invalid,
};
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    credential::Credential,
    guests::{self, carry, home_of},
    origin::Origin,
    sessions::issue::{self, Grant, NewSession},
    tenants::policy,
    users::{
        Email,
        store::{self as users, Account, NewUser},
    },
};

/// Somebody else took the address at the same moment.
const ADDRESS_KEY: &str = "users_tenant_email_key";

/// A user who is about to be made.
pub(super) struct Newcomer {
    /// What the user wants to be called.
    pub(super) name: Option<String>,
    /// PHC string.
    pub(super) password_hash: String,
}

/// Makes a caller of another tenant a guest of this one.
pub(super) async fn as_guest(
    app: &AppState,
    token: &Credential,
    caller: &Caller,
    origin: &Origin,
) -> Result<(Account, Grant), Problem> {
    let address = own_address(app, caller).await?;
    let scope = TenantScope::new(token.tenant, Some(caller.user));
    let mut tx = app.core.db.tenant(&scope).await?;
    let held = carry::hold(&mut tx, app, caller).await?;
    let found = take(&mut tx, app, token).await?;
    if found.invitation.email != address {
        return Err(email_mismatch());
    }
    if store::is_member(&mut tx, &address, Some(caller.user)).await? {
        return Err(already_member());
    }
    carry::admit(&found.policy, &held, origin)?;
    let now = app.core.sources.now();
    let joined = guests::store::add_guest(&mut tx, home_of(caller), caller.user, now).await;
    if !joined.on_constraint(ADDRESS_KEY, already_member)? {
        return Err(already_member());
    }
    users::join(&mut tx, caller.user, role_of(&found), now).await?;
    let account = account(&mut tx, caller.user).await?;
    let grant = carry::start(&mut tx, app, caller, &held, origin).await?;
    accepted(&mut tx, app, Actor::of(caller), caller.user, &found, origin).await?;
    tx.commit().await?;
    Ok((account, grant))
}

/// Makes a user of this tenant, whose address the token has shown to be theirs.
pub(super) async fn as_user(
    app: &AppState,
    token: &Credential,
    newcomer: &Newcomer,
    origin: &Origin,
) -> Result<(Account, Grant), Problem> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let user: UserId = sources.id();
    let scope = TenantScope::new(token.tenant, Some(user));
    let mut tx = app.core.db.tenant(&scope).await?;
    let found = take(&mut tx, app, token).await?;
    policy::admit(&found.policy, origin)?;
    if store::is_member(&mut tx, &found.invitation.email, None).await? {
        return Err(already_member());
    }
    let email = Email::parse(&found.invitation.email).map_err(|_| token_invalid())?;
    let new = NewUser {
        id: user,
        email: &email,
        name: newcomer.name.as_deref(),
        password_hash: &newcomer.password_hash,
        role: role_of(&found),
        at: now,
    };
    let inserted = users::insert(&mut tx, &new).await;
    inserted.on_constraint(ADDRESS_KEY, already_member)?;
    users::verify_email(&mut tx, user, now).await?;
    // The first tenant of an address is the one that a login without a tenant means.
    users::claim_home(&mut tx, &email, user).await?;
    let account = account(&mut tx, user).await?;
    let grant = issue::start(&mut tx, app, &NewSession::with_password(user, origin)).await?;
    accepted(&mut tx, app, Actor::User(user), user, &found, origin).await?;
    tx.commit().await?;
    Ok((account, grant))
}

/// The address of a caller, as it is now.
async fn own_address(app: &AppState, caller: &Caller) -> Result<String, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let account = users::find(&mut tx, caller.user).await?;
    account
        .filter(Account::is_active)
        .map(|account| account.email)
        .ok_or_else(Problem::unauthenticated)
}

/// The invitation, locked: of several who send its token at once, the first gets it and the others find it used.
async fn take(tx: &mut TenantTx, app: &AppState, token: &Credential) -> Result<Found, Problem> {
    let found = store::lock(tx, token.id, app.core.sources.now()).await?;
    let found = found
        .filter(|found| token::opens(token, found))
        .ok_or_else(token_invalid)?;
    let email = Email::parse(&found.invitation.email).map_err(|_| token_invalid())?;
    create::takes(&found.policy, &email)?;
    Ok(found)
}

fn role_of(found: &Found) -> &str {
    found
        .invitation
        .roles
        .first()
        .map_or("viewer", String::as_str)
}

async fn account(tx: &mut TenantTx, user: UserId) -> Result<Account, Problem> {
    let account = users::find(tx, user).await?;
    account.filter(Account::is_active).ok_or_else(token_invalid)
}

async fn accepted(
    tx: &mut TenantTx,
    app: &AppState,
    actor: Actor,
    user: UserId,
    found: &Found,
    origin: &Origin,
) -> Result<(), Problem> {
    let sources = &app.core.sources;
    store::accept(tx, found.invitation.id, user, sources.now()).await?;
    let data = json!({
        "user_id": user, "invitation_id": found.invitation.id, "roles": found.invitation.roles,
    });
    let change = Change {
        actor,
        kind: "member.joined",
        target: ("user", user.as_uuid()),
        changes: data.clone(),
        data,
        origin,
    };
    changes::record(tx, sources, change).await?;
    Ok(())
}

fn email_mismatch() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "invitation_email_mismatch",
        "The invitation is for another address",
    )
    .detail("Log in with the address that was invited, or log out and choose a password.")
}
