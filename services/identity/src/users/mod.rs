//! Users, as their own account shows them.

pub(crate) mod admin;
pub(crate) mod email;
pub(crate) mod me;
pub(crate) mod store;

use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::email::{Email, InvalidEmail};
use self::store::Account;

/// A user. The names of the fields are those that clients of FastAPI-Users know.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct User {
    /// The user's id, which is `sub` in tokens.
    pub id: UserId,
    /// The address in its normalised form.
    pub email: String,
    /// Whether the user has shown that mail to the address reaches them.
    pub email_verified: bool,
    /// What the user wants to be called.
    pub name: Option<String>,
    /// The language that the user reads, as a tag (RFC 5646).
    pub locale: Option<String>,
    /// Address of a picture of the user.
    pub picture: Option<String>,
    /// Whether the user may log in.
    pub is_active: bool,
    /// The same as `email_verified`.
    pub is_verified: bool,
    /// Always false: nobody stands above all tenants.
    pub is_superuser: bool,
    /// When the user registered.
    pub created_at: DateTime<Utc>,
}

impl From<&Account> for User {
    fn from(account: &Account) -> Self {
        let email_verified = account.email_verified_at.is_some();
        Self {
            id: account.user,
            email: account.email.clone(),
            email_verified,
            name: account.name.clone(),
            locale: account.locale.clone(),
            picture: account.picture.clone(),
            is_active: account.is_active(),
            is_verified: email_verified,
            is_superuser: false,
            created_at: account.created_at,
        }
    }
}
