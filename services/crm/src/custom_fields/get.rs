use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{CustomField, CustomFieldsRead, store};
use crate::app::AppState;

/// One field of the tenant's own.
#[utoipa::path(
    get, path = "/api/custom-fields/{id}", tag = "custom fields",
    security(("bearer" = ["custom-fields:read"])),
    params(("id" = Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = CustomField, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_custom_field(
    State(app): State<AppState>,
    caller: Can<CustomFieldsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<CustomField>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let field = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(field.version, field))
}
