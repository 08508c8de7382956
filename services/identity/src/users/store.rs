//! SQL of users and their memberships. Row-level security confines every statement to the tenant of the transaction.

use bz_kernel::{TenantId, UserId};
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar, types::Json};
use uuid::Uuid;

use super::Email;
use crate::{roles::rights, tenants::policy::Policy};

/// A user with their membership and their tenant: what a login, a refresh and `/auth/me` need to know.
#[derive(Clone)]
pub(crate) struct Account {
    /// The user.
    pub(crate) user: UserId,
    /// The tenant of the transaction that read it.
    pub(crate) tenant: TenantId,
    /// The tenant where the password is: another one for a guest.
    pub(crate) home_tenant: TenantId,
    /// The address, normalised.
    pub(crate) email: String,
    /// What the user wants to be called.
    pub(crate) name: Option<String>,
    /// The language that the user reads, as a tag.
    pub(crate) locale: Option<String>,
    /// Address of a picture.
    pub(crate) picture: Option<String>,
    /// Counts the changes of the user.
    pub(crate) version: i64,
    /// PHC string; `None` for a user who has no password.
    pub(crate) password_hash: Option<String>,
    /// When the user showed that mail reaches them.
    pub(crate) email_verified_at: Option<DateTime<Utc>>,
    /// When the user registered.
    pub(crate) created_at: DateTime<Utc>,
    /// Second factors that a login needs one of.
    pub(crate) mfa: Vec<String>,
    /// The names of the roles in the tenant, built-in and the tenant's own.
    pub(crate) roles: Vec<String>,
    /// What the tenant's own roles add to the built-in one.
    pub(crate) entitlements: Vec<String>,
    /// The tenant's slug.
    pub(crate) tenant_slug: String,
    /// The tenant's name.
    pub(crate) tenant_name: String,
    /// What the tenant asks of those who work in it.
    pub(crate) policy: Policy,
    active: bool,
}

impl Account {
    /// Whether user, membership and tenant all allow the user in, and for a guest user and tenant at home as well.
    pub(crate) const fn is_active(&self) -> bool {
        self.active
    }
}

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    email: String,
    name: Option<String>,
    locale: Option<String>,
    picture: Option<String>,
    version: i64,
    password_hash: Option<String>,
    email_verified_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    mfa: Vec<String>,
    role: Option<String>,
    own_roles: Option<Vec<String>>,
    own_permissions: Option<String>,
    tenant_slug: String,
    tenant_name: String,
    home_tenant_id: Option<Uuid>,
    policy: Json<Policy>,
    active: bool,
}

impl AccountRow {
    #[expect(
        clippy::disallowed_methods,
        reason = "the home of a guest is in a trusted row"
    )]
    fn of(self, tenant: TenantId) -> Account {
        let own_permissions = self.own_permissions.unwrap_or_default();
        let entitlements = rights::entitlements(self.role.as_deref(), &own_permissions);
        let own_roles = self.own_roles.unwrap_or_default();
        Account {
            user: self.id.into(),
            tenant,
            home_tenant: self.home_tenant_id.map_or(tenant, TenantId::trusted),
            email: self.email,
            name: self.name,
            locale: self.locale,
            picture: self.picture,
            version: self.version,
            password_hash: self.password_hash,
            email_verified_at: self.email_verified_at,
            created_at: self.created_at,
            mfa: self.mfa,
            roles: self.role.into_iter().chain(own_roles).collect(),
            entitlements,
            tenant_slug: self.tenant_slug,
            tenant_name: self.tenant_name,
            policy: self.policy.0,
            active: self.active,
        }
    }
}

