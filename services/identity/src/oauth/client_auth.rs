//! Which application a request of the back channel comes from.

use bz_auth::client_assertion::claimed_client;
use bz_kernel::{ExposeSecret, SecretString, TenantId};
use bz_tenant::TenantScope;

use super::{
    assertion::{self, Signer},
    error::TokenError,
    token::TokenForm,
};
use crate::{
    app::AppState,
    oauth_clients::{
        AuthMethod, OauthClient,
        secret::{self, ClientSecret},
        store,
    },
};

/// What a request says of its client (RFC 6749 section 2.3, RFC 7521 section 4.2); a value that is empty was not sent.
#[derive(Default)]
pub(super) struct Presented<'a> {
    pub(super) basic: Option<(String, SecretString)>,
    pub(super) client_id: Option<&'a str>,
    pub(super) client_secret: Option<&'a str>,
    pub(super) assertion: Option<&'a str>,
    pub(super) assertion_type: Option<&'a str>,
}

/// Two ways at once say nothing.
pub(super) const TWO_WAYS: TokenError =
    TokenError::InvalidRequest("Two ways of client authentication.");
const TWO_CLIENTS: TokenError = TokenError::InvalidRequest("Two clients are named.");

/// A client that has shown who it is; or that cannot, and has said who it is.
pub(super) async fn authenticate(
    app: &AppState,
    basic: Option<(String, SecretString)>,
    form: &TokenForm,
) -> Result<OauthClient, TokenError> {
    check(app, form.presented(basic)).await
}

/// The same from the parts of a request.
pub(super) async fn check(
    app: &AppState,
    presented: Presented<'_>,
) -> Result<OauthClient, TokenError> {
    if let Some(assertion) = presented.assertion()? {
        return by_assertion(app, &assertion).await;
    }
    let client_id = presented.client_id;
    let (name, secret, method) = match (presented.basic, presented.client_secret) {
        (Some(_), Some(_)) => return Err(TWO_WAYS),
        (Some((name, _)), None) if client_id.is_some_and(|id| id != name) => {
            return Err(TWO_CLIENTS);
        }
        (Some((name, secret)), None) => (name, Some(secret), AuthMethod::ClientSecretBasic),
        (None, secret) => {
            let name = client_id.ok_or(TokenError::InvalidClient)?;
            let method = match secret {
                Some(_) => AuthMethod::ClientSecretPost,
                None => AuthMethod::None,
            };
            (name.to_owned(), secret.map(SecretString::from), method)
        }
    };
    let (client, hashes) = find(app, &name).await?.ok_or(TokenError::InvalidClient)?;
    if client.token_endpoint_auth_method != method {
        return Err(TokenError::InvalidClient);
    }
    let Some(secret) = secret else {
        return Ok(client);
    };
    let secret = ClientSecret::parse(secret.expose_secret()).ok_or(TokenError::InvalidClient)?;
    // Not the first that matches: the time says nothing about which one it is.
    let matches = hashes
        .iter()
        .fold(false, |found, hash| secret.matches(hash) | found);
    matches.then_some(client).ok_or(TokenError::InvalidClient)
}

/// A signed assertion, and the client that it says it is of.
pub(super) struct Claimed<'a> {
    pub(super) client_id: String,
    pub(super) text: &'a str,
}

impl<'a> Presented<'a> {
    /// The assertion, if the client sent one; it is then the only way in which it shows who it is.
    ///
    /// # Errors
    /// 400 for two ways or two clients, 401 for what is no assertion.
    pub(super) fn assertion(&self) -> Result<Option<Claimed<'a>>, TokenError> {
        let text = match (self.assertion, self.assertion_type) {
            (None, None) => return Ok(None),
            (Some(text), Some(assertion::TYPE)) => text,
            _ => {
                let why = "client_assertion and client_assertion_type (jwt-bearer) go together.";
                return Err(TokenError::InvalidRequest(why));
            }
        };
        if self.basic.is_some() || self.client_secret.is_some() {
            return Err(TWO_WAYS);
        }
        let client_id = claimed_client(text).ok_or(TokenError::InvalidClient)?;
        if self.client_id.is_some_and(|id| id != client_id) {
            return Err(TWO_CLIENTS);
        }
        Ok(Some(Claimed { client_id, text }))
    }
}

async fn by_assertion(app: &AppState, claimed: &Claimed<'_>) -> Result<OauthClient, TokenError> {
    let found = find(app, &claimed.client_id).await?;
    let (client, _) = found.ok_or(TokenError::InvalidClient)?;
    let Some(keys) = &client.jwks else {
        return Err(TokenError::InvalidClient);
    };
    let signer = Signer {
        tenant: tenant_of(&client)?,
        id: client.id.as_uuid(),
        client_id: &claimed.client_id,
        keys,
    };
    assertion::accept(app, &signer, claimed.text).await?;
    Ok(client)
}

async fn find(
    app: &AppState,
    name: &str,
) -> Result<Option<(OauthClient, Vec<Vec<u8>>)>, TokenError> {
    let Some((tenant, id)) = secret::parse_client_id(name) else {
        return Ok(None);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let Some(client) = store::find(&mut tx, id).await? else {
        return Ok(None);
    };
    let hashes = store::secret_hashes(&mut tx, id).await?;
    Ok(Some((client, hashes)))
}

/// The tenant of a client that was read.
pub(super) fn tenant_of(client: &OauthClient) -> Result<TenantId, TokenError> {
    secret::parse_client_id(&client.client_id)
        .map(|(tenant, _)| tenant)
        .ok_or(TokenError::ServerError)
}
