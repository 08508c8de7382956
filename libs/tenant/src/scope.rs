//! Whom a transaction works for.

use bz_kernel::{TenantId, UserId};

/// The tenant of a unit of work and, when a person asked for it, the user. Its [`TenantId`] comes from a verified token
/// or a trusted row; there is no other way to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantScope {
    tenant: TenantId,
    user: Option<UserId>,
}

impl TenantScope {
    /// The scope of `user` in `tenant`; no user for background work.
    #[must_use]
    pub const fn new(tenant: TenantId, user: Option<UserId>) -> Self {
        Self { tenant, user }
    }

    /// The tenant whose rows are visible.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The person on whose behalf it happens.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        self.user
    }
}
