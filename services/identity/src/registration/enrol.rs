//! Storing a tenant and its owner.

use bz_events::NewEvent;
use bz_kernel::{Sources, TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Applicant, RegistrationPolicy, replay};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    audit::{self, Actor, Entry},
    mail::language::Language,
    origin::Origin,
    sessions::issue::{self, Grant, NewSession},
    tenants,
    users::store::{self as users, Account, NewUser},
};

/// The role of whoever made the tenant.
const OWNER: &str = "owner";

/// What became of a registration.
pub(super) enum Enrolled {
    /// A tenant, its owner and a first session.
    LoggedIn(Box<Account>, Grant),
    /// A tenant and its owner, who cannot log in before the address is verified.
    Unverified,
    /// The address has a home already; nothing was stored.
    Taken,
}

/// Why nothing is stored.
enum Refused {
    Taken,
    Db(DbError),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Stores a tenant and its owner with a session, and tells the siblings, all in one transaction.
///
/// Whether the address is taken is asked last, so that the work is the same in both cases.
#[expect(clippy::disallowed_methods, reason = "a tenant that is made here")]
pub(super) async fn enrol(
    app: &AppState,
    applicant: &Applicant,
    password_hash: &str,
    key: Option<&str>,
    origin: &Origin,
    language: Language,
) -> Result<Enrolled, DbError> {
    let tenant = TenantId::trusted(app.core.sources.id::<Uuid>());
    let user: UserId = app.core.sources.id();
    let scope = TenantScope::new(tenant, Some(user));
    let store = async |tx: &mut TenantTx| {
        insert(tx, &app.core.sources, applicant, password_hash, user).await?;
        registered(tx, &app.core.sources, Actor::User(user), user, origin).await?;
        let email = &applicant.email;
        if let Some(locale) = &applicant.locale {
            users::set_locale(tx, user, locale).await?;
        }
        if let Some(key) = key {
            replay::remember(tx, user, key, applicant, app.core.sources.now()).await?;
        }
        if app.config.registration == RegistrationPolicy::Verified {
            // An address that is not verified yet becomes nobody's home: anybody could have typed it.
            if users::has_home(tx, email).await? {
                return Err(Refused::Taken);
            }
            let to = Recipient {
                user,
                email: email.as_str(),
                language: applicant.locale.as_deref().or(Some(language.tag())),
            };
            links::verify_email(tx, app, to, &applicant.tenant_name).await?;
            return Ok(Enrolled::Unverified);
        }
        if !users::claim_home(tx, email, user).await? {
            return Err(Refused::Taken);
        }
        let grant = issue::start(tx, app, &NewSession::with_password(user, origin)).await?;
        let account = users::find(tx, user).await?.ok_or(Refused::Taken)?;
        Ok(Enrolled::LoggedIn(Box::new(account), grant))
    };
    match app
        .core
        .db
        .run("identity.registration.enrol", &scope, store)
        .await
    {
        Ok(enrolled) => Ok(enrolled),
        Err(Refused::Taken) => Ok(Enrolled::Taken),
        Err(Refused::Db(error)) => Err(error),
    }
}

/// Stores the transaction's tenant and its owner, and tells the siblings. Answers the tenant's slug.
pub(super) async fn insert(
    tx: &mut TenantTx,
    sources: &Sources,
    applicant: &Applicant,
    password_hash: &str,
    user: UserId,
) -> Result<String, DbError> {
    let at = sources.now();
    let slug = tenants::store::insert(tx, &applicant.tenant_name, &sources.rng, at).await?;
    let owner = NewUser {
        id: user,
        email: &applicant.email,
        name: applicant.name.as_deref(),
        password_hash,
        role: OWNER,
        at,
    };
    users::insert(tx, &owner).await?;
    tell(tx, sources, user).await?;
    Ok(slug)
}

#[derive(Serialize)]
struct TenantCreated {
    tenant_id: TenantId,
}

#[derive(Serialize)]
struct UserRegistered {
    user_id: UserId,
    role: &'static str,
}

async fn tell(tx: &mut TenantTx, sources: &Sources, user: UserId) -> Result<(), DbError> {
    let data = TenantCreated {
        tenant_id: tx.scope().tenant(),
    };
    let created = NewEvent {
        kind: "tenant.created",
        actor: Some(user),
        data,
    };
    bz_events::append(tx, sources, created).await?;
    let data = UserRegistered {
        user_id: user,
        role: OWNER,
    };
    let registered = NewEvent {
        kind: "user.registered",
        actor: Some(user),
        data,
    };
    bz_events::append(tx, sources, registered).await?;
    Ok(())
}

/// Writes down that the transaction's tenant and its owner came to be.
pub(super) async fn registered(
    tx: &mut TenantTx,
    sources: &Sources,
    actor: Actor,
    user: UserId,
    origin: &Origin,
) -> Result<(), DbError> {
    let tenant = tx.scope().tenant().as_uuid();
    let entry = |action, target, changes| Entry {
        actor,
        action,
        target: Some(target),
        success: true,
        changes,
        origin,
    };
    let created = entry("tenant.created", ("tenant", tenant), json!({}));
    audit::record(tx, sources, created).await?;
    let changes = json!({ "role": OWNER });
    let registered = entry("user.registered", ("user", user.as_uuid()), changes);
    audit::record(tx, sources, registered).await
}
