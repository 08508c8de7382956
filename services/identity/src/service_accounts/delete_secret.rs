use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{ServiceAccountsManage, store};
use crate::{app::AppState, origin::Origin};

/// Delete a client secret. The tokens that the account has are refused within a second, whichever secret they were
/// given for.
#[utoipa::path(
    delete, path = "/api/service-accounts/{id}/secrets/{secret_id}", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(
        ("id" = Uuid, Path, description = "The account"),
        ("secret_id" = Uuid, Path, description = "The secret"),
    ),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn delete_service_account_secret(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    origin: Origin,
    Path((id, secret)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let delete = async |tx: &mut TenantTx| {
        if !store::delete_secret(tx, id, secret).await? {
            return Err(Problem::not_found());
        }
        super::revoke(tx, &app, id).await?;
        let changes = json!({ "secret_id": secret });
        let what = (id, "service_account.secret_deleted");
        super::note(tx, &app, &caller, what, changes, &origin).await?;
        Ok(())
    };
    app.core
        .db
        .run(
            "identity.service_accounts.delete_secret",
            &caller.scope,
            delete,
        )
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
