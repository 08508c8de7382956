use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{ServiceAccountsManage, store};
use crate::{app::AppState, origin::Origin};

/// Delete a service account with its secrets. Services refuse its tokens within a second.
#[utoipa::path(
    delete, path = "/api/service-accounts/{id}", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn delete_service_account(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let delete = async |tx: &mut TenantTx| {
        let account = store::find_for_update(tx, id)
            .await?
            .ok_or_else(Problem::not_found)?;
        super::may_handle(&caller, account.role)?;
        store::delete(tx, id).await?;
        super::revoke(tx, &app, id).await?;
        let what = (id, "service_account.deleted");
        super::note(
            tx,
            &app,
            &caller,
            what,
            json!({ "name": account.name }),
            &origin,
        )
        .await?;
        Ok::<_, Problem>(())
    };
    app.core
        .db
        .run("identity.service_accounts.delete", &caller.scope, delete)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
