use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use uuid::Uuid;

use super::{CustomFieldsManage, record_type, store};
use crate::{
    app::AppState,
    records::{
        Work,
        mass::{Rewrite, rewrite},
    },
    settings::{self, Done},
};

/// Delete a field, and its values in all records.
#[utoipa::path(
    delete, path = "/api/custom-fields/{id}", tag = "custom fields",
    security(("bearer" = ["custom-fields:manage"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_custom_field(
    State(app): State<AppState>,
    caller: Can<CustomFieldsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let field = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(field.version)?;
    store::delete(&mut tx, id).await?;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor: caller.user,
    };
    if let Some(record) = record_type(&field.record_type) {
        rewrite(&mut work, record, Rewrite::Custom { key: &field.key }).await?;
    }
    let done = Done {
        kind: "custom_field",
        id,
        action: "deleted",
        before: Some(&field),
        after: None,
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.known.custom.invalidate(&caller.scope.tenant());
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
