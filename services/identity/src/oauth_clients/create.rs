use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem, etag};
use http::{HeaderValue, StatusCode, header};

use super::{
    CreateOauthClient, OauthClient, OauthClientWithSecret, OauthClientsManage,
    secret::ClientSecret, store,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// Register an application.
///
/// The secret is shown in this answer only; only its hash is kept. With an `Idempotency-Key` the same request may be sent
/// again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/oauth-clients", tag = "oauth-clients",
    security(("bearer" = ["oauth-clients:manage"])),
    params(IdempotencyKey),
    request_body = CreateOauthClient,
    responses(
        (status = 201, description = "The client", body = OauthClientWithSecret,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_oauth_client(
    State(app): State<AppState>,
    caller: Can<OauthClientsManage>,
    key: IdempotencyKey,
    origin: Origin,
    Json(request): Json<CreateOauthClient>,
) -> Result<Response, Problem> {
    request.check_target(&app)?;
    let (db, sources) = (&app.core.db, &app.core.sources);
    let created = bz_http::idempotent(
        (db, &sources.clock),
        &caller.scope,
        &key,
        "oauth_clients.create",
        &request,
        async |tx| {
            let (id, now) = (sources.id(), sources.now());
            let secret = (request.token_endpoint_auth_method.has_secret())
                .then(|| ClientSecret::derive(&app.core.secret, id, 1));
            let created =
                store::insert(tx, id, caller.user, now, &request, secret.as_ref()).await?;
            let entry = Entry {
                actor: Actor::of(&caller),
                action: "oauth_client.created",
                target: Some(("oauth_client", id.as_uuid())),
                success: true,
                changes: store::changes(&request),
                origin: &origin,
            };
            audit::record(tx, sources, entry).await?;
            Ok(created)
        },
    )
    .await?;
    let mut response = with_first_secret(&app, created.value);
    if created.replayed {
        let replayed = HeaderValue::from_static("true");
        response
            .headers_mut()
            .insert("idempotency-replayed", replayed);
    }
    Ok(response)
}

/// The secret is not among what is remembered of the answer; it is derived once more.
fn with_first_secret(app: &AppState, client: OauthClient) -> Response {
    let client_secret = (client.token_endpoint_auth_method.has_secret())
        .then(|| ClientSecret::derive(&app.core.secret, client.id, 1).expose());
    let tag = [(header::ETAG, etag(client.version))];
    let answer = OauthClientWithSecret {
        client,
        client_secret,
    };
    (StatusCode::CREATED, tag, Json(answer)).into_response()
}
