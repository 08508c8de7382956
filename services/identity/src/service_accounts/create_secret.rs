use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_kernel::ExposeSecret;
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MOST_SECRETS, SECRET_PREFIX, ServiceAccountsManage, store};
use crate::{app::AppState, credential::Credential, origin::Origin};

/// A client secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientSecret {
    /// Its id.
    id: Uuid,
    /// For `POST /oauth2/token`.
    client_id: String,
    /// For `POST /oauth2/token`. It is not shown again.
    #[schema(example = "sas_…")]
    client_secret: String,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// Make a client secret of a service account, which has two at most: to replace one, make another, take it into use,
/// and delete the first.
#[utoipa::path(
    post, path = "/api/service-accounts/{id}/secrets", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(("id" = Uuid, Path, description = "The account")),
    responses(
        (status = 201, description = "The secret", body = ClientSecret),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn create_service_account_secret(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    crate::api_keys::only_people(&caller)?;
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let credential = Credential::new(caller.tenant(), sources.id(), &sources.rng);
    let insert = async |tx: &mut TenantTx| {
        let account = store::find_for_update(tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        super::may_handle(&caller, account.role)?;
        if account.secrets.len() >= MOST_SECRETS {
            return Err(too_many());
        }
        store::insert_secret(tx, id, credential.id, credential.secret_hash(), now).await?;
        let changes = json!({ "secret_id": credential.id });
        let what = (id, "service_account.secret_created");
        super::note(tx, &app, &caller, what, changes, &origin).await?;
        Ok(account.client_id)
    };
    let client_id = app
        .core
        .db
        .run(
            "identity.service_accounts.create_secret",
            &caller.scope,
            insert,
        )
        .await?;
    let secret = Json(ClientSecret {
        id: credential.id,
        client_id,
        client_secret: credential.expose(SECRET_PREFIX).expose_secret().to_owned(),
        created_at: now,
    });
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, no_store, secret).into_response())
}

fn too_many() -> Problem {
    Problem::conflict(
        "too_many_secrets",
        "The account has two secrets. Delete one first.",
    )
}
