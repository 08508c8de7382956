//! What a login sends: JSON, or the form of OAuth2's password request that FastAPI clients send.

use axum::extract::{FromRequest, Request};
use bz_http::{Errors, Form, Json, Problem, Validate, extract::is_form};
use bz_kernel::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::delivery::TokenDelivery;

/// The longest name of a device, in characters.
const MOST_DEVICE_NAME_CHARACTERS: usize = 120;

/// A login. One of `email` and `username` is needed; they mean the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The address.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// The address, as clients of the OAuth2 form call it.
    username: Option<String>,
    /// The password.
    password: String,
    /// Slug or id of the tenant. Without it the host's tenant is meant, and without that the one where the address
    /// registered first.
    tenant: Option<String>,
    /// What the user calls the device, for the list of sessions.
    #[schema(example = "Ada's laptop", min_length = 1, max_length = 120)]
    device_name: Option<String>,
    /// Whether the session outlives the day; it does when left out.
    remember: Option<bool>,
    /// Where the refresh token is put.
    #[serde(default)]
    delivery: TokenDelivery,
}

/// The OAuth2 form. It is our own login for our own clients, not the password grant: only address and password count.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginForm {
    /// The address.
    username: String,
    /// The password.
    password: String,
    /// Slug or id of the tenant, as in the JSON form.
    tenant: Option<String>,
}

/// A login of either form.
pub(crate) struct Credentials {
    /// The address as it was typed.
    pub(crate) address: String,
    /// The password.
    pub(crate) password: SecretString,
    /// Slug or id.
    pub(crate) tenant: Option<String>,
    /// What the user calls the device.
    pub(crate) device_name: Option<String>,
    /// Whether the session outlives the day.
    pub(crate) remember: bool,
    /// Where the refresh token is put.
    pub(crate) delivery: TokenDelivery,
}

impl Validate for LoginRequest {
    fn validate(&self, errors: &mut Errors) {
        match (&self.email, &self.username) {
            (None, None) => errors.add("/email", "required", "is required"),
            (Some(_), Some(_)) => errors.add(
                "/username",
                "ambiguous",
                "means the same as email: send one of them",
            ),
            _ => {}
        }
        let name = self.device_name.as_deref().map(str::trim);
        if name
            .is_some_and(|name| !(1..=MOST_DEVICE_NAME_CHARACTERS).contains(&name.chars().count()))
        {
            errors.add(
                "/device_name",
                "invalid_length",
                "must have 1 to 120 characters",
            );
        }
    }
}

impl Validate for LoginForm {
    fn validate(&self, _: &mut Errors) {}
}

impl From<LoginRequest> for Credentials {
    fn from(request: LoginRequest) -> Self {
        let address = request.email.or(request.username).unwrap_or_default();
        Self {
            address,
            password: request.password.into(),
            tenant: request.tenant,
            device_name: request.device_name.map(|name| name.trim().to_owned()),
            remember: request.remember.unwrap_or(true),
            delivery: request.delivery,
        }
    }
}

impl From<LoginForm> for Credentials {
    fn from(form: LoginForm) -> Self {
        let tenant = form.tenant.filter(|tenant| !tenant.is_empty());
        Self {
            address: form.username,
            password: form.password.into(),
            tenant,
            device_name: None,
            remember: true,
            delivery: TokenDelivery::Body,
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Credentials {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if is_form(request.headers()) {
            return Form::<LoginForm>::from_request(request, state)
                .await
                .map(|Form(form)| form.into());
        }
        Json::<LoginRequest>::from_request(request, state)
            .await
            .map(|Json(request)| request.into())
    }
}
