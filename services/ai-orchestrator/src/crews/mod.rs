//! Crews: tasks that hang together, each done by an agent.

mod create;
mod definition;
mod delete;
mod get;
mod list;
mod put;
mod store;
mod validate;
mod versions;

use bz_http::{Routes, routes};
use bz_kernel::{CrewId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

pub(crate) use definition::{CreateCrew, CrewDefinition, Process, PutCrew, check_schema};

bz_auth::permissions! {
    /// See the crews.
    CrewsRead = "crews:read",
    /// Make, change and delete crews.
    CrewsWrite = "crews:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_crews, create::create_crew))
        .routes(routes!(get::get_crew, put::put_crew, delete::delete_crew))
        .routes(routes!(versions::list_crew_versions))
        .routes(routes!(validate::validate_crew))
}

/// A crew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Crew {
    /// Its id.
    pub id: CrewId,
    /// Name for programs.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub definition: CrewDefinition,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}