macro_rules! select_account {
    ($name:literal, $condition:literal) => {
        concat!(
            "-- identity.users.",
            $name,
            "\n\
             SELECT u.id, u.email, u.name, u.locale, u.picture, u.version, u.password_hash, u.email_verified_at, u.created_at, \
                    u.mfa, m.role, own.names AS own_roles, own.permissions AS own_permissions, \
                    t.slug AS tenant_slug, t.name AS tenant_name, u.home_tenant_id, t.policy, \
                    u.status = 'active' AND m.status = 'active' AND t.status = 'active' \
                      AND (coalesce(u.home_tenant_id, u.tenant_id) = u.tenant_id \
                           OR identity.guest_is_welcome(u.home_tenant_id, u.id)) AS active \
             FROM identity.users u \
             JOIN identity.memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id \
             JOIN identity.tenants t ON t.tenant_id = u.tenant_id",
            rights::own_roles!(),
            " WHERE ",
            $condition
        )
    };
}

/// Whose password a login compares. Read with as little work as can be, because an address without one costs less.
pub(crate) struct Candidate {
    /// The user.
    pub(crate) user: UserId,
    /// PHC string; `None` for a user who has no password.
    pub(crate) password_hash: Option<String>,
    /// Whether user, membership and tenant all allow the user in.
    pub(crate) is_active: bool,
    /// Whether there is a second factor that a login needs.
    pub(crate) has_factor: bool,
}

/// A row of `identity.login_candidate`.
type CandidateRow = (Uuid, Option<Uuid>, Option<String>, bool, bool);

/// Whose password a login with this address compares, in the tenant that was named, else in the address's default home; and
/// which tenant that is, the nil one when there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "the tenant that was named, or that of a trusted row"
)]
pub(crate) async fn candidate(
    db: &Db,
    email: &Email,
    named: Option<TenantId>,
) -> Result<(TenantId, Option<Candidate>), DbError> {
    let sql = "-- identity.users.candidate\n\
               SELECT tenant, user_id, password_hash, is_active, has_factor FROM identity.login_candidate($1, $2)";
    let named = named.map(TenantId::as_uuid);
    let found: Option<CandidateRow> = db
        .ask(|| query_as(sql).bind(email.as_str()).bind(named))
        .await?;
    let (tenant, user, password_hash, is_active, has_factor) = found.unwrap_or_default();
    let candidate = user.map(|user| Candidate {
        user: user.into(),
        password_hash,
        is_active,
        has_factor,
    });
    Ok((TenantId::trusted(tenant), candidate))
}

/// The account with this address in the tenant.
pub(crate) async fn find_by_email(
    tx: &mut TenantTx,
    email: &Email,
) -> Result<Option<Account>, DbError> {
    let tenant = tx.scope().tenant();
    let row: Option<AccountRow> = query_as(select_account!("find_by_email", "u.email = $1"))
        .bind(email.as_str())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| row.of(tenant)))
}

/// The account with this id in the tenant.
pub(crate) async fn find(tx: &mut TenantTx, user: UserId) -> Result<Option<Account>, DbError> {
    let tenant = tx.scope().tenant();
    let row: Option<AccountRow> = query_as(select_account!("find", "u.id = $1"))
        .bind(user.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|row| row.of(tenant)))
}

/// Waits for whoever starts a session of the user, ends all of them or changes the user, and lets them wait. Refreshes are
/// not in the way. Before anything else of the user's is locked: two in different orders would wait for each other.
pub(crate) async fn hold(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    query("-- identity.users.hold\nSELECT 1 FROM identity.users WHERE id = $1 FOR NO KEY UPDATE")
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The owners of the tenant.
pub(crate) async fn owners(tx: &mut TenantTx) -> Result<Vec<Account>, DbError> {
    let tenant = tx.scope().tenant();
    let rows: Vec<AccountRow> = query_as(select_account!("owners", "m.role = 'owner'"))
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(|row| row.of(tenant)).collect())
}

