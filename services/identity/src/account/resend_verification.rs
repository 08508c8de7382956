use axum::extract::State;
use bz_http::{Json, Problem};
use http::{HeaderMap, StatusCode};

use super::{
    Accepted, AddressRequest,
    asked::{self, Asked},
};
use crate::{app::AppState, mail::language::Language, origin::Origin, problems::PublicProblems};

/// Send the verification mail again.
///
/// The answer is the same, after the same work, whether or not the address waits to be verified.
#[utoipa::path(
    post, path = "/auth/verify-email/resend", tag = "account", security(()),
    request_body = AddressRequest,
    responses((status = 202, description = "A mail is on its way, if one is due", body = Accepted), PublicProblems),
)]
pub(crate) async fn resend_verification(
    State(app): State<AppState>,
    headers: HeaderMap,
    language: Language,
    origin: Origin,
    Json(request): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    asked::send(
        &app,
        &headers,
        &request,
        Asked::Verification,
        (language, origin),
    )
    .await
}
