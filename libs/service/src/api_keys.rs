//! API keys in a service that is not identity: it asks identity what a key is good for.

use std::sync::Arc;
use std::time::Duration;

use bz_auth::api_key::KeyGrant;
use bz_auth::{AuthError, ServiceTokens};
use bz_kernel::{ExposeSecret, SecretString, platform};
use http::{StatusCode, header};
use url::Url;

use crate::core::{Core, to_identity};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lets the service accept API keys. Identity looks into its own table and is left alone.
///
/// # Errors
/// When the HTTP client cannot be built.
pub fn install(core: &Core) -> anyhow::Result<()> {
    if core.info.name == platform::IDENTITY.name {
        return Ok(());
    }
    let desk = Arc::new(Desk {
        url: core.siblings.identity.join("/internal/api-keys/verify")?,
        client: to_identity()?,
        tokens: core.tokens.clone(),
    });
    let exchange = move |key: SecretString| -> bz_auth::api_key::Exchanged {
        let desk = Arc::clone(&desk);
        Box::pin(async move { desk.ask(&key).await })
    };
    core.verifier.accept_api_keys(Arc::new(exchange));
    Ok(())
}

struct Desk {
    url: Url,
    client: reqwest::Client,
    tokens: ServiceTokens,
}

impl Desk {
    async fn ask(&self, key: &SecretString) -> Result<KeyGrant, AuthError> {
        let away = |error: &(dyn std::error::Error + 'static)| {
            tracing::warn!(error, "identity does not say what an API key is good for");
            AuthError::KeysUnavailable
        };
        let token = self.tokens.get().await.map_err(|error| away(&error))?;
        let body = serde_json::json!({ "key": key.expose_secret() }).to_string();
        let request = self
            .client
            .post(self.url.clone())
            .timeout(PATIENCE)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", token.expose_secret()),
            )
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let answer = request.send().await.map_err(|error| away(&error))?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Err(AuthError::Invalid("API key")),
            // The key that signed our own token may be gone.
            StatusCode::UNAUTHORIZED => self.tokens.forget(),
            _ => {}
        }
        let answer = answer.error_for_status().map_err(|error| away(&error))?;
        let body = answer.bytes().await.map_err(|error| away(&error))?;
        serde_json::from_slice(&body).map_err(|error| away(&error))
    }
}
