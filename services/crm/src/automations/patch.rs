use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Patch, Path, Problem, Validate, Versioned, validated};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Action, Automation, AutomationsManage, CreateAutomation, rules, store};
use crate::{app::AppState, records::filter::Filter};

/// Changes of an automation: a missing field stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchAutomation {
    /// Its name.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Whether it runs. Enabling one that was disabled forgets its failures.
    enabled: Option<bool>,
    /// The kinds of events that start it.
    #[schema(min_items = 1, max_items = 10)]
    when: Option<Vec<String>>,
    /// Only when one of these fields changed.
    #[schema(max_items = 50)]
    changed_fields: Option<Vec<String>>,
    /// Only for records that pass this; `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<Filter>)]
    filter: Patch<Filter>,
    /// What is done.
    #[schema(min_items = 1, max_items = 20)]
    actions: Option<Vec<Action>>,
}

/// What is wrong shows only with the automation that is changed.
impl Validate for PatchAutomation {
    fn validate(&self, _: &mut Errors) {}
}

/// Change an automation. From then on it acts as the caller.
#[utoipa::path(
    patch, path = "/api/automations/{id}", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(("id" = Uuid, Path, description = "The automation"), IfMatch),
    request_body = PatchAutomation,
    responses(
        (status = 200, description = "The automation as it is now", body = Automation,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The name is taken", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_automation(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchAutomation>,
) -> Result<Versioned<Automation>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let automation = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(automation.version)?;
    let wanted = validated(patch.onto(automation.wanted))?;
    rules::check(&app, &mut tx, &caller, &wanted).await?;
    let changed = store::update(&mut tx, &caller, (id, app.core.sources.now()), &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(changed.version, changed))
}

impl PatchAutomation {
    fn onto(self, automation: CreateAutomation) -> CreateAutomation {
        CreateAutomation {
            name: self.name.unwrap_or(automation.name),
            enabled: self.enabled.unwrap_or(automation.enabled),
            when: self.when.unwrap_or(automation.when),
            changed_fields: self.changed_fields.unwrap_or(automation.changed_fields),
            filter: self.filter.onto(automation.filter),
            actions: self.actions.unwrap_or(automation.actions),
            record_type: automation.record_type,
        }
    }
}
