//! A passkey's answer to a ceremony, for a login and for somebody who proves once more who they are.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use serde::Deserialize;
use utoipa::ToSchema;
use webauthn_rs::prelude::{AuthenticationResult, PublicKeyCredential};

use super::{ceremony::Ceremony, store};
use crate::app::AppState;

/// Methods of a session that a passkey began (RFC 8176): a key that is kept in one device, or one that is synchronised.
const WITH_DEVICE_KEY: &[&str] = &["hwk", "user", "mfa"];
const WITH_SYNCED_KEY: &[&str] = &["swk", "user", "mfa"];

/// What the browser answered to the options of `POST /auth/passkeys/login/options`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    /// The ceremony that the options came with.
    ceremony: String,
    /// What `navigator.credentials.get()` answered, binary members as base64url.
    #[schema(value_type = Object)]
    credential: PublicKeyCredential,
}

impl Assertion {
    /// By which methods it proves that the user is there, who lives in the transaction's tenant; `None` when it does not.
    pub(crate) async fn prove(
        &self,
        tx: &mut TenantTx,
        app: &AppState,
        user: UserId,
    ) -> Result<Option<&'static [&'static str]>, DbError> {
        match Ceremony::open(app, &self.ceremony) {
            Some(ceremony) => prove(tx, app, user, &ceremony, &self.credential).await,
            None => Ok(None),
        }
    }
}

/// Checks the answer of one of the user's passkeys to a ceremony, and takes the ceremony as used.
pub(super) async fn prove(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    ceremony: &Ceremony,
    credential: &PublicKeyCredential,
) -> Result<Option<&'static [&'static str]>, DbError> {
    let id = credential.get_credential_id();
    let Some(mut passkey) = store::lock(tx, user, id).await? else {
        return Ok(None);
    };
    let Some(result) = verify(app, ceremony, credential, &passkey) else {
        return Ok(None);
    };
    passkey.credential.update_credential(&result);
    let used = (ceremony.id, ceremony.expires_at);
    let now = app.core.sources.now();
    if !store::note_use(tx, user, &passkey, used, now).await? {
        return Ok(None);
    }
    Ok(Some(if result.backup_eligible() {
        WITH_SYNCED_KEY
    } else {
        WITH_DEVICE_KEY
    }))
}

/// The signature, the origin, the flags, and that the counter has moved.
fn verify(
    app: &AppState,
    ceremony: &Ceremony,
    credential: &PublicKeyCredential,
    passkey: &store::Stored,
) -> Option<AuthenticationResult> {
    let webauthn = &app.config.relying_party;
    let state = ceremony.state.clone();
    webauthn
        .finish_discoverable_authentication_v2(credential, state, &passkey.credential)
        .inspect_err(|error| tracing::debug!(%error, "a passkey was not accepted"))
        .ok()
}
