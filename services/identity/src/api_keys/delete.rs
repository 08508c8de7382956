use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{ApiKeysManage, store};
use crate::{app::AppState, origin::Origin};

/// Delete an API key. Services refuse it within a second.
#[utoipa::path(
    delete, path = "/api/api-keys/{id}", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn delete_api_key(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let delete = async |tx: &mut TenantTx| {
        if !store::delete(tx, id).await? {
            return Err(Problem::not_found());
        }
        let what = (id, "api_key.deleted");
        super::changed(tx, &app, &caller, what, json!({}), &origin).await?;
        Ok(())
    };
    app.core
        .db
        .run("identity.api_keys.delete", &caller.scope, delete)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
