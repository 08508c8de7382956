use axum::extract::State;
use bz_http::{Errors, Json, Problem, Validate};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::store;
use crate::{app::AppState, problems::PublicProblems, users::Email};

/// Whose tenants to tell.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoverRequest {
    /// The address.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
}

impl Validate for DiscoverRequest {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
    }
}

/// Which tenants do I have? The list goes to the address by mail; the answer is the same whether or not there is one.
#[utoipa::path(
    post, path = "/auth/tenants/discover", tag = "account", security(()),
    request_body = DiscoverRequest,
    responses((status = 202, description = "A mail is on its way if the address is known"), PublicProblems),
)]
pub(crate) async fn discover_tenants(
    State(app): State<AppState>,
    Json(request): Json<DiscoverRequest>,
) -> Result<StatusCode, Problem> {
    if let Ok(email) = Email::parse(&request.email) {
        let mut tx = app.core.db.system().await?;
        let _tenants = store::tenants_of_address(&mut tx, &email).await?;
        // mail: to the address, with slug and name of `_tenants`, when there are any; queued in the address's default home.
    }
    Ok(StatusCode::ACCEPTED)
}
