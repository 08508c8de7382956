use axum::{extract::State, response::Response};
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::SecretString;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    join::{self, Newcomer},
    store::Found,
    token,
};
use crate::{
    app::AppState,
    origin::Origin,
    passwords,
    problems::{PublicProblems, overloaded},
    registration::check_name,
    sessions::{TokenAnswer, issue},
};

/// An invitation to accept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptRequest {
    /// The token of the mail.
    token: String,
    /// A password, for somebody who is not logged in: it makes a user in the tenant.
    #[schema(min_length = 8, max_length = 128)]
    password: Option<String>,
    /// What the new user wants to be called.
    #[schema(max_length = 120)]
    name: Option<String>,
}

impl Validate for AcceptRequest {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check_name("/name", name, errors);
        }
    }
}

/// Accept an invitation.
///
/// Whoever is logged in, with the address that was invited, becomes a guest of the tenant and keeps the one password. Whoever
/// is not becomes a user of the tenant, with the password that is sent. The answer has tokens of a session in the tenant.
#[utoipa::path(
    post, path = "/auth/invitations/accept", tag = "invitations", security(("bearer" = []), ()),
    request_body = AcceptRequest,
    responses(
        (status = 200, description = "Tokens of a session in the tenant", body = TokenAnswer),
        (status = 409, description = "The address belongs to a member", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
pub(crate) async fn accept_invitation(
    State(app): State<AppState>,
    headers: HeaderMap,
    caller: Result<Caller, Problem>,
    origin: Origin,
    Json(request): Json<AcceptRequest>,
) -> Result<Response, Problem> {
    let token = token::parse(&request.token)?;
    let (account, grant) = if headers.contains_key(header::AUTHORIZATION) {
        // A token that is not good is no way to become somebody else.
        let caller = caller?;
        caller.refuse_impersonation()?;
        join::as_guest(&app, &token, &caller, &origin).await?
    } else {
        let found = token::open(&app, &token).await?;
        let newcomer = newcomer(&app, &found, request).await?;
        join::as_user(&app, &token, &newcomer, &origin).await?
    };
    app.wake();
    Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
}

/// Makes whoever has the token a user of the tenant, without a session: for the page behind the link.
pub(crate) async fn join_anew(
    app: &AppState,
    token: String,
    password: String,
    origin: &Origin,
) -> Result<(), Problem> {
    let parsed = token::parse(&token)?;
    let found = token::open(app, &parsed).await?;
    let request = AcceptRequest {
        token,
        password: Some(password),
        name: None,
    };
    let newcomer = newcomer(app, &found, request).await?;
    join::as_user(app, &parsed, &newcomer, origin).await?;
    app.wake();
    Ok(())
}

/// The user to make, with the password hashed: no connection is held meanwhile, and only for a token that is good.
async fn newcomer(
    app: &AppState,
    found: &Found,
    request: AcceptRequest,
) -> Result<Newcomer, Problem> {
    let required = || {
        let message = "is required, unless you are logged in with the address that was invited";
        Problem::invalid("/password", "required", message)
    };
    let password: SecretString = request.password.ok_or_else(required)?.into();
    let name = request.name.map(|name| name.trim().to_owned());
    let context = [
        &*found.invitation.email,
        &found.tenant_name,
        name.as_deref().unwrap_or_default(),
    ];
    let fewest = found.policy.password_min_length;
    passwords::check("/password", &password, &context, fewest)?;
    let password_hash = app.passwords.hash(&password).await.map_err(overloaded)?;
    Ok(Newcomer {
        name,
        password_hash,
    })
}
