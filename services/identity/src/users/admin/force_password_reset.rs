use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::{UsersManage, store, target::target};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    changes::{self, By},
    members::change,
    origin::Origin,
    sessions::store::RevokedBecause,
    users,
};

/// Take the password away: the user's sessions end at once, and a mail lets them set a new one.
#[utoipa::path(
    post, path = "/api/users/{id}/force-password-reset", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user has no password any more"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn force_password_reset(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    target(&mut tx, &caller, id).await?;
    store::clear_password(&mut tx, id, app.core.sources.now()).await?;
    let because = RevokedBecause::PasswordReset;
    change::shut_out(&mut tx, &app, id, because, caller.user).await?;
    if let Some(account) = users::store::find(&mut tx, id).await? {
        links::reset_password(&mut tx, &app, Recipient::of(&account)).await?;
    }
    let changes = json!({});
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    changes::tell(
        &mut tx,
        &app,
        by,
        "user.password_reset_forced",
        target,
        changes,
    )
    .await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
