//! Teams of the tenant's users. A role may be narrowed to the records of its users' teams.

mod create;
mod delete;
mod get;
mod list;
mod members;
mod patch;
mod store;

use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::{TeamId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::AppState, rules};

bz_auth::permissions! {
    /// See the teams.
    TeamsRead = "teams:read",
    /// Create, change and delete teams.
    TeamsManage = "teams:manage",
}

/// The most members of a team.
const MOST_MEMBERS: usize = 1_000;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_team, list::list_teams))
        .routes(routes!(
            get::get_team,
            patch::patch_team,
            delete::delete_team
        ))
        .routes(routes!(
            members::add_team_member,
            members::remove_team_member
        ))
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub members: Vec<UserId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A team to create.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTeam {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Who is in it: users of the tenant, at most 1,000.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    pub members: Vec<UserId>,
}

/// A change of a team: what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTeam {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Who is in it from now on.
    #[schema(max_items = 1_000)]
    pub members: Option<Vec<UserId>>,
}

fn check_members(errors: &mut Errors, members: &[UserId]) {
    if members.len() > MOST_MEMBERS {
        errors.add("/members", "too_many", "must be at most 1,000 users");
    }
}

impl Validate for CreateTeam {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 200);
        check_members(errors, &self.members);
    }
}

impl Validate for PatchTeam {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", self.name.as_deref(), 200);
        check_members(errors, self.members.as_deref().unwrap_or_default());
    }
}
