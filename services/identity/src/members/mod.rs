//! Members: the people who work in a tenant, and what they may do there.

pub(crate) mod change;
mod get;
mod list;
mod patch;
mod remove;
pub(crate) mod roles;
pub(crate) mod store;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::AppState, roles::rights::Rights};

bz_auth::permissions! {
    /// See who works in the tenant.
    MembersRead = "members:read",
    /// Change what members may do, suspend and remove them.
    MembersManage = "members:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_members))
        .routes(routes!(
            get::get_member,
            patch::patch_member,
            remove::remove_member
        ))
        .routes(routes!(roles::replace_member_roles))
}

/// Somebody who works in the tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The user.
    pub(crate) user_id: UserId,
    /// The user's address.
    pub(crate) email: String,
    /// What the user wants to be called.
    pub(crate) name: Option<String>,
    /// `active`, or `suspended`: no access for now.
    pub(crate) status: String,
    /// The roles.
    pub(crate) roles: Vec<HeldRole>,
    /// When the user became a member.
    pub(crate) created_at: DateTime<Utc>,
    /// When the membership was last changed.
    pub(crate) updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub(crate) version: i64,
    /// What the roles give together.
    #[serde(skip)]
    pub(crate) rights: Rights,
    /// Whether user and membership let the user in.
    #[serde(skip)]
    pub(crate) is_active: bool,
}

/// A role that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
pub(crate) struct HeldRole {
    /// The role's id; that of a built-in one is its name.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

impl Member {
    /// Whether the tenant has an owner as long as this member stays what they are.
    pub(crate) fn is_acting_owner(&self) -> bool {
        self.is_active && self.rights.is_owner()
    }

    /// The ids of the roles, for the audit log.
    pub(crate) fn role_ids(&self) -> Vec<&str> {
        self.roles.iter().map(|role| role.id.as_str()).collect()
    }
}
