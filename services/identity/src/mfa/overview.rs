use axum::extract::State;
use bz_auth::Entrant;
use bz_http::{Json, Problem};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::app::AppState;

/// The second factors of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct Mfa {
    /// Whether a login needs one.
    enabled: bool,
    /// The authenticator app.
    totp: Option<TotpFactor>,
    /// Recovery codes that were not used yet.
    recovery_codes_left: i64,
}

/// An authenticator app.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpFactor {
    /// Its id.
    id: Uuid,
    /// When it was added.
    created_at: DateTime<Utc>,
}

/// Which second factors do I have?
#[utoipa::path(
    get, path = "/auth/mfa", tag = "mfa",
    responses((status = 200, description = "The second factors", body = Mfa), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn get_mfa(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
) -> Result<Json<Mfa>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let totp = store::active_factor(&mut tx, caller.user).await?;
    let recovery_codes_left = store::codes_left(&mut tx, caller.user).await?;
    Ok(Json(Mfa {
        enabled: totp.is_some(),
        totp: totp.map(|factor| TotpFactor {
            id: factor.id,
            created_at: factor.created_at,
        }),
        recovery_codes_left,
    }))
}
