use axum::extract::State;
use bz_http::{Json, Problem};
use http::{HeaderMap, StatusCode};

use super::{
    Accepted, AddressRequest,
    asked::{self, Asked},
};
use crate::{app::AppState, mail::language::Language, origin::Origin, problems::PublicProblems};

/// Ask for a link by which a forgotten password is replaced.
///
/// The answer is the same, after the same work, whether or not there is an account with the address.
#[utoipa::path(
    post, path = "/auth/password/forgot", tag = "account", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "A mail is on its way, if there is an account", body = Accepted), PublicProblems),
)]
pub(crate) async fn forgot_password(
    State(app): State<AppState>,
    headers: HeaderMap,
    language: Language,
    origin: Origin,
    Json(request): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    asked::send(&app, &headers, &request, Asked::Reset, (language, origin)).await
}
