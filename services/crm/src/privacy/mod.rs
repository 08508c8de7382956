//! What the law gives a person: everything that is known of them, and to be forgotten (GDPR, articles 15, 17 and 20).

mod erase;
mod export;
mod person;

use bz_http::{Errors, Routes, Validate, routes};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{app::AppState, rules};

bz_auth::permissions! {
    /// Export and erase what is known of a person.
    PrivacyManage = "privacy:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(export::export_person))
        .routes(routes!(erase::erase_person))
}

/// Whom it is about: an address, or a record.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    /// The person's e-mail address, in any spelling.
    email: Option<String>,
    /// A record of the person.
    record: Option<SubjectRecord>,
}

/// A record of a person.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectRecord {
    /// Its type: one that has an e-mail address, such as `lead` and `contact`.
    r#type: String,
    /// Its id.
    id: Uuid,
}

impl Validate for Subject {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_email(errors, "/email", self.email.as_deref());
        if self.email.is_some() == self.record.is_some() {
            errors.add("", "email_or_record", "give either email or record");
        }
        if let Some(record) = &self.record
            && !person::types().any(|known| known.name == record.r#type)
        {
            let names: Vec<&str> = person::types().map(|known| known.name).collect();
            let message = format!("must be one of: {}", names.join(", "));
            errors.add("/record/type", "invalid_value", message);
        }
    }
}
