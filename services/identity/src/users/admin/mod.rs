//! Users as those who administer a tenant see them. Nobody but the user ever sets the password: an administrator starts a
//! reset, and the user gets a mail (OWASP ASVS 6.4.6).

pub(crate) mod create;
mod delete;
mod force_password_reset;
mod get;
mod list;
mod mfa;
mod patch;
mod sessions;
mod status;
pub(crate) mod store;
mod target;
mod unlock;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::AppState, members::HeldRole, roles::rights::Rights};

bz_auth::permissions! {
    /// See and administer the users whose home the tenant is.
    UsersManage = "users:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_user, list::list_users))
        .routes(routes!(
            get::get_user,
            patch::patch_user,
            delete::delete_user
        ))
        .routes(routes!(status::disable_user))
        .routes(routes!(status::enable_user))
        .routes(routes!(unlock::unlock_user))
        .routes(routes!(force_password_reset::force_password_reset))
        .routes(routes!(sessions::end_user_sessions))
        .routes(routes!(mfa::remove_user_mfa))
}

/// A user whose home the tenant is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ManagedUser {
    /// The user's id, which is `sub` in tokens.
    pub(crate) id: UserId,
    /// The address in its normalised form.
    pub(crate) email: String,
    /// Whether the user has shown that mail to the address reaches them.
    pub(crate) email_verified: bool,
    /// What the user wants to be called.
    pub(crate) name: Option<String>,
    /// `active`, or `disabled`: cannot log in.
    pub(crate) status: String,
    /// Whether the user has set a password.
    pub(crate) has_password: bool,
    /// The roles in the tenant; none when the user is no member.
    pub(crate) roles: Vec<HeldRole>,
    /// When the user registered or was made.
    pub(crate) created_at: DateTime<Utc>,
    /// When the user was last changed.
    pub(crate) updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub(crate) version: i64,
    /// What the roles give together.
    #[serde(skip)]
    pub(crate) rights: Rights,
}
