use axum::extract::State;
use bz_http::{Errors, Json, Problem, Validate};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token;
use crate::{app::AppState, problems::PublicProblems, tenants::TenantSummary};

/// A token to look into.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupRequest {
    /// The token of the mail.
    token: String,
}

impl Validate for LookupRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// What an invitation is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationPreview {
    /// The tenant.
    tenant: TenantSummary,
    /// The address that it is for.
    email: String,
    /// The roles that the new member gets.
    roles: Vec<String>,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
    /// The fewest characters of a password there.
    password_min_length: u8,
}

/// What is this invitation about? Nothing happens to it.
#[utoipa::path(
    post, path = "/auth/invitations/lookup", tag = "invitations", security(()),
    request_body = LookupRequest,
    responses((status = 200, description = "What it is about", body = InvitationPreview), PublicProblems),
)]
pub(crate) async fn lookup_invitation(
    State(app): State<AppState>,
    Json(request): Json<LookupRequest>,
) -> Result<Json<InvitationPreview>, Problem> {
    let token = token::parse(&request.token)?;
    let found = token::open(&app, &token).await?;
    Ok(Json(InvitationPreview {
        tenant: TenantSummary {
            id: token.tenant,
            slug: found.tenant_slug,
            name: found.tenant_name,
        },
        email: found.invitation.email,
        roles: found.invitation.roles,
        expires_at: found.invitation.expires_at,
        password_min_length: found.policy.password_min_length,
    }))
}

/// The fewest characters of a password in the tenant that an invitation is to.
///
/// # Errors
/// 400 `token_invalid`.
pub(crate) async fn fewest_characters(app: &AppState, token: &str) -> Result<u8, Problem> {
    let token = token::parse(token)?;
    Ok(token::open(app, &token).await?.policy.password_min_length)
}
