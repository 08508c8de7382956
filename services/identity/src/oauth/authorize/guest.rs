//! People of another tenant who log in to an application of this one, where they are guests. Their password and their second
//! factor are at home, so they are compared there, by the same rules as for everybody; the session begins here.

use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use sqlx::query_scalar;
use uuid::Uuid;

use super::super::pages::Refusal;
use crate::{
    app::AppState,
    sessions::issue::NewSession,
    tenants::policy,
    users::{self, Email},
};

/// The tenant in which the password of this address is: the home of a guest, else the tenant itself, also for an address that
/// nobody has. The same question for every address.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of a guest is in a trusted row"
)]
pub(super) async fn home_of(
    app: &AppState,
    tenant: TenantId,
    address: &str,
) -> Result<TenantId, DbError> {
    let Ok(email) = Email::parse(address) else {
        return Ok(tenant);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let home: Option<Option<Uuid>> = query_scalar(
        "-- identity.guests.home_of_address\nSELECT home_tenant_id FROM identity.users WHERE email = $1",
    )
    .bind(email.as_str())
    .fetch_optional(tx.conn())
    .await?;
    Ok(home.flatten().map_or(tenant, TenantId::trusted))
}

/// Whether somebody who showed at `home` who they are may begin a session in the tenant of the transaction. For a guest the
/// tenant's policy is that of a switch into it.
pub(super) async fn admit(
    tx: &mut TenantTx,
    home: TenantId,
    session: &NewSession<'_>,
) -> Result<Result<(), Refusal>, DbError> {
    let account = users::store::find(tx, session.user).await?;
    let account = account.filter(|account| account.is_active() && account.home_tenant == home);
    let Some(account) = account else {
        return Ok(Err(Refusal::WrongCredentials));
    };
    if account.tenant == home {
        return Ok(Ok(()));
    }
    Ok(if policy::admit(&account.policy, session.origin).is_err() {
        Err(Refusal::Network)
    } else if account.policy.mfa_required && session.acr != "aal2" {
        Err(Refusal::NeedsSecondFactor)
    } else {
        Ok(())
    })
}
