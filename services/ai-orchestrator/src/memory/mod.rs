//! Memory: facts that an agent keeps about the user for whom it works. An agent writes and reads them by its tools, for that user
//! alone; the user sees and deletes them here. They go when the user or the tenant does.

mod clear;
mod delete;
pub(crate) mod facts;
mod list;
mod store;

use bz_http::{Routes, routes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

pub(crate) use store::forget_user;

bz_kernel::typed_id!(
    /// A fact.
    MemoryId
);

bz_auth::permissions! {
    /// See what agents remember of oneself.
    MemoryRead = "memory:read",
    /// Have agents remember something of oneself, and delete it.
    MemoryWrite = "memory:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_memories, clear::delete_memories))
        .routes(routes!(delete::delete_memory))
}

/// A fact that an agent remembers of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Memory {
    /// Its id.
    pub id: MemoryId,
    /// The agent, by its name.
    pub agent: String,
    /// What it is about: `preferred-language`.
    pub key: String,
    /// The fact.
    pub text: String,
    /// When it was first remembered.
    pub created_at: DateTime<Utc>,
    /// When it was last remembered.
    pub updated_at: DateTime<Utc>,
}
