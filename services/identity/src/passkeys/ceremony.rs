//! What a client keeps between the two requests of a login, since nobody is known yet: sealed, so that it can neither be
//! read nor made up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_kernel::Sealer;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use webauthn_rs::prelude::DiscoverableAuthentication;

use super::CEREMONY_LIFETIME;
use crate::app::AppState;

const BOUND_TO: &[u8] = b"login";

/// A login's ceremony.
#[derive(Serialize, Deserialize)]
pub(super) struct Ceremony {
    /// Its id; a login is made of it once.
    pub(super) id: Uuid,
    /// When it is over.
    pub(super) expires_at: DateTime<Utc>,
    /// What was asked of the browser.
    pub(super) state: DiscoverableAuthentication,
}

impl Ceremony {
    pub(super) fn new(app: &AppState, state: DiscoverableAuthentication) -> Self {
        Self {
            id: app.core.sources.id(),
            expires_at: app.core.sources.now() + CEREMONY_LIFETIME,
            state,
        }
    }

    /// For the client to send back.
    pub(super) fn seal(&self, app: &AppState) -> Result<String, serde_json::Error> {
        let plain = serde_json::to_vec(self)?;
        Ok(URL_SAFE_NO_PAD.encode(sealer(app).seal(BOUND_TO, &plain)))
    }

    /// What the client sent back; `None` for what was not sealed here, and for what is over.
    pub(super) fn open(app: &AppState, text: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = sealer(app).open(BOUND_TO, &sealed).ok()?;
        let ceremony: Self = serde_json::from_slice(&plain).ok()?;
        (app.core.sources.now() < ceremony.expires_at).then_some(ceremony)
    }
}

fn sealer(app: &AppState) -> Sealer {
    let sources = &app.core.sources;
    Sealer::new(&app.core.secret, "passkey-login", sources.rng.clone())
}
