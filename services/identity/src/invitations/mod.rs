//! Invitations into a tenant: a token in a mail, good once, for one address.

pub(crate) mod accept;
pub(crate) mod create;
pub(crate) mod grant;
mod join;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod resend;
pub(crate) mod revoke;
pub(crate) mod store;
mod token;

use bz_http::{Problem, Routes, routes};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::AppState;

/// What an invitation's token begins with.
pub(crate) const PREFIX: &str = "inv1.";
/// How long an invitation is good for, unless it says otherwise.
const LIFETIME: TimeDelta = TimeDelta::days(7);
/// The longest that it may say.
const MOST_SECONDS: i64 = 30 * 24 * 60 * 60;

bz_auth::permissions! {
    /// Invite people and change who belongs to the tenant.
    MembersManage = "members:manage",
}

/// The operations.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_invitation, list::list_invitations))
        .routes(routes!(revoke::delete_invitation))
        .routes(routes!(resend::resend_invitation))
        .routes(routes!(lookup::lookup_invitation))
        .routes(routes!(accept::accept_invitation))
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// Somebody became a member by it.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Nobody accepted it in time.
    Expired,
}

/// An invitation. Its token is only in the mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The address that it is for.
    pub email: String,
    /// The roles that the new member gets.
    pub roles: Vec<String>,
    /// What the mail says besides.
    pub message: Option<String>,
    /// What became of it.
    pub status: InvitationStatus,
    /// Who invites.
    pub invited_by: Uuid,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// Who the new member is.
    pub accepted_by: Option<Uuid>,
}

/// 400 for a token that is wrong, used, taken back, too old, or of a tenant that is not there: one answer for all.
pub(crate) fn token_invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "token_invalid",
        "The token is not valid",
    )
    .detail("It is wrong, was used before, or is too old. Ask for another invitation.")
}

/// 409: the address belongs to a member.
pub(crate) fn already_member() -> Problem {
    Problem::conflict(
        "already_member",
        "The address belongs to a member of the tenant.",
    )
}

/// 409 for an invitation that was accepted or taken back.
fn closed() -> Problem {
    Problem::conflict("invitation_closed", "It was accepted, or taken back.")
}
