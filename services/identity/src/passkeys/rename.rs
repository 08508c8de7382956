use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Errors, Json, Path, Problem, Validate};
use bz_tenant::{DbError, TenantTx};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Passkey, check_name, store};
use crate::app::AppState;

/// What to call a passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenamePasskey {
    /// The name.
    #[schema(example = "Work laptop", min_length = 1, max_length = 120)]
    name: String,
}

impl Validate for RenamePasskey {
    fn validate(&self, errors: &mut Errors) {
        check_name(&self.name, errors);
    }
}

/// Rename a passkey.
#[utoipa::path(
    patch, path = "/auth/passkeys/{id}", tag = "passkeys",
    params(("id" = Uuid, Path, description = "The passkey's id")),
    request_body = RenamePasskey,
    responses((status = 200, description = "The passkey", body = Passkey), bz_http::openapi::ChangeProblems),
)]
pub(crate) async fn rename_passkey(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(request): Json<RenamePasskey>,
) -> Result<Json<Passkey>, Problem> {
    caller.refuse_impersonation()?;
    let rename =
        async |tx: &mut TenantTx| store::rename(tx, caller.user, id, request.name.trim()).await;
    app.core
        .db
        .run::<_, DbError>("identity.passkeys.rename", &caller.scope, rename)
        .await?
        .map(Json)
        .ok_or_else(Problem::not_found)
}
