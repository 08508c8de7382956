//! The audit trail: who changed what, when, from what to what, of all records and settings. It is only added to.

mod list;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::AppState;

bz_auth::permissions! {
    /// See who changed what.
    CrmAuditManage = "crm-audit:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(list::list_audit))
}

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// The id of the entry; of a creation, that of the record.
    pub id: Uuid,
    /// What was changed: `lead`, `contact`, `tag`, `team`, `custom_field`, `record_access` and so on.
    pub record_type: String,
    /// Which one.
    pub record_id: Uuid,
    /// What was done: `created`, `updated`, `deleted`, `restored` and so on.
    pub action: String,
    /// Who did it.
    pub actor: Option<UserId>,
    /// When.
    pub at: DateTime<Utc>,
    /// What changed, by field: `[before, after]`.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// Why, where something was said.
    pub reason: Option<String>,
}
