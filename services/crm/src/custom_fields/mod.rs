//! Fields that a tenant adds to a type of record.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod store;

use bz_http::{Errors, Patch, Routes, Validate, routes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    records::{ALL, RecordType},
    rules,
};

bz_auth::permissions! {
    /// See the tenant's own fields.
    CustomFieldsRead = "custom-fields:read",
    /// Define, change and delete fields.
    CustomFieldsManage = "custom-fields:manage",
}

/// The most options of a field.
const MOST_OPTIONS: usize = 500;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(
            create::create_custom_field,
            list::list_custom_fields
        ))
        .routes(routes!(
            get::get_custom_field,
            patch::patch_custom_field,
            delete::delete_custom_field
        ))
}

/// What values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A point in time.
    Datetime,
    /// One of the options.
    Select,
    /// Any of the options.
    MultiSelect,
    /// A web address.
    Url,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

rules::text_enum!(FieldType {
    Text => "text",
    Number => "number",
    Boolean => "boolean",
    Date => "date",
    Datetime => "datetime",
    Select => "select",
    MultiSelect => "multi_select",
    Url => "url",
    Email => "email",
    Phone => "phone",
});
rules::read_from_text!(FieldType);

/// Whether the lead score learns from a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scoring {
    /// When it helps.
    #[default]
    Auto,
    /// Yes.
    Include,
    /// No.
    Exclude,
}

rules::text_enum!(Scoring { Auto => "auto", Include => "include", Exclude => "exclude" });
rules::read_from_text!(Scoring);

/// A field of the tenant's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromRow, ToSchema)]
pub(crate) struct CustomField {
    /// Its id.
    pub id: Uuid,
    /// The type of record that has it: `lead`.
    pub record_type: String,
    /// Its name in `custom`.
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// What values it has.
    #[sqlx(rename = "type")]
    pub r#type: FieldType,
    /// What may be selected.
    pub options: Vec<String>,
    /// Whether every record must have it.
    pub required: bool,
    /// Whether no two records may have the same value.
    #[sqlx(rename = "is_unique")]
    pub unique: bool,
    /// Whether lists can be filtered and sorted by it.
    pub filterable: bool,
    /// Whether the search looks at it.
    pub searchable: bool,
    /// Whether the lead score learns from it.
    pub scoring: Scoring,
    /// Where it stands among the fields of its type.
    pub position: i32,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

const fn yes() -> bool {
    true
}

/// A field to define.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "record_type": "lead", "key": "plan", "label": "Plan", "type": "text" }))]
pub(crate) struct CreateCustomField {
    /// The type of record that gets it: `lead`, `contact`, `company`, `deal`, `activity` or `todo`. Never changes.
    pub record_type: String,
    /// Its name in `custom`: a small letter, then small letters, digits and `_`, at most 60 characters. Never changes.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$")]
    pub key: String,
    /// Its name for people, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub label: String,
    /// What values it has. Cannot be changed once a record has a value.
    pub r#type: FieldType,
    /// What may be selected, for `select` and `multi_select`: 1 to 500 options of at most 200 characters.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub options: Vec<String>,
    /// Whether every record must have it from now on.
    #[serde(default)]
    pub required: bool,
    /// Whether no two records may have the same value.
    #[serde(default)]
    pub unique: bool,
    /// Whether lists can be filtered and sorted by it; yes when not given.
    #[serde(default = "yes")]
    pub filterable: bool,
    /// Whether the search looks at it.
    #[serde(default)]
    pub searchable: bool,
    /// Whether the lead score learns from it; when it helps, when not given.
    #[serde(default)]
    pub scoring: Scoring,
    /// Where it stands among the fields of its type.
    #[serde(default)]
    pub position: i32,
}

/// A change of a field: what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchCustomField {
    /// Its name for people, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub label: Option<String>,
    /// What values it has; only while no record has a value.
    pub r#type: Option<FieldType>,
    /// What may be selected: all that could be selected before, and more.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    pub options: Patch<Vec<String>>,
    /// Whether every record must have it from now on.
    pub required: Option<bool>,
    /// Whether no two records may have the same value; 409 when two have.
    pub unique: Option<bool>,
    /// Whether lists can be filtered and sorted by it.
    pub filterable: Option<bool>,
    /// Whether the search looks at it.
    pub searchable: Option<bool>,
    /// Whether the lead score learns from it.
    pub scoring: Option<Scoring>,
    /// Where it stands among the fields of its type.
    pub position: Option<i32>,
}

