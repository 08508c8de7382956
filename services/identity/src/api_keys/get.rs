use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{ApiKey, ApiKeysManage, store};
use crate::app::AppState;

/// An API key, without its secret.
#[utoipa::path(
    get, path = "/api/api-keys/{id}", tag = "api-keys", security(("bearer" = ["api-keys:manage"])),
    params(("id" = Uuid, Path, description = "The key")),
    responses(
        (status = 200, description = "The key", body = ApiKey, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn get_api_key(
    State(app): State<AppState>,
    caller: Can<ApiKeysManage>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<ApiKey>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let key = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(key.version, key))
}
