//! Whose records of a type a role sees and changes: nobody's, one's own, those of one's teams, all. Owners and admins see
//! and change everything; a role of which nothing is said sees and changes all that its permissions let it.

mod list;
mod put;

use bz_http::{Errors, Routes, Validate, routes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::{app::AppState, rules};

bz_auth::permissions! {
    /// See and say whose records a role sees and changes.
    RecordAccessManage = "record-access:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_record_access))
        .routes(routes!(put::put_record_access))
}

/// Whose records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Width {
    /// Nobody's.
    None,
    /// Those that the user owns or created.
    Own,
    /// These, and those of the user's teams.
    Team,
    /// All.
    All,
}

rules::text_enum!(Width { None => "none", Own => "own", Team => "team", All => "all" });
rules::read_from_text!(Width);

/// What a role sees and changes of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub(crate) struct RecordAccess {
    /// The role's name.
    pub role: String,
    /// The type of record: `lead`.
    pub record_type: String,
    /// Whose records it sees.
    pub reads: Width,
    /// Whose records it changes.
    pub writes: Width,
    /// When this was last said.
    pub updated_at: DateTime<Utc>,
}

/// What a role shall see and change of a type.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutRecordAccess {
    /// Whose records it sees.
    pub reads: Width,
    /// Whose records it changes; not more than it sees.
    pub writes: Width,
}

impl Validate for PutRecordAccess {
    fn validate(&self, errors: &mut Errors) {
        if self.writes > self.reads {
            errors.add(
                "/writes",
                "wider_than_reads",
                "must not be wider than reads: nobody changes what they do not see",
            );
        }
    }
}
