use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Path, Problem, Versioned};
use bz_kernel::UserId;
use serde_json::json;

use super::{ManagedUser, UsersManage, store, target::target};
use crate::{
    app::AppState,
    changes::{self, By},
    members::change,
    origin::Origin,
    sessions::store::RevokedBecause,
};

/// Disable a user: their sessions end at once, and they cannot log in. Disabling again changes nothing.
#[utoipa::path(
    post, path = "/api/users/{id}/disable", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The user as it is now", body = ManagedUser),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn disable_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<Versioned<ManagedUser>, Problem> {
    set(&app, &caller, &origin, id, "disabled").await
}

/// Let a disabled user log in again.
#[utoipa::path(
    post, path = "/api/users/{id}/enable", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The user as it is now", body = ManagedUser),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn enable_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<Versioned<ManagedUser>, Problem> {
    set(&app, &caller, &origin, id, "active").await
}

async fn set(
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: UserId,
    status: &'static str,
) -> Result<Versioned<ManagedUser>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = target(&mut tx, caller, id).await?;
    if before.user.status == status {
        return Ok(Versioned(before.user.version, before.user));
    }
    store::set_status(&mut tx, id, status, app.core.sources.now()).await?;
    let kind = if status == "disabled" {
        change::keep_an_owner(&mut tx, before.member.as_ref()).await?;
        let because = RevokedBecause::UserDisabled;
        change::shut_out(&mut tx, app, id, because, caller.user).await?;
        "user.disabled"
    } else {
        "user.enabled"
    };
    let user = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (by, target) = (By::new(caller, origin), ("user", id.as_uuid()));
    changes::tell(&mut tx, app, by, kind, target, json!({})).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(user.version, user))
}
