use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem};
use serde_json::json;

use super::{
    OauthClientId, OauthClientWithSecret, OauthClientsManage, secret::ClientSecret, store,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// Give an application another secret.
///
/// The secret before this one stays good until the next rotation, so that the application can be changed over without a
/// pause; to make a secret that leaked worthless, rotate twice. The new one is shown in this answer only.
#[utoipa::path(
    post, path = "/api/oauth-clients/{id}/rotate-secret", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(("id" = OauthClientId, Path, description = "The client"), IfMatch),
    responses(
        (status = 200, description = "The client with its new secret", body = OauthClientWithSecret),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn rotate_oauth_client_secret(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    Path(id): Path<OauthClientId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<Json<OauthClientWithSecret>, Problem> {
    let sources = &app.core.sources;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let (client, generation) = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(client.version)?;
    if !client.token_endpoint_auth_method.has_secret() {
        return Err(Problem::conflict(
            "client_without_secret",
            "This client has no secret: it cannot keep one, or signs instead.",
        ));
    }
    let generation = generation.saturating_add(1);
    let secret = ClientSecret::derive(&app.core.secret, id, generation);
    let client = store::rotate(&mut tx, id, sources.now(), generation, &secret).await?;
    let entry = Entry {
        actor: Actor::of(&caller),
        action: "oauth_client.secret_rotated",
        target: Some(("oauth_client", id.as_uuid())),
        success: true,
        changes: json!({ "secret_generation": generation }),
        origin: &origin,
    };
    audit::record(&mut tx, sources, entry).await?;
    tx.commit().await?;
    Ok(Json(OauthClientWithSecret {
        client,
        client_secret: Some(secret.expose()),
    }))
}
