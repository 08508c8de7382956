//! Roles: the built-in ones, and those that a tenant makes of the permissions in the catalogue.

pub(crate) mod catalog;
mod check;
mod create;
mod delete;
mod get;
pub(crate) mod guard;
mod list;
mod permissions;
mod replace;
pub(crate) mod rights;
pub(crate) mod store;

use bz_http::{Errors, Problem, Routes, Validate, routes};
use bz_kernel::{RoleId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::rights::{BuiltIn, Rights};
use crate::{
    app::AppState,
    members::change,
    revocations::{self, Revoked},
};

bz_auth::permissions! {
    /// See roles and the catalogue of permissions.
    RolesRead = "roles:read",
    /// Make, change and delete roles.
    RolesManage = "roles:manage",
}

/// The longest name of a role, in characters.
const MOST_NAME_CHARACTERS: usize = 60;
/// The longest description, in characters.
const MOST_DESCRIPTION_CHARACTERS: usize = 500;
/// The most permissions that one role names.
const MOST_PERMISSIONS: usize = 200;
/// With more holders of a changed role than this, everybody's access tokens are refreshed instead of theirs.
const MOST_REVOCATIONS: usize = 200;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_role, list::list_roles))
        .routes(routes!(
            get::get_role,
            replace::replace_role,
            delete::delete_role
        ))
        .routes(routes!(permissions::list_permissions))
        .routes(routes!(check::check_permissions))
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Role {
    /// The role's id; that of a built-in one is its name.
    #[schema(example = "019b76da-a800-7000-8000-00000000dead")]
    pub(crate) id: String,
    /// The name, as tokens list it.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Whether every tenant has it and none can change it.
    pub(crate) built_in: bool,
    /// What it allows: `leads:write`, `leads:*`, `*:read`.
    pub(crate) permissions: Vec<String>,
    /// When it was made.
    pub(crate) created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub(crate) updated_at: Option<DateTime<Utc>>,
    /// Grows by one with every change; also the `ETag`.
    pub(crate) version: i64,
}

impl From<BuiltIn> for Role {
    fn from(role: BuiltIn) -> Self {
        let permissions = role.permissions().iter();
        Self {
            id: role.as_str().to_owned(),
            name: role.as_str().to_owned(),
            description: Some(role.description().to_owned()),
            built_in: true,
            permissions: permissions.map(ToString::to_string).collect(),
            created_at: None,
            updated_at: None,
            version: 1,
        }
    }
}

impl Role {
    /// What it gives.
    pub(crate) fn rights(&self) -> Rights {
        Rights::of_permissions(self.permissions.clone())
    }
}

/// A role as it is made, and as it is after a change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteRole {
    /// The name, of at most 60 characters; no other role of the tenant has it, in whatever case.
    #[schema(example = "Sales", min_length = 1, max_length = 60)]
    name: String,
    /// What it is for, in at most 500 characters.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// What it allows: permissions of the catalogue, all of a resource (`leads:*`), `*:read`, `*:write`.
    #[schema(example = json!(["leads:read"]), max_items = 200)]
    permissions: Vec<String>,
}

impl Validate for WriteRole {
    fn validate(&self, errors: &mut Errors) {
        check_role_name("/name", &self.name, errors);
        if let Some(text) = &self.description {
            check_text("/description", text, MOST_DESCRIPTION_CHARACTERS, errors);
        }
        if self.permissions.len() > MOST_PERMISSIONS {
            errors.add("/permissions", "too_long", "must have at most 200 entries");
            return;
        }
        for (at, name) in self.permissions.iter().enumerate() {
            if !catalog::is_grantable(name) {
                let message = "is no permission of the catalogue (GET /api/permissions)";
                errors.add(format!("/permissions/{at}"), "unknown_permission", message);
            }
        }
    }
}

impl WriteRole {
    /// The same with its texts trimmed and each permission once.
    fn normalised(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        self.description = self.description.map(|text| text.trim().to_owned());
        self.permissions.sort_unstable();
        self.permissions.dedup();
        self
    }

    fn rights(&self) -> Rights {
        Rights::of_permissions(self.permissions.clone())
    }
}

/// Adds what is wrong with the name of a role.
pub(crate) fn check_role_name(pointer: &'static str, name: &str, errors: &mut Errors) {
    check_text(pointer, name, MOST_NAME_CHARACTERS, errors);
    if BuiltIn::parse(&name.trim().to_lowercase()).is_some() {
        errors.add(pointer, "built_in", "is the name of a built-in role");
    }
}

fn check_text(pointer: &'static str, text: &str, most: usize, errors: &mut Errors) {
    let text = text.trim();
    if text.is_empty() {
        errors.add(pointer, "blank", "must not be blank");
    } else if text.chars().count() > most {
        let message = format!("must have at most {most} characters");
        errors.add(pointer, "too_long", message);
    } else if text.chars().any(char::is_control) {
        errors.add(
            pointer,
            "control_character",
            "must not contain control characters",
        );
    }
}

/// The id of a role of the tenant's own; a built-in role cannot be changed, and nothing else is one.
///
/// # Errors
/// 409 `built_in_role`; 404.
fn own_id(id: &str) -> Result<RoleId, Problem> {
    if BuiltIn::parse(id).is_some() {
        let detail = "A built-in role cannot be changed.";
        return Err(Problem::conflict("built_in_role", detail));
    }
    id.parse().map_err(|_| Problem::not_found())
}

fn name_taken() -> Problem {
    Problem::conflict("role_name_taken", "Another role has this name.")
}

/// Lets the holders of a role that has changed refresh their access tokens, which then carry the new rights.
pub(crate) async fn refresh_holders(
    tx: &mut TenantTx,
    app: &AppState,
    role: RoleId,
    by: UserId,
) -> Result<(), DbError> {
    let holders = store::holders(tx, role, MOST_REVOCATIONS + 1).await?;
    if holders.len() > MOST_REVOCATIONS {
        return revocations::revoke(tx, &app.core.sources, Revoked::Tenant).await;
    }
    for holder in holders {
        change::refresh_rights(tx, app, holder, by).await?;
    }
    Ok(())
}
