use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Patch, Path, Problem, Validate, Versioned};
use bz_tenant::TenantTx;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ServiceAccount, ServiceAccountsManage, ServiceRole, ServiceStatus, store};
use crate::{app::AppState, oauth_clients::rules, origin::Origin};

/// What to change of an account; what is missing stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchServiceAccount {
    /// What people call it.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it may do.
    role: Option<ServiceRole>,
    /// Whether it may get tokens.
    status: Option<ServiceStatus>,
    /// Its public keys, all of them; `null` for none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    jwks: Patch<Value>,
}

impl Validate for PatchServiceAccount {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            super::check_name(name, errors);
        }
        super::check_description(self.description.as_deref().unwrap_or_default(), errors);
        if let Patch::Value(keys) = &self.jwks {
            rules::key_set(errors, keys);
        }
    }
}

/// Change a service account. The tokens that it has are refused within a second; it gets new ones as it is now.
#[utoipa::path(
    patch, path = "/api/service-accounts/{id}", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(("id" = Uuid, Path, description = "The account"), IfMatch),
    request_body = PatchServiceAccount,
    responses(
        (status = 200, description = "The account as it is now", body = ServiceAccount,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(crate) async fn patch_service_account(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchServiceAccount>,
) -> Result<Versioned<ServiceAccount>, Problem> {
    crate::api_keys::only_people(&caller)?;
    let change = async |tx: &mut TenantTx| {
        let mut account = store::find_for_update(tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        super::may_handle(&caller, account.role)?;
        if_match.check(account.version)?;
        patch.onto(&mut account);
        super::may_handle(&caller, account.role)?;
        store::update(tx, &account, app.core.sources.now()).await?;
        super::revoke(tx, &app, id).await?;
        let changes =
            json!({ "name": account.name, "role": account.role, "status": account.status });
        super::note(
            tx,
            &app,
            &caller,
            (id, "service_account.updated"),
            changes,
            &origin,
        )
        .await?;
        store::find(tx, id).await?.ok_or_else(Problem::not_found)
    };
    let account = app
        .core
        .db
        .run("identity.service_accounts.patch", &caller.scope, change)
        .await?;
    app.wake();
    Ok(Versioned(account.version, account))
}

impl PatchServiceAccount {
    fn onto(self, account: &mut ServiceAccount) {
        if let Some(name) = self.name {
            account.name = name.trim().to_owned();
        }
        if self.description.is_some() {
            account.description = self.description;
        }
        account.role = self.role.unwrap_or(account.role);
        account.status = self.status.unwrap_or(account.status);
        account.jwks = self.jwks.onto(account.jwks.take());
    }
}
