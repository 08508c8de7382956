//! The token of an invitation, and the invitation that it opens.

use bz_http::Problem;
use bz_tenant::TenantScope;

use super::{
    InvitationStatus, PREFIX,
    store::{self, Found},
    token_invalid,
};
use crate::{app::AppState, credential::Credential};

/// Reads a token; nothing is asked of the database for what cannot be one.
pub(super) fn parse(text: &str) -> Result<Credential, Problem> {
    Credential::parse(PREFIX, text).ok_or_else(token_invalid)
}

/// The pending invitation that a token opens, in an active tenant.
pub(super) async fn open(app: &AppState, token: &Credential) -> Result<Found, Problem> {
    let scope = TenantScope::new(token.tenant, None);
    let mut tx = app.core.db.read(&scope).await?;
    let found = store::find(&mut tx, token.id, app.core.sources.now()).await?;
    found
        .filter(|found| opens(token, found))
        .ok_or_else(token_invalid)
}

/// Whether the token is the one of the invitation, and that can be accepted.
pub(super) fn opens(token: &Credential, found: &Found) -> bool {
    token.matches(&found.secret_hash)
        && found.invitation.status == InvitationStatus::Pending
        && found.tenant_active
}
