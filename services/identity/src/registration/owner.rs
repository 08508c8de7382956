//! The operator's way to a first account, where nobody may register or no mail is sent.

use bz_http::{Problem, validated};
use bz_kernel::{ExposeSecret, SecretString, Sources, TenantId, UserId};
use bz_tenant::{Db, DbError, TenantScope};
use uuid::Uuid;

use super::{Applicant, RegisterRequest, enrol};
use crate::{
    audit::Actor, origin::Origin, passwords::Passwords, problems::overloaded, users::store as users,
};

/// Whom [`create_owner`] makes.
#[derive(Debug)]
pub struct NewOwner {
    /// The address, which is the login name.
    pub email: String,
    /// The password, under the same rules as in a registration.
    pub password: SecretString,
    /// What the owner wants to be called.
    pub name: Option<String>,
    /// Name of the tenant; the owner's name or the address when left out.
    pub tenant_name: Option<String>,
}

/// Makes a tenant and its owner, whose address counts as verified: the operator answers for it. Answers the tenant's slug.
///
/// # Errors
/// 422 with everything that is wrong, 409 `email_taken` for an address that has a home already.
pub async fn create_owner(db: &Db, sources: &Sources, owner: NewOwner) -> Result<String, Problem> {
    let request = RegisterRequest {
        email: owner.email,
        password: owner.password.expose_secret().to_owned(),
        name: owner.name,
        tenant_name: owner.tenant_name,
        locale: None,
    };
    let applicant = Applicant::try_from(validated(request)?)?;
    let passwords = Passwords::new(sources.rng.clone(), 1);
    let hash = passwords
        .hash(&applicant.password)
        .await
        .map_err(overloaded)?;
    store(db, sources, &applicant, &hash)
        .await?
        .ok_or_else(|| Problem::conflict("email_taken", "This address has a tenant already."))
}

/// The slug; none for an address that is taken.
#[expect(clippy::disallowed_methods, reason = "a tenant that is made here")]
async fn store(
    db: &Db,
    sources: &Sources,
    applicant: &Applicant,
    hash: &str,
) -> Result<Option<String>, DbError> {
    let user: UserId = sources.id();
    let scope = TenantScope::new(TenantId::trusted(sources.id::<Uuid>()), Some(user));
    let mut tx = db.tenant(&scope).await?;
    let slug = enrol::insert(&mut tx, sources, applicant, hash, user).await?;
    users::verify_email(&mut tx, user, sources.now()).await?;
    if !users::claim_home(&mut tx, &applicant.email, user).await? {
        return Ok(None);
    }
    enrol::registered(&mut tx, sources, Actor::System, user, &Origin::default()).await?;
    tx.commit().await?;
    Ok(Some(slug))
}
