use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Patch, Path, Problem, Validate, Versioned};
use bz_kernel::UserId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{ManagedUser, UsersManage, store, target::target};
use crate::{
    app::AppState,
    changes::{self, By},
    guests,
    origin::Origin,
    registration::check_name,
};

/// A change of a user (JSON merge patch, RFC 7396). The address is the user's to change: whoever could change it could
/// have the password reset to their own mailbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchUser {
    /// What the user wants to be called.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 120)]
    name: Patch<String>,
}

impl Validate for PatchUser {
    fn validate(&self, errors: &mut Errors) {
        if let Patch::Value(name) = &self.name {
            check_name("/name", name, errors);
        }
    }
}

/// Change a user.
#[utoipa::path(
    patch, path = "/api/users/{id}", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user"), IfMatch),
    request_body = PatchUser,
    responses(
        (status = 200, description = "The user as it is now", body = ManagedUser,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
    Json(patch): Json<PatchUser>,
) -> Result<Versioned<ManagedUser>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = target(&mut tx, &caller, id).await?.user;
    if_match.check(before.version)?;
    let name = patch.name.onto(before.name.clone());
    let name = name.as_deref().map(str::trim);
    if name == before.name.as_deref() {
        return Ok(Versioned(before.version, before));
    }
    let now = app.core.sources.now();
    store::set_name(&mut tx, id, name, now).await?;
    guests::store::spread_profile(&mut tx, id, now).await?;
    let user = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    let changes = json!({ "changed": ["name"] });
    changes::tell(&mut tx, &app, by, "user.updated", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(user.version, user))
}
