use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bz_auth::{Claims, claims::SERVICE_ACCOUNT_CLIENT, service_client_secret};
use bz_http::{Errors, Form, Json, Validate, extract::is_form};
use bz_kernel::{ExposeSecret, SecretString, platform::SERVICES};
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::{error::TokenError, grants::client_credentials};
use crate::app::AppState;

/// The one thing that the platform's services may do without a user.
const SCOPE: &str = "events:read";
/// How long a service's token is good for.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// RFC 6749 section 4.4.2.
#[derive(Deserialize)]
struct TokenForm {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

impl Validate for TokenForm {
    fn validate(&self, _: &mut Errors) {}
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'static str,
}

/// `POST /oauth2/token`: a token for a tenant's service account, or for one of the platform's services, which is nobody's
/// and belongs to no tenant.
pub(crate) async fn create_token(State(app): State<AppState>, request: Request) -> Response {
    match grant(&app, request).await {
        Ok(answer) => {
            let mut response = Json(answer).into_response();
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn grant(app: &AppState, request: Request) -> Result<TokenResponse, TokenError> {
    if !is_form(request.headers()) {
        return Err(TokenError::InvalidRequest(
            "Send an application/x-www-form-urlencoded body.",
        ));
    }
    let basic = basic_credentials(request.headers())?;
    let Form(form) = Form::<TokenForm>::from_request(request, &())
        .await
        .map_err(|_| TokenError::InvalidRequest("The form cannot be read."))?;
    let (client, secret) = sent(basic, form.client_id, form.client_secret)?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(TokenError::UnsupportedGrantType),
        None => return Err(TokenError::InvalidRequest("grant_type is missing.")),
    }
    if client.starts_with(SERVICE_ACCOUNT_CLIENT) {
        let scope = form.scope.as_deref();
        let claims = client_credentials::claims(app, &client, &secret, scope, LIFETIME).await?;
        return answer(app, &claims, "");
    }
    let client = authenticate(app, &client, &secret)?;
    if form
        .scope
        .is_some_and(|scope| !scope.split(' ').all(|name| name == SCOPE))
    {
        return Err(TokenError::InvalidScope);
    }
    let sources = &app.core.sources;
    let claims = Claims::of_service(
        &app.core.issuer,
        client,
        SCOPE,
        sources.id(),
        sources.now(),
        LIFETIME,
    );
    answer(app, &claims, SCOPE)
}

fn answer(
    app: &AppState,
    claims: &Claims,
    scope: &'static str,
) -> Result<TokenResponse, TokenError> {
    let token = app.keys.current().sign(claims).map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a service's token could not be signed"
        );
        TokenError::ServerError
    })?;
    let access_token = token.expose_secret().to_owned();
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME.num_seconds(),
        scope,
    })
}

/// Client and secret: by HTTP Basic or in the form, never both (RFC 6749 section 2.3).
fn sent(
    basic: Option<(String, SecretString)>,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<(String, SecretString), TokenError> {
    Ok(match (basic, client_secret) {
        (Some(_), Some(_)) => {
            return Err(TokenError::InvalidRequest(
                "Two ways of client authentication.",
            ));
        }
        (Some((name, secret)), None) => (name, secret),
        (None, Some(secret)) => (
            client_id.ok_or(TokenError::InvalidRequest("client_id is missing."))?,
            secret.into(),
        ),
        (None, None) => return Err(TokenError::InvalidClient),
    })
}

/// The service of the platform that the request comes from.
fn authenticate(
    app: &AppState,
    name: &str,
    secret: &SecretString,
) -> Result<&'static str, TokenError> {
    let known = SERVICES
        .iter()
        .map(|service| service.name)
        .find(|known| *known == name);
    let expected = service_client_secret(&app.core.secret, name);
    let matches = verify_slices_are_equal(
        expected.expose_secret().as_bytes(),
        secret.expose_secret().as_bytes(),
    );
    known
        .filter(|_| matches.is_ok())
        .ok_or(TokenError::InvalidClient)
}

/// Client and secret of an `Authorization: Basic` header. The names and secrets of services need no percent-encoding.
fn basic_credentials(headers: &HeaderMap) -> Result<Option<(String, SecretString)>, TokenError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let decoded = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or(TokenError::InvalidClient)?;
    let (client, secret) = decoded.split_once(':').ok_or(TokenError::InvalidClient)?;
    Ok(Some((client.to_owned(), secret.into())))
}
