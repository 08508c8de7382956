use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Path, Problem};
use bz_kernel::SessionId;
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;

use super::{
    end,
    store::{self, RevokedBecause},
    store_own,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// End one of one's own sessions. Ending it again is a success too.
///
/// Its access tokens are refused by every service within a second.
#[utoipa::path(
    delete, path = "/auth/sessions/{id}", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn revoke_session(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    crate::api_keys::only_people(&caller)?;
    let end = async |tx: &mut TenantTx| {
        if !store_own::belongs_to(tx, id, caller.user).await? {
            return Err(Problem::not_found());
        }
        store::lock(tx, id).await?;
        let because = RevokedBecause::EndedByUser;
        if end::end(tx, &app, id, because, Some(caller.user)).await? {
            let entry = Entry {
                actor: Actor::of(&caller),
                action: "session.revoked",
                target: Some(("session", id.as_uuid())),
                success: true,
                changes: json!({ "reason": because.as_str() }),
                origin: &origin,
            };
            audit::record(tx, &app.core.sources, entry).await?;
        }
        Ok(())
    };
    app.core
        .db
        .run::<_, Problem>("identity.sessions.revoke", &caller.scope, end)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
