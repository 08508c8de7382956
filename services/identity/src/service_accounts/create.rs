use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ServiceAccount, ServiceAccountsManage, ServiceRole, store, store::NewAccount};
use crate::{app::AppState, oauth_clients::rules, origin::Origin};

/// A service account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateServiceAccount {
    /// What people call it, 1 to 120 characters.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// What it may do.
    role: ServiceRole,
    /// Public keys, with which it may show who it is instead of with a secret (RFC 7523): a JSON Web Key Set.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
}

impl Validate for CreateServiceAccount {
    fn validate(&self, errors: &mut Errors) {
        super::check_name(&self.name, errors);
        super::check_description(self.description.as_deref().unwrap_or_default(), errors);
        if let Some(keys) = &self.jwks {
            rules::key_set(errors, keys);
        }
    }
}

/// Make a service account. It has no secret yet.
#[utoipa::path(
    post, path = "/api/service-accounts", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    request_body = CreateServiceAccount,
    responses(
        (status = 201, description = "The account", body = ServiceAccount),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(crate) async fn create_service_account(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    origin: Origin,
    Json(wanted): Json<CreateServiceAccount>,
) -> Result<Response, Problem> {
    crate::api_keys::only_people(&caller)?;
    super::may_handle(&caller, wanted.role)?;
    let id: Uuid = app.core.sources.id();
    let new = NewAccount {
        id,
        name: wanted.name.trim(),
        description: wanted.description.as_deref(),
        role: wanted.role,
        jwks: wanted.jwks.as_ref(),
        by: caller.user,
        at: app.core.sources.now(),
    };
    let insert = async |tx: &mut TenantTx| {
        store::insert(tx, &new).await?;
        let changes = json!({ "name": new.name, "role": new.role });
        super::note(
            tx,
            &app,
            &caller,
            (id, "service_account.created"),
            changes,
            &origin,
        )
        .await?;
        store::find(tx, id).await?.ok_or_else(Problem::not_found)
    };
    let account = app
        .core
        .db
        .run("identity.service_accounts.create", &caller.scope, insert)
        .await?;
    Ok((StatusCode::CREATED, Json(account)).into_response())
}
