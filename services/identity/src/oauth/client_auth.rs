//! Which application a request of the back channel comes from.

use bz_kernel::{ExposeSecret, SecretString, TenantId};
use bz_tenant::TenantScope;

use super::{error::TokenError, token::TokenForm};
use crate::{
    app::AppState,
    oauth_clients::{
        AuthMethod, OauthClient,
        secret::{self, ClientSecret},
        store,
    },
};

/// A client that has shown who it is; or that cannot, and has said who it is.
pub(super) async fn authenticate(
    app: &AppState,
    basic: Option<(String, SecretString)>,
    form: &TokenForm,
) -> Result<OauthClient, TokenError> {
    check(
        app,
        basic,
        form.client_id.as_deref(),
        form.client_secret.as_deref(),
    )
    .await
}

/// The same from the parts of a request (RFC 6749 section 2.3).
pub(super) async fn check(
    app: &AppState,
    basic: Option<(String, SecretString)>,
    client_id: Option<&str>,
    client_secret: Option<&str>,
) -> Result<OauthClient, TokenError> {
    let client_id = client_id.filter(|id| !id.is_empty());
    let client_secret = client_secret.filter(|secret| !secret.is_empty());
    let (name, secret, method) = match (basic, client_secret) {
        (Some(_), Some(_)) => {
            return Err(TokenError::InvalidRequest(
                "Two ways of client authentication.",
            ));
        }
        (Some((name, _)), None) if client_id.is_some_and(|id| id != name) => {
            return Err(TokenError::InvalidRequest("Two clients are named."));
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
