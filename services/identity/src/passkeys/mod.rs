//! Passkeys (WebAuthn): a login without a password, with the strength of two factors.

pub(crate) mod assertion;
mod ceremony;
pub(crate) mod list;
pub(crate) mod login_options;
pub(crate) mod login_verify;
pub(crate) mod register_options;
pub(crate) mod register_verify;
mod relying_party;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod store;

use bz_http::{Errors, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::relying_party::RelyingParty;
use crate::problems::unauthorized;

/// How long a ceremony may take: the default of the library, five minutes, and some seconds of network.
const CEREMONY_LIFETIME: TimeDelta = TimeDelta::seconds(330);
/// The longest name of a passkey, in characters.
const MOST_NAME_CHARACTERS: usize = 120;

/// A passkey as its user sees it.
#[derive(Serialize, ToSchema, sqlx::FromRow)]
pub(crate) struct Passkey {
    /// Its id.
    id: Uuid,
    /// What the user calls it.
    name: String,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When it last logged in.
    last_used_at: Option<DateTime<Utc>>,
}

fn check_name(name: &str, errors: &mut Errors) {
    let length = name.chars().count();
    if name.trim().is_empty() || length > MOST_NAME_CHARACTERS {
        errors.add("/name", "length", "must have 1 to 120 characters");
    }
}

/// 401: the passkey is not known, or did not answer this ceremony. One answer for all.
pub(crate) fn not_accepted() -> Problem {
    unauthorized("passkey_invalid", "The passkey is not accepted")
        .detail("Start again with POST /auth/passkeys/login/options.")
}

/// 400: the answer does not belong to the ceremony, or the ceremony is over.
fn ceremony_invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "ceremony_invalid",
        "The ceremony is over, or the answer does not belong to it",
    )
    .detail("Start again with POST /auth/passkeys/register/options.")
}
