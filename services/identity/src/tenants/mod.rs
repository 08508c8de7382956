//! Tenants: the customers of the installation.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod erase;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod policy;
pub(crate) mod restore;
pub(crate) mod slug;
pub(crate) mod store;
pub(crate) mod update;

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::TenantId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::users::store::Account;

bz_auth::permissions! {
    /// See the tenant one works in.
    TenantRead = "tenant:read",
    /// Change, and as an owner delete, the tenant one works in.
    TenantManage = "tenant:manage",
}

/// What tokens' answers say of the tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TenantSummary {
    /// The tenant's id, which is `tid` in tokens.
    pub id: TenantId,
    /// Its name in addresses and at login.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

impl From<&Account> for TenantSummary {
    fn from(account: &Account) -> Self {
        Self {
            id: account.tenant,
            slug: account.tenant_slug.clone(),
            name: account.tenant_name.clone(),
        }
    }
}

/// A tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Tenant {
    /// The tenant's id, which is `tid` in tokens.
    pub id: TenantId,
    /// Its name in addresses and at login.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Its `ETag`.
    #[serde(skip)]
    pub version: i64,
}

/// Goes on if the tenant in a path is the caller's: any other is not found.
///
/// # Errors
/// 404.
pub(crate) fn own(caller: &Caller, id: Uuid) -> Result<(), Problem> {
    if id == caller.tenant().as_uuid() {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}
