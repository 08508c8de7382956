use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateCustomField, CustomField, CustomFieldsManage, store};
use crate::{
    app::AppState,
    problems,
    settings::{self, Done},
};

/// The most fields of a type of record.
const MOST: i64 = 200;

/// Define a field.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/custom-fields", tag = "custom fields",
    security(("bearer" = ["custom-fields:manage"])),
    params(IdempotencyKey),
    request_body = CreateCustomField,
    responses(
        (status = 201, description = "It, as it is now", body = CustomField,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The key is taken, or there are 200 fields", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_custom_field(
    State(app): State<AppState>,
    caller: Can<CustomFieldsManage>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateCustomField>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "custom_fields.create",
        &wanted,
        async |tx| {
            if store::count(tx, &wanted.record_type).await? >= MOST {
                return Err(problems::too_many_custom_fields());
            }
            let field = store::insert(tx, sources.id(), sources.now(), &wanted).await?;
            let done = Done {
                kind: "custom_field",
                id: field.id,
                action: "created",
                before: None,
                after: Some(&field),
            };
            settings::note(&app, tx, caller.user, done).await?;
            Ok(field)
        },
    )
    .await?;
    app.known.custom.invalidate(&caller.scope.tenant());
    Ok(created.into_response_with(|field| field.version))
}
