use axum::extract::State;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use webauthn_rs::prelude::RequestChallengeResponse;

use super::ceremony::Ceremony;
use crate::{app::AppState, problems::PublicProblems};

/// What the browser needs to use a passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginOptions {
    /// For `POST /auth/passkeys/login/verify`.
    ceremony: String,
    /// For `navigator.credentials.get()`, binary members as base64url.
    #[schema(value_type = Object)]
    options: RequestChallengeResponse,
}

/// Begin to log in with a passkey. Nobody is named, so that nothing can be learnt of anybody.
#[utoipa::path(
    post, path = "/auth/passkeys/login/options", tag = "passkeys", security(()),
    responses((status = 200, description = "What the browser needs", body = LoginOptions), PublicProblems),
)]
pub(crate) async fn login_options(
    State(app): State<AppState>,
) -> Result<Json<LoginOptions>, Problem> {
    let (options, state) = app
        .config
        .relying_party
        .start_discoverable_authentication()
        .map_err(Problem::internal)?;
    let ceremony = Ceremony::new(&app, state)
        .seal(&app)
        .map_err(Problem::internal)?;
    Ok(Json(LoginOptions { ceremony, options }))
}