/// A user who is about to be stored.
pub(crate) struct NewUser<'a> {
    /// The id, made by us.
    pub(crate) id: UserId,
    /// The address.
    pub(crate) email: &'a Email,
    /// What the user wants to be called.
    pub(crate) name: Option<&'a str>,
    /// PHC string.
    pub(crate) password_hash: &'a str,
    /// The role in the tenant.
    pub(crate) role: &'a str,
    /// Now.
    pub(crate) at: DateTime<Utc>,
}

/// Stores a user and their membership.
pub(crate) async fn insert(tx: &mut TenantTx, user: &NewUser<'_>) -> Result<(), DbError> {
    query(
        "-- identity.users.insert\n\
         INSERT INTO identity.users (id, email, name, password_hash, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(user.id.as_uuid())
    .bind(user.email.as_str())
    .bind(user.name)
    .bind(user.password_hash)
    .bind(user.at)
    .execute(tx.conn())
    .await?;
    join(tx, user.id, user.role, user.at).await
}

/// Makes a user of the transaction's tenant a member of it.
pub(crate) async fn join(
    tx: &mut TenantTx,
    user: UserId,
    role: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.memberships.insert\n\
         INSERT INTO identity.memberships (user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $3)",
    )
    .bind(user.as_uuid())
    .bind(role)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that mail to the user's address reaches them.
pub(crate) async fn verify_email(
    tx: &mut TenantTx,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.users.verify_email\n\
         UPDATE identity.users SET email_verified_at = $2, updated_at = $2 WHERE id = $1",
    )
    .bind(user.as_uuid())
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes the language that a user reads.
pub(crate) async fn set_locale(
    tx: &mut TenantTx,
    user: UserId,
    locale: &str,
) -> Result<(), DbError> {
    query("-- identity.users.set_locale\nUPDATE identity.users SET locale = $2 WHERE id = $1")
        .bind(user.as_uuid())
        .bind(locale)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Replaces a password's hash by a newer one of the same password; nothing happens when the password was changed
/// meanwhile.
pub(crate) async fn replace_hash(
    tx: &mut TenantTx,
    user: UserId,
    old: &str,
    new: &str,
) -> Result<(), DbError> {
    query(
        "-- identity.users.replace_hash\n\
         UPDATE identity.users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
    )
    .bind(user.as_uuid())
    .bind(old)
    .bind(new)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The tenant in which an address logs in by default.
#[expect(
    clippy::disallowed_methods,
    reason = "the directory of homes is a trusted row"
)]
pub(crate) async fn home_of(db: &Db, email: &Email) -> Result<Option<TenantId>, DbError> {
    let sql = "-- identity.users.home_of\nSELECT identity.home_of_email($1)";
    let home: Option<(Option<Uuid>,)> = db.ask(|| query_as(sql).bind(email.as_str())).await?;
    Ok(home.and_then(|(home,)| home).map(TenantId::trusted))
}

/// Makes the tenant of the transaction the default home of an address; false when it has one already.
pub(crate) async fn claim_home(
    tx: &mut TenantTx,
    email: &Email,
    user: UserId,
) -> Result<bool, DbError> {
    let claimed = query_scalar("-- identity.users.claim_home\nSELECT identity.claim_home($1, $2)")
        .bind(email.as_str())
        .bind(user.as_uuid())
        .fetch_one(tx.conn())
        .await?;
    Ok(claimed)
}

/// Gives up the default home of an address, if it is this user's of the transaction's tenant.
pub(crate) async fn leave_home(
    tx: &mut TenantTx,
    address: &str,
    user: UserId,
) -> Result<(), DbError> {
    query("-- identity.users.leave_home\nSELECT identity.leave_home($1, $2)")
        .bind(address)
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whether an address has a default home in any tenant.
pub(crate) async fn has_home(tx: &mut TenantTx, email: &Email) -> Result<bool, DbError> {
    let has =
        query_scalar("-- identity.users.has_home\nSELECT identity.home_of_email($1) IS NOT NULL")
            .bind(email.as_str())
            .fetch_one(tx.conn())
            .await?;
    Ok(has)
}
