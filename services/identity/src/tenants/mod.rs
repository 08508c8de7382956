//! Tenants: the customers of the installation.

pub(crate) mod get;
pub(crate) mod slug;
pub(crate) mod store;

use bz_kernel::TenantId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::users::store::Account;

bz_auth::permissions! {
    /// See the tenant one works in.
    TenantRead = "tenant:read",
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
}
