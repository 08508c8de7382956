//! A service's own token, for calls that no user is behind (RFC 6749 section 4.4).

use std::sync::{Arc, Mutex, PoisonError};

use bz_kernel::{Clock, ExposeSecret, PlatformSecret, SecretString};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use url::{Url, form_urlencoded};

/// A token is replaced this long before it ends.
const RENEW_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// After a failure identity is left alone for this long.
const RETRY_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How long one question may take.
const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
/// What services may do to each other.
const SCOPE: &str = "events:read";

/// The client secret of a service, which it and identity derive from the platform's secret alike, so that none has to be
/// handed out or stored.
#[must_use]
pub fn service_client_secret(secret: &PlatformSecret, client: &str) -> SecretString {
    hex::encode(secret.derive(&format!("service-client/{client}"))).into()
}

/// No token could be had.
#[derive(Debug, thiserror::Error)]
pub enum ServiceTokenError {
    /// Identity did not answer, or with something else.
    #[error("identity gave no service token")]
    Request(#[source] reqwest::Error),
    /// Identity was asked a moment ago, in vain.
    #[error("identity gave no service token a moment ago")]
    TriedJustNow,
}

/// Obtains the token of a service from identity and keeps it. Cheap to clone.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Kind>);

enum Kind {
    Fixed(SecretString),
    Identity(Box<Identity>),
}

struct Identity {
    endpoint: Url,
    client: reqwest::Client,
    clock: Clock,
    form: SecretString,
    kept: Mutex<Kept>,
    /// Held while asking, so that many callers ask once.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    token: Option<(SecretString, DateTime<Utc>)>,
    failed_at: Option<DateTime<Utc>>,
}

/// RFC 6749 section 5.1.
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    expires_in: u32,
}

impl ServiceTokens {
    /// Tokens for the service `name` from the identity service at `identity`.
    #[must_use]
    pub fn new(
        identity: &Url,
        client: reqwest::Client,
        name: &str,
        secret: &PlatformSecret,
        clock: Clock,
    ) -> Self {
        let mut endpoint = identity.clone();
        endpoint.set_path(&format!(
            "{}/oauth2/token",
            identity.path().trim_end_matches('/')
        ));
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", name)
            .append_pair(
                "client_secret",
                service_client_secret(secret, name).expose_secret(),
            )
            .append_pair("scope", SCOPE)
            .finish();
        let (kept, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        let identity = Identity {
            endpoint,
            client,
            clock,
            form: form.into(),
            kept,
            asking,
        };
        Self(Arc::new(Kind::Identity(Box::new(identity))))
    }

    /// Always the same token, where there is no identity to ask. For tests.
    #[must_use]
    pub fn fixed(token: SecretString) -> Self {
        Self(Arc::new(Kind::Fixed(token)))
    }

    /// A token that is good for another minute at least.
    ///
    /// # Errors
    /// [`ServiceTokenError`] when identity gives none.
    pub async fn get(&self) -> Result<SecretString, ServiceTokenError> {
        match &*self.0 {
            Kind::Fixed(token) => Ok(token.clone()),
            Kind::Identity(identity) => identity.get().await,
        }
    }

    /// Forgets the token, because a service did not accept it.
    pub fn forget(&self) {
        if let Kind::Identity(identity) = &*self.0 {
            identity.kept().token = None;
        }
    }
}

impl Identity {
    async fn get(&self) -> Result<SecretString, ServiceTokenError> {
        if let Some(token) = self.at_hand()? {
            return Ok(token);
        }
        let _turn = self.asking.lock().await;
        if let Some(token) = self.at_hand()? {
            return Ok(token);
        }
        match self.ask().await {
            Ok(answer) => {
                let ends = self.clock.now() + TimeDelta::seconds(answer.expires_in.into());
                let token = SecretString::from(answer.access_token);
                *self.kept() = Kept {
                    token: Some((token.clone(), ends)),
                    failed_at: None,
                };
                Ok(token)
            }
            Err(error) => {
                self.kept().failed_at = Some(self.clock.now());
                Err(ServiceTokenError::Request(error.without_url()))
            }
        }
    }

    fn at_hand(&self) -> Result<Option<SecretString>, ServiceTokenError> {
        let (now, kept) = (self.clock.now(), self.kept());
        if let Some((token, ends)) = &kept.token
            && now + RENEW_BEFORE < *ends
        {
            return Ok(Some(token.clone()));
        }
        match kept.failed_at {
            Some(at) if (now - at).abs() < RETRY_PAUSE => Err(ServiceTokenError::TriedJustNow),
            _ => Ok(None),
        }
    }

    async fn ask(&self) -> Result<TokenResponse, reqwest::Error> {
        let request = self
            .client
            .post(self.endpoint.clone())
            .timeout(REQUEST_TIMEOUT)
            .header(
                http::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .body(self.form.expose_secret().to_owned());
        request.send().await?.error_for_status()?.json().await
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
