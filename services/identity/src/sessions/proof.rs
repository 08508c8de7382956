//! The password once more, of somebody who is logged in: under the counts and waits of a login, so that a stolen access
//! token is no way to guess it.

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::SecretString;
use bz_tenant::TenantScope;
use http::HeaderMap;

use super::attempt::{self, Failure};
use crate::{
    app::AppState,
    guests::home_of,
    lockout::{self, LoginName, device::TrustedDevice},
    origin::Origin,
    passwords::Verdict,
    problems::{invalid_credentials, overloaded},
    users::store::{self as users, Account},
};

/// The account of the caller at home, if that is its password. `action` is what a failure is noted as.
///
/// # Errors
/// 401 `invalid_credentials`, also while the address has to wait; 503 when too many passwords are being compared.
pub(crate) async fn password(
    app: &AppState,
    caller: &Caller,
    (headers, origin): (&HeaderMap, &Origin),
    password: &SecretString,
    action: &'static str,
) -> Result<Account, Problem> {
    let account = at_home(app, caller).await?;
    let name = LoginName::new(app, account.tenant, &account.email);
    let device = TrustedDevice::of(app, headers, name);
    let attempt = lockout::admit(app, account.tenant, name, device.as_ref()).await?;
    let stored = account.password_hash.as_deref();
    let stored = stored.filter(|_| attempt.is_open);
    match app.passwords.verify(password, stored).await {
        Ok(Verdict::Match { .. }) => {
            attempt.succeeded(app).await;
            Ok(account)
        }
        Ok(Verdict::Mismatch) => {
            let failure = Failure::of_user(&account, name, action, origin);
            Err(attempt::refuse(app, attempt, failure).await)
        }
        Err(full) => {
            attempt.withdraw(app).await;
            Err(overloaded(full))
        }
    }
}

/// The caller's account where the password is.
async fn at_home(app: &AppState, caller: &Caller) -> Result<Account, Problem> {
    let scope = TenantScope::new(home_of(caller), Some(caller.user));
    let mut tx = app.core.db.read(&scope).await?;
    let account = users::find(&mut tx, caller.user).await?;
    account
        .filter(Account::is_active)
        .ok_or_else(invalid_credentials)
}
