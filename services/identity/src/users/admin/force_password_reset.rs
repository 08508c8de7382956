use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{UsersManage, store, target::act};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    changes::By,
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
    let by = By::new(&caller, &origin);
    let reset = async |tx: &mut TenantTx| {
        store::clear_password(tx, id, app.core.sources.now()).await?;
        let because = RevokedBecause::PasswordReset;
        change::shut_out(tx, &app, id, because, caller.user).await?;
        if let Some(account) = users::store::find(tx, id).await? {
            links::reset_password(tx, &app, Recipient::of(&account)).await?;
        }
        Ok(json!({}))
    };
    act(&app, by, id, "user.password_reset_forced", reset).await?;
    Ok(StatusCode::NO_CONTENT)
}
