use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{OauthClient, OauthClientId, OauthClientsManage, store};
use crate::app::AppState;

/// One application.
#[utoipa::path(
    get, path = "/api/oauth-clients/{id}", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(("id" = OauthClientId, Path, description = "The client")),
    responses(
        (status = 200, description = "The client", body = OauthClient,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_oauth_client(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    Path(id): Path<OauthClientId>,
) -> Result<Versioned<OauthClient>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let client = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(client.version, client))
}
