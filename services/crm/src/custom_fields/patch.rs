use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Versioned};
use bz_tenant::TenantTx;
use uuid::Uuid;

use super::{CustomField, CustomFieldsManage, PatchCustomField, record_type, store};
use crate::{
    app::AppState,
    problems,
    search::backlog,
    settings::{self, Done},
};

/// Change a field.
///
/// What lists find by it follows at once: when `filterable` or `unique` change, all records are indexed anew. With
/// `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/custom-fields/{id}", tag = "custom fields",
    security(("bearer" = ["custom-fields:manage"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    request_body = PatchCustomField,
    responses(
        (status = 200, description = "It, as it is now", body = CustomField,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_custom_field(
    State(app): State<AppState>,
    caller: Can<CustomFieldsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchCustomField>,
) -> Result<Versioned<CustomField>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let field = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(field.version)?;
    let mut errors = Errors::default();
    let wanted = patch.onto(&field, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let after = change(&app, &mut tx, &field, &wanted).await?;
    let done = Done {
        kind: "custom_field",
        id,
        action: "updated",
        before: Some(&field),
        after: Some(&after),
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.known.custom.invalidate(&caller.scope.tenant());
    Ok(Versioned(after.version, after))
}

async fn change(
    app: &AppState,
    tx: &mut TenantTx,
    before: &CustomField,
    wanted: &CustomField,
) -> Result<CustomField, Problem> {
    let record = record_type(&before.record_type).ok_or_else(Problem::not_found)?;
    let other_type = before.r#type != wanted.r#type;
    if other_type && store::is_used(tx, record, &before.key).await? {
        return Err(problems::custom_field_in_use());
    }
    let after = store::update(tx, app.core.sources.now(), wanted).await?;
    if other_type || before.filterable != after.filterable || before.unique != after.unique {
        store::index(tx, record, after.id).await?;
    }
    if before.searchable != after.searchable {
        backlog::queue(tx, record, &after.key).await?;
    }
    Ok(after)
}
