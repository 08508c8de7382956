use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned, validated};

use super::{OauthClient, OauthClientId, OauthClientsManage, PatchOauthClient, store};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// Change an application.
#[utoipa::path(
    patch, path = "/api/oauth-clients/{id}", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(("id" = OauthClientId, Path, description = "The client"), IfMatch),
    request_body = PatchOauthClient,
    responses(
        (status = 200, description = "The client", body = OauthClient,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_oauth_client(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    Path(id): Path<OauthClientId>,
    if_match: IfMatch,
    origin: Origin,
    Json(patch): Json<PatchOauthClient>,
) -> Result<Versioned<OauthClient>, Problem> {
    let sources = &app.core.sources;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let (client, _) = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(client.version)?;
    let wanted = validated(patch.onto(client))?;
    wanted.check_target(&app)?;
    let changed = store::update(&mut tx, id, sources.now(), &wanted).await?;
    let entry = Entry {
        actor: Actor::of(&caller),
        action: "oauth_client.updated",
        target: Some(("oauth_client", id.as_uuid())),
        success: true,
        changes: store::changes(&wanted),
        origin: &origin,
    };
    audit::record(&mut tx, sources, entry).await?;
    tx.commit().await?;
    Ok(Versioned(changed.version, changed))
}
