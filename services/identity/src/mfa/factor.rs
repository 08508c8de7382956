//! Whether a code proves that the user is there.

use bz_kernel::{Sealer, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Method, codes,
    store::{self, Factor},
};
use crate::app::AppState;

/// Wrong codes of a user within [`WINDOW`], over all challenges.
const MOST_FAILURES: i32 = 10;
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The user is there.
    Proven,
    /// The code is wrong, or was used before.
    Wrong,
    /// The user had too many wrong codes; this one was not looked at.
    TooMany,
}

/// Checks a code of a user and takes it as used. Counted before it is looked at, so that attempts side by side do not
/// get more than their number. The transaction must be committed whatever the outcome.
pub(crate) async fn prove(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    method: Method,
    code: &str,
) -> Result<Outcome, DbError> {
    let now = app.core.sources.now();
    if store::count_failure(tx, user, now, WINDOW).await? > MOST_FAILURES {
        return Ok(Outcome::TooMany);
    }
    let proven = match method {
        Method::Totp => match store::active_factor(tx, user).await? {
            Some(factor) => use_totp(tx, app, &factor, code).await?,
            None => false,
        },
        Method::RecoveryCode => {
            let mac = codes::recovery_mac(&app.core.secret, code);
            store::use_code(tx, user, &mac, now).await?
        }
    };
    if !proven {
        return Ok(Outcome::Wrong);
    }
    store::forgive(tx, user).await?;
    Ok(Outcome::Proven)
}

/// Checks a code of an app and takes its step as used.
pub(crate) async fn use_totp(
    tx: &mut TenantTx,
    app: &AppState,
    factor: &Factor,
    code: &str,
) -> Result<bool, DbError> {
    let Some(secret) = secret(app, factor) else {
        return Ok(false);
    };
    let Ok(totp) = codes::totp(&secret, "", "x") else {
        return Ok(false);
    };
    match codes::matching_step(&totp, code, app.core.sources.now()) {
        Some(step) => store::use_step(tx, factor.id, step).await,
        None => Ok(false),
    }
}

/// The secret of an app; none, and an error in the log, when it does not open.
pub(crate) fn secret(app: &AppState, factor: &Factor) -> Option<Vec<u8>> {
    let opened = sealer(app).open(&bound_to(factor.id), &factor.sealed_secret);
    if opened.is_err() {
        tracing::error!(totp_factor.id = %factor.id, "an app's secret does not open with this platform secret");
    }
    opened.ok()
}

/// Seals and opens apps' secrets.
pub(crate) fn sealer(app: &AppState) -> Sealer {
    Sealer::new(&app.core.secret, "totp", app.core.sources.rng.clone())
}

/// What an app's secret is sealed for.
pub(crate) fn bound_to(factor: Uuid) -> [u8; 16] {
    factor.into_bytes()
}