/// The type of record that a client names.
pub(crate) fn record_type(name: &str) -> Option<&'static RecordType> {
    ALL.into_iter().find(|record| record.name == name)
}

/// Adds what is wrong with the name of a type of record.
pub(crate) fn check_record_type(errors: &mut Errors, name: &str) {
    if record_type(name).is_none() {
        let names: Vec<&str> = ALL.iter().map(|record| record.name).collect();
        let message = format!("must be one of: {}", names.join(", "));
        errors.add("/record_type", "unknown_record_type", message);
    }
}

fn is_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && key.len() <= 60
}

impl Validate for CreateCustomField {
    fn validate(&self, errors: &mut Errors) {
        check_record_type(errors, &self.record_type);
        if !is_key(&self.key) {
            errors.add(
                "/key",
                "invalid_key",
                "must be a small letter, then small letters, digits and _, at most 60 characters",
            );
        }
        rules::optional_text(errors, "/label", Some(&self.label), 200);
        check_options(errors, self.r#type, &self.options);
        check_unique(errors, self.r#type, self.unique);
    }
}

impl Validate for PatchCustomField {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/label", self.label.as_deref(), 200);
    }
}

fn check_options(errors: &mut Errors, of: FieldType, options: &[String]) {
    let selects = matches!(of, FieldType::Select | FieldType::MultiSelect);
    if selects == options.is_empty() || options.len() > MOST_OPTIONS {
        let message = if selects {
            "must be 1 to 500 options"
        } else {
            "are for select and multi_select only"
        };
        errors.add("/options", "invalid_options", message);
    }
    for (n, option) in options.iter().enumerate() {
        let pointer = format!("/options/{n}");
        rules::optional_text(errors, pointer.clone(), Some(option), 200);
        if options[..n].contains(option) {
            errors.add(
                pointer,
                "repeated",
                "is there already; name each option once",
            );
        }
    }
}

fn check_unique(errors: &mut Errors, of: FieldType, unique: bool) {
    if unique && matches!(of, FieldType::Boolean | FieldType::MultiSelect) {
        errors.add(
            "/unique",
            "not_possible",
            "is not for boolean and multi_select",
        );
    }
}

impl PatchCustomField {
    /// The field after the change; adds what is wrong with it.
    fn onto(self, field: &CustomField, errors: &mut Errors) -> CustomField {
        let kept = |options: &[String]| field.options.iter().all(|old| options.contains(old));
        let options = match self.options {
            Patch::Absent => field.options.clone(),
            Patch::Null => Vec::new(),
            Patch::Value(options) => options,
        };
        let after = CustomField {
            label: self.label.unwrap_or_else(|| field.label.clone()),
            r#type: self.r#type.unwrap_or(field.r#type),
            required: self.required.unwrap_or(field.required),
            unique: self.unique.unwrap_or(field.unique),
            filterable: self.filterable.unwrap_or(field.filterable),
            searchable: self.searchable.unwrap_or(field.searchable),
            scoring: self.scoring.unwrap_or(field.scoring),
            position: self.position.unwrap_or(field.position),
            options,
            ..field.clone()
        };
        check_options(errors, after.r#type, &after.options);
        check_unique(errors, after.r#type, after.unique);
        if after.r#type == field.r#type && !kept(&after.options) {
            errors.add(
                "/options",
                "option_removed",
                "must have all options that there are; they may only grow",
            );
        }
        after
    }
}
