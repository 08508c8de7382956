//! Capture forms: forms on a tenant's own site whose submissions become leads.

mod accept;
mod body;
mod capture;
mod create;
mod delete;
mod get;
mod list;
mod put;
mod store;

use axum::{extract::DefaultBodyLimit, routing::options};
use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::{TeamId, UserId, typed_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::AppState, leads::LEAD, records::Kind, rules};

bz_auth::permissions! {
    /// See capture forms.
    CaptureFormsRead = "capture_forms:read",
    /// Make and change capture forms.
    CaptureFormsManage = "capture_forms:manage",
}

typed_id!(
    /// A form on a tenant's own site.
    CaptureFormId
);

/// The most forms of a tenant.
const MOST_FORMS: usize = 200;
/// The largest submission, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The most inputs, origins and tags of a form.
const MOST_PARTS: usize = 50;

/// The routes of this resource, the public one included.
pub(crate) fn routes() -> Routes<AppState> {
    let public = Routes::new()
        .routes(routes!(capture::capture_lead))
        .route("/api/leads/capture/{form_key}", options(capture::preflight))
        .layer(DefaultBodyLimit::max(MOST_BYTES));
    Routes::new()
        .routes(routes!(
            list::list_capture_forms,
            create::create_capture_form
        ))
        .routes(routes!(
            get::get_capture_form,
            put::put_capture_form,
            delete::delete_capture_form
        ))
        .merge(public)
}

/// A form whose submissions become leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CaptureForm {
    /// Its id.
    pub id: CaptureFormId,
    /// The last part of the address that the form posts to: `/api/leads/capture/{key}`. Not a secret.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Whether submissions are taken.
    pub enabled: bool,
    /// What it is like.
    pub settings: FormSettings,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// What a client writes of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateCaptureForm, example = json!({
    "name": "Contact us",
    "settings": {
        "origins": ["https://www.engines.example"],
        "fields": [{ "input": "mail", "field": "email" }, { "input": "name", "field": "last_name" }],
        "honeypot": "website_url",
        "consent": { "input": "agree", "text": "You may write to me about engines.", "required": true }
    }
}))]
pub(crate) struct WantedForm {
    /// Its name, 1 to 100 characters, unique.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Whether submissions are taken.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What it is like.
    pub settings: FormSettings,
}

const fn yes() -> bool {
    true
}

/// What a form is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormSettings {
    /// The origins whose pages may submit it, exactly as browsers send them: `https://www.engines.example`. 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub origins: Vec<String>,
    /// Which input becomes which field of the lead, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub fields: Vec<FormField>,
    /// An input that people do not see and programs fill in: what has something in it is thrown away.
    pub honeypot: Option<String>,
    /// What the person agrees to.
    pub consent: Option<FormConsent>,
    /// The lead's `source`; `form` when not given.
    #[schema(max_length = 100)]
    pub source: Option<String>,
    /// The lead's `campaign`; `utm_campaign` when not given.
    #[schema(max_length = 200)]
    pub campaign: Option<String>,
    /// The lead's tags.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    /// Who gets the leads; the assignment rules say so when not given.
    pub owner_id: Option<UserId>,
    /// The team that the leads belong to.
    pub team_id: Option<TeamId>,
    /// Where a browser goes after it sent the form itself (not a script).
    #[schema(max_length = 500)]
    pub success_redirect: Option<String>,
}

/// One input of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormField {
    /// The input's name.
    #[schema(min_length = 1, max_length = 100)]
    pub input: String,
    /// The lead's field: `email`, `last_name`, `custom.<key>`.
    pub field: String,
}

/// What a person agrees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormConsent {
    /// The name of the box that is ticked.
    #[schema(min_length = 1, max_length = 100)]
    pub input: String,
    /// What it says, 1 to 2,000 characters; kept with the lead.
    #[schema(min_length = 1, max_length = 2_000)]
    pub text: String,
    /// Whether nothing is kept of who does not agree.
    #[serde(default)]
    pub required: bool,
}

/// Whether a form can write a field of a lead.
fn is_written(field: &str) -> bool {
    const NEVER: [&str; 2] = ["external_id", "unqualified_reason"];
    if let Some(key) = field.strip_prefix("custom.") {
        return !key.is_empty();
    }
    let known = LEAD.field(field).filter(|known| known.written);
    known.is_some_and(|known| matches!(known.kind, Kind::Text | Kind::Integer))
        && !NEVER.contains(&field)
}

/// Whether a text is an origin (RFC 6454): scheme, host and perhaps a port, nothing behind.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && text.len() <= 300
            && text == text.to_lowercase()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
    })
}

impl Validate for WantedForm {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/name", Some(&self.name), 100);
        let set = &self.settings;
        for (name, count) in [("origins", set.origins.len()), ("fields", set.fields.len())] {
            if count == 0 || count > MOST_PARTS {
                errors.add(
                    format!("/settings/{name}"),
                    "out_of_range",
                    "must have 1 to 50 entries",
                );
            }
        }
        for (n, origin) in set.origins.iter().enumerate() {
            if !is_origin(origin) {
                let pointer = format!("/settings/origins/{n}");
                errors.add(
                    pointer,
                    "invalid_origin",
                    "must be like https://www.example.com, without a path",
                );
            }
        }
        fields(errors, &set.fields);
        texts(errors, set);
        tags(errors, &set.tags);
    }
}

fn texts(errors: &mut Errors, set: &FormSettings) {
    rules::optional_text(errors, "/settings/honeypot", set.honeypot.as_deref(), 100);
    rules::optional_text(errors, "/settings/source", set.source.as_deref(), 100);
    rules::optional_text(errors, "/settings/campaign", set.campaign.as_deref(), 200);
    if let Some(consent) = &set.consent {
        let (input, text) = (Some(consent.input.as_str()), Some(consent.text.as_str()));
        rules::optional_text(errors, "/settings/consent/input", input, 100);
        rules::optional_text(errors, "/settings/consent/text", text, 2_000);
    }
    let redirect = set.success_redirect.as_deref();
    rules::optional_text(errors, "/settings/success_redirect", redirect, 500);
    let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if redirect.is_some_and(|url| !is_url(url)) {
        errors.add(
            "/settings/success_redirect",
            "invalid_url",
            "must begin with https:// or http://",
        );
    }
}

/// A lead takes no other tags, and one that it does not take would lose every submission its lead.
fn tags(errors: &mut Errors, tags: &[String]) {
    let fits = |(n, tag): (usize, &String)| {
        !tag.is_empty()
            && tag.trim() == tag
            && tag.chars().count() <= 60
            && !tags[..n].contains(tag)
    };
    if tags.len() > MOST_PARTS || !tags.iter().enumerate().all(fits) {
        errors.add(
            "/settings/tags",
            "invalid_tag",
            "must be at most 50 different tags of 1 to 60 characters, without blanks at their ends",
        );
    }
}

fn fields(errors: &mut Errors, fields: &[FormField]) {
    for (n, field) in fields.iter().enumerate() {
        rules::optional_text(
            errors,
            format!("/settings/fields/{n}/input"),
            Some(&field.input),
            100,
        );
        if !is_written(&field.field) {
            let pointer = format!("/settings/fields/{n}/field");
            errors.add(
                pointer,
                "unknown_field",
                "must be a text field of a lead, employees, or custom.<key>",
            );
        } else if fields[..n].iter().any(|other| other.field == field.field) {
            let pointer = format!("/settings/fields/{n}/field");
            errors.add(
                pointer,
                "repeated",
                "is there already; name each field once",
            );
        }
    }
}
