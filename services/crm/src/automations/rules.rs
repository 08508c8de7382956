//! What an automation must be.

use bz_auth::Caller;
use bz_http::{Errors, Problem, Validate};

use super::{Action, CreateAutomation};
use crate::{
    app::AppState,
    records::{self, RecordType, custom, filter::Context},
    rules,
};

impl Validate for CreateAutomation {
    fn validate(&self, errors: &mut Errors) {
        rules::text(errors, "/name", &self.name, 100);
        count(errors, "/when", self.when.len(), 1, 10);
        count(errors, "/actions", self.actions.len(), 1, 20);
        count(errors, "/changed_fields", self.changed_fields.len(), 0, 50);
        let Some(record) = type_of(&self.record_type) else {
            return errors.add("/record_type", "unknown_type", known());
        };
        let prefix = format!("{}.", record.name);
        for (n, kind) in self.when.iter().enumerate() {
            if !kind.starts_with(&prefix) || kind.len() > 100 {
                let message = format!(
                    "must be a kind of event of the type, such as {}",
                    record.events[0]
                );
                errors.add(format!("/when/{n}"), "invalid_value", message);
            }
        }
        for (n, field) in self.changed_fields.iter().enumerate() {
            if record.field(field).is_none() && field != "tags" && !field.starts_with("custom.") {
                errors.add(
                    format!("/changed_fields/{n}"),
                    "unknown_field",
                    format!("{} have no such field", record.plural),
                );
            }
        }
        for (n, action) in self.actions.iter().enumerate() {
            action.check(errors, &format!("/actions/{n}"), record);
        }
    }
}

impl Action {
    fn check(&self, errors: &mut Errors, at: &str, record: &RecordType) {
        match self {
            Self::SetFields { fields } => {
                if fields.is_empty() {
                    errors.add(
                        format!("{at}/fields"),
                        "required",
                        "name at least one field",
                    );
                }
                for name in fields.keys() {
                    let known = record.field(name).is_some_and(|field| field.written);
                    if !known && name != "tags" && name != "custom" {
                        let message = "is no field that can be changed; leave it out";
                        errors.add(
                            format!("{at}/fields/{}", name.replace('~', "~0").replace('/', "~1")),
                            "unknown_field",
                            message,
                        );
                    }
                }
            }
            Self::AddTag { tag } => {
                if tag.trim().is_empty() || tag.trim() != tag || tag.chars().count() > 60 {
                    let message = "must be 1 to 60 characters, without blanks at its ends";
                    errors.add(format!("{at}/tag"), "invalid_tag", message);
                }
            }
            Self::CreateRecord { record_type, .. } => {
                if type_of(record_type).is_none() {
                    errors.add(format!("{at}/record_type"), "unknown_type", known());
                }
            }
            Self::RunAgent { agent, input } => {
                rules::text(errors, format!("{at}/agent"), agent, 100);
                rules::optional_text(errors, format!("{at}/input"), input.as_deref(), 4_000);
            }
            Self::Assign { .. } | Self::CallWebhook { .. } => {}
        }
    }

    /// Its type, as in JSON.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::SetFields { .. } => "set_fields",
            Self::AddTag { .. } => "add_tag",
            Self::Assign { .. } => "assign",
            Self::CreateRecord { .. } => "create_record",
            Self::CallWebhook { .. } => "call_webhook",
            Self::RunAgent { .. } => "run_agent",
        }
    }

    /// The type of record that it writes.
    pub(super) fn writes<'a>(&'a self, record: &'a str) -> Option<&'a str> {
        match self {
            Self::SetFields { .. } | Self::AddTag { .. } | Self::Assign { .. } => Some(record),
            Self::CreateRecord { record_type, .. } => Some(record_type),
            Self::CallWebhook { .. } | Self::RunAgent { .. } => None,
        }
    }
}

/// A type by its name.
pub(super) fn type_of(name: &str) -> Option<&'static RecordType> {
    records::ALL
        .iter()
        .find(|record| record.name == name)
        .copied()
}

fn known() -> String {
    let names: Vec<&str> = records::ALL.iter().map(|record| record.name).collect();
    format!("must be one of: {}", names.join(", "))
}

fn count(errors: &mut Errors, at: &'static str, count: usize, least: usize, most: usize) {
    if count < least || count > most {
        errors.add(
            at,
            "out_of_range",
            format!("must have {least} to {most} items"),
        );
    }
}

/// Whether the caller may do what the automation does, and whether its filter can be used.
///
/// # Errors
/// 403 for what the caller may not do; 422 for a filter that does not fit.
pub(super) async fn check(
    app: &AppState,
    tx: &mut bz_tenant::TenantTx,
    caller: &Caller,
    wanted: &CreateAutomation,
) -> Result<(), Problem> {
    for action in &wanted.actions {
        let Some(record) = action.writes(&wanted.record_type).and_then(type_of) else {
            continue;
        };
        if !caller
            .permissions
            .allow(&format!("{}:write", record.plural))
        {
            return Err(
                Problem::forbidden().detail("An automation does only what its creator may do.")
            );
        }
    }
    let (Some(record), Some(filter)) = (type_of(&wanted.record_type), &wanted.filter) else {
        return Ok(());
    };
    let known = custom::definitions(app, tx).await?;
    filter.check(Context {
        record,
        custom: &known,
        me: caller.user,
    })
}
