use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use serde_json::json;

use super::{OauthClientId, OauthClientsManage, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::{end, store::RevokedBecause},
};

/// Delete an application. The sessions that it has end with it, and its tokens are good for nothing.
#[utoipa::path(
    delete, path = "/api/oauth-clients/{id}", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(("id" = OauthClientId, Path, description = "The client"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_oauth_client(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    Path(id): Path<OauthClientId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let (client, _) = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(client.version)?;
    for session in store::sessions_of(&mut tx, id).await? {
        let because = RevokedBecause::EndedByAdmin;
        end::end(&mut tx, &app, session, because, Some(caller.user)).await?;
    }
    store::delete(&mut tx, id).await?;
    let entry = Entry {
        actor: Actor::of(&caller),
        action: "oauth_client.deleted",
        target: Some(("oauth_client", id.as_uuid())),
        success: true,
        changes: json!({ "name": client.name }),
        origin: &origin,
    };
    audit::record(&mut tx, &app.core.sources, entry).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
