//! A new password at the door.

use bz_http::Problem;
use bz_kernel::{ExposeSecret, SecretString};

use super::rules::{normalise, weakness};
use crate::users::store::Account;

/// Goes on if a user may have this password from now on.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_for(
    account: &Account,
    pointer: &'static str,
    password: &SecretString,
) -> Result<(), Problem> {
    let context = [Some(account.email.as_str()), account.name.as_deref()];
    let context: Vec<&str> = context.into_iter().flatten().collect();
    let fewest = account.policy.password_min_length;
    check(pointer, password, &context, fewest)
}

/// Goes on if the password is good, and has as many characters as the tenant asks for.
///
/// # Errors
/// 422 that says what is wrong, at `pointer`.
pub(crate) fn check(
    pointer: &'static str,
    password: &SecretString,
    context: &[&str],
    fewest: u8,
) -> Result<(), Problem> {
    if let Some(weakness) = weakness(password, context) {
        return Err(Problem::invalid(
            pointer,
            weakness.code(),
            weakness.message(),
        ));
    }
    if normalise(password).expose_secret().chars().count() < usize::from(fewest) {
        let message = format!("must have at least {fewest} characters in this tenant");
        return Err(Problem::invalid(pointer, "too_short", message));
    }
    Ok(())
}
