use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{ServiceAccount, ServiceAccountsManage, store};
use crate::app::AppState;

/// A service account.
#[utoipa::path(
    get, path = "/api/service-accounts/{id}", tag = "service-accounts",
    security(("bearer" = ["service-accounts:manage"])),
    params(("id" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = ServiceAccount,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn get_service_account(
    State(app): State<AppState>,
    caller: Can<ServiceAccountsManage>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<ServiceAccount>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let account = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(account.version, account))
}
