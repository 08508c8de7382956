//! Automations: when something happened to a record that passes a filter, a list of actions is done, as the user who
//! created the automation. The runs and what they did stand in a log.

mod act;
mod create;
mod creator;
mod delete;
mod dry_run;
mod get;
mod list;
mod patch;
mod rules;
mod runs;
mod store;
mod worker;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{app::AppState, records::filter::Filter};

pub(crate) use worker::jobs;

bz_auth::permissions! {
    /// Set up automations and look into their runs.
    AutomationsManage = "automations:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_automation, list::list_automations))
        .routes(routes!(
            get::get_automation,
            patch::patch_automation,
            delete::delete_automation
        ))
        .routes(routes!(runs::list_automation_runs))
        .routes(routes!(dry_run::dry_run_automation))
}

/// What is done by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Automation {
    /// Its id.
    id: Uuid,
    #[serde(flatten)]
    wanted: CreateAutomation,
    /// Why it was disabled when nobody did it: `failing` (ten runs failed one after the other) or `creator_gone`.
    disabled_reason: Option<String>,
    /// Runs that failed since the last one that did not.
    failures: i32,
    /// Who created it. It acts as this user.
    created_by: UserId,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    version: i64,
    /// The creator's roles and permissions when it was saved last.
    #[serde(skip)]
    roles: Vec<String>,
    #[serde(skip)]
    entitlements: Vec<String>,
}

/// An automation to set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "Welcome referrals", "record_type": "lead", "when": ["lead.created"],
    "filter": { "field": "source", "value": "referral" }, "actions": [{ "type": "add_tag", "tag": "warm" }]
}))]
pub(crate) struct CreateAutomation {
    /// Its name, at most 100 characters, unique among the tenant's automations.
    #[schema(max_length = 100)]
    name: String,
    /// The type of record that it is about: `lead`.
    record_type: String,
    /// Whether it runs.
    #[serde(default = "yes")]
    enabled: bool,
    /// The kinds of events that start it: `lead.created`. 1 to 10, all of the record's type.
    #[schema(min_items = 1, max_items = 10)]
    when: Vec<String>,
    /// Only when one of these fields changed: `status`, `custom.plan`. At most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    changed_fields: Vec<String>,
    /// Only for records that pass this.
    filter: Option<Filter>,
    /// What is done, in this order, all or nothing. 1 to 20.
    #[schema(min_items = 1, max_items = 20)]
    actions: Vec<Action>,
}

const fn yes() -> bool {
    true
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Action {
    /// Change fields of the record, as in a JSON merge patch.
    SetFields {
        /// The fields.
        #[schema(value_type = Object)]
        fields: Map<String, Value>,
    },
    /// Give the record a tag.
    AddTag {
        /// The tag.
        tag: String,
    },
    /// Make a user the record's owner.
    Assign {
        /// The user.
        user_id: UserId,
    },
    /// Create another record, for example a to-do; one that has links is linked to the record.
    CreateRecord {
        /// Its type: `todo`.
        record_type: String,
        /// Its fields.
        #[schema(value_type = Object)]
        fields: Map<String, Value>,
    },
    /// Send `automation.fired` to one of the CRM's webhooks, with its retries.
    CallWebhook {
        /// The webhook.
        webhook_id: Uuid,
    },
    /// Let an agent of the AI orchestrator work on the record.
    RunAgent {
        /// The agent.
        agent: String,
        /// What it is to do.
        input: Option<String>,
    },
}

/// What an action did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ActionOutcome {
    /// The action's type.
    action: String,
    /// `changed`, `unchanged`, `created` or `queued`.
    result: String,
    /// What was created or queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
}
