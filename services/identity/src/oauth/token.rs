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
use url::form_urlencoded;

use super::{
    client_auth::{self, Presented},
    cors,
    error::TokenError,
    grants::{authorization_code, client_credentials, refresh_token},
};
use crate::{app::AppState, origin::Origin};

/// The one thing that the platform's services may do without a user.
const SCOPE: &str = "events:read";
/// How long a service's token is good for.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// RFC 6749 sections 4.1.3, 4.4.2 and 6, RFC 7636 section 4.5.
#[derive(Deserialize)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) code: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) code_verifier: Option<String>,
    pub(super) refresh_token: Option<String>,
}

impl TokenForm {
    /// A parameter without a value is one that was not sent (RFC 6749 section 3.1).
    pub(super) fn sent(value: &Option<String>) -> Option<&str> {
        value.as_deref().filter(|value| !value.is_empty())
    }

    /// What it says of its client.
    pub(super) fn presented(&self, basic: Option<(String, SecretString)>) -> Presented<'_> {
        Presented {
            basic,
            client_id: Self::sent(&self.client_id),
            client_secret: Self::sent(&self.client_secret),
            assertion: Self::sent(&self.client_assertion),
            assertion_type: Self::sent(&self.client_assertion_type),
        }
    }
}

impl Validate for TokenForm {
    fn validate(&self, _: &mut Errors) {}
}

/// RFC 6749 section 5.1, OpenID Connect Core 1.0 section 3.1.3.3.
#[derive(Serialize)]
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
}

/// `POST /oauth2/token`: tokens for an application that a user has allowed something, for a tenant's service account, or
/// for one of the platform's services, which is nobody's and belongs to no tenant.
pub(crate) async fn create_token(State(app): State<AppState>, request: Request) -> Response {
    let origin = cors::origin(request.headers());
    match grant(&app, request, origin.as_ref()).await {
        Ok((answer, cors)) => {
            let no_store = HeaderValue::from_static("no-store");
            let mut response = Json(answer).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, no_store);
            headers.extend(cors);
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn grant(
    app: &AppState,
    request: Request,
    origin: Option<&HeaderValue>,
) -> Result<(TokenResponse, HeaderMap), TokenError> {
    if !is_form(request.headers()) {
        return Err(TokenError::InvalidRequest(
            "Send an application/x-www-form-urlencoded body.",
        ));
    }
    let basic = basic_credentials(request.headers())?;
    let from = Origin::of(&request);
    let Form(form) = Form::<TokenForm>::from_request(request, &())
        .await
        .map_err(|_| TokenError::InvalidRequest("The form cannot be read."))?;
    match form.grant_type.as_deref() {
        Some(kind @ ("authorization_code" | "refresh_token")) => {
            let client = client_auth::authenticate(app, basic, &form).await?;
            let answer = if kind == "refresh_token" {
                refresh_token::exchange(app, &client, &form, &from).await?
            } else {
                authorization_code::exchange(app, &client, &form, &from).await?
            };
            Ok((answer, cors::allow(origin, &client)))
        }
        Some("client_credentials") => Ok((of_client(app, basic, form).await?, HeaderMap::new())),
        Some(_) => Err(TokenError::UnsupportedGrantType),
        None => Err(TokenError::InvalidRequest("grant_type is missing.")),
    }
}

/// RFC 6749 section 4.4: a client that speaks for itself.
async fn of_client(
    app: &AppState,
    basic: Option<(String, SecretString)>,
    form: TokenForm,
) -> Result<TokenResponse, TokenError> {
    let presented = form.presented(basic);
    if let Some(claimed) = presented.assertion()? {
        let scope = form.scope.as_deref();
        let claims = client_credentials::claims_by_key(app, &claimed, scope, LIFETIME).await?;
        return answer(app, &claims, "");
    }
    let (client, secret) = sent(presented)?;
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
    let token = app.keys.current().sign(claims)?;
    Ok(TokenResponse {
        access_token: token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: LIFETIME.num_seconds(),
        scope: scope.to_owned(),
        refresh_token: None,
        id_token: None,
    })
}

/// Client and secret: by HTTP Basic or in the form, never both (RFC 6749 section 2.3).
fn sent(presented: Presented<'_>) -> Result<(String, SecretString), TokenError> {
    let named = presented.client_id.map(str::to_owned);
    Ok(match (presented.basic, presented.client_secret) {
        (Some(_), Some(_)) => return Err(client_auth::TWO_WAYS),
        (Some((name, secret)), None) => (name, secret),
        (None, Some(secret)) => (
            named.ok_or(TokenError::InvalidRequest("client_id is missing."))?,
            secret.to_owned().into(),
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

/// Client and secret of an `Authorization: Basic` header, each in the encoding of forms (RFC 6749 section 2.3.1).
pub(super) fn basic_credentials(
    headers: &HeaderMap,
) -> Result<Option<(String, SecretString)>, TokenError> {
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
    Ok(Some((form_decoded(client), form_decoded(secret).into())))
}

fn form_decoded(text: &str) -> String {
    let decoded = form_urlencoded::parse(text.as_bytes()).next();
    decoded.map_or_else(String::new, |(text, _)| text.into_owned())
}
