use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use bz_tenant::DbError;
use serde_json::json;
use sqlx::query_as;
use uuid::Uuid;

use super::{PutRecordAccess, RecordAccess, RecordAccessManage};
use crate::{
    app::AppState,
    custom_fields::record_type,
    settings::{self, Done},
};

/// Say whose records of a type a role sees and changes.
///
/// It holds at once in this process and within a second in all others.
#[utoipa::path(
    put, path = "/api/record-access/{role}/{record_type}", tag = "record access",
    security(("bearer" = ["record-access:manage"])),
    params(
        ("role" = String, Path, description = "The role's name; not `owner` and `admin`, who see everything"),
        ("record_type" = String, Path, description = "The type of record: `lead`"),
    ),
    request_body = PutRecordAccess,
    responses(
        (status = 200, description = "What holds now", body = RecordAccess),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn put_record_access(
    State(app): State<AppState>,
    caller: Can<RecordAccessManage>,
    Path((role, of)): Path<(String, String)>,
    Json(wanted): Json<PutRecordAccess>,
) -> Result<Json<RecordAccess>, Problem> {
    check(&role, &of)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row: RecordAccess = query_as(
        "-- crm.record_access.put\nINSERT INTO crm.record_access (role, record_type, reads, writes, updated_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT record_access_pkey \
         DO UPDATE SET reads = $3, writes = $4, updated_at = $5 \
         RETURNING role, record_type, reads, writes, updated_at",
    )
    .bind(&role)
    .bind(&of)
    .bind(wanted.reads.as_str())
    .bind(wanted.writes.as_str())
    .bind(app.core.sources.now())
    .fetch_one(tx.conn())
    .await
    .map_err(DbError::from)?;
    let done = Done {
        kind: "record_access",
        // It has no id of its own; its role and type are in what is written down.
        id: Uuid::nil(),
        action: "updated",
        before: None,
        after: Some(&json!(&row)),
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.known.access.invalidate(&caller.scope.tenant());
    Ok(Json(row))
}

fn check(role: &str, of: &str) -> Result<(), Problem> {
    if role == "owner" || role == "admin" {
        let message = "must be another role: owner and admin see everything";
        return Err(Problem::invalid_parameter("role", "not_possible", message));
    }
    if role.is_empty() || role.chars().count() > 100 || role.contains('\0') {
        let message = "must be the name of a role, at most 100 characters";
        return Err(Problem::invalid_parameter("role", "invalid_value", message));
    }
    if record_type(of).is_none() {
        let message = "must be a type of record, such as lead";
        return Err(Problem::invalid_parameter(
            "record_type",
            "unknown_record_type",
            message,
        ));
    }
    Ok(())
}
