//! What a model may read of a lead, and what it must not.
//!
//! Only what is named here or defined by the tenant becomes a feature, so what says how a lead ended (`status`,
//! `outcome`, what it was converted into, its former scores) never does.

use std::collections::{HashMap, HashSet};

use bz_scoring::{DatasetBuilder, Excluded, Kind, Row, Value as Cell, protected};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::{default_rules::FREE_MAIL, settings::Settings, subject::Subject};
use crate::records::custom::Definition;

/// Features of every lead that are words or numbers, with their names for people.
const STANDARD: &[(&str, &str)] = &[
    ("source", "Source"),
    ("title", "Job title"),
    ("industry", "Industry"),
    ("employees", "Company size"),
    ("annual_revenue", "Annual revenue"),
    ("country", "Country"),
    ("city", "City"),
    ("campaign", "Campaign"),
];

/// Features that say whether a field is filled in.
const PRESENT: &[(&str, &str, &str)] = &[
    ("has_email", "email", "Has an e-mail address"),
    ("has_phone", "phone", "Has a phone number"),
    ("has_website", "website", "Has a website"),
    ("has_company_name", "company_name", "Has a company"),
    ("has_last_name", "last_name", "Has a family name"),
];

/// Activities of the first hours.
const ACTIVITIES: &[(&str, &str, &str)] = &[
    ("activities_call", "call", "Calls in the first hours"),
    ("activities_email", "email", "E-mails in the first hours"),
    (
        "activities_meeting",
        "meeting",
        "Meetings in the first hours",
    ),
    ("activities_note", "note", "Notes in the first hours"),
    ("activities_visit", "visit", "Visits in the first hours"),
    ("activities_form", "form", "Forms in the first hours"),
    ("activities_custom", "custom", "Other activities"),
];

/// Most `utm_` parameters of a lead that are looked at.
const MOST_UTM: usize = 20;
const SECONDS_A_DAY: f64 = 86_400.0;

/// What a model of a tenant may read.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    custom: Vec<Custom>,
    excluded: HashSet<String>,
    /// Protected attributes that the tenant lets the model read.
    pub allowed: HashSet<String>,
    /// What the model must not read, and why.
    pub left_out: Vec<Excluded>,
    labels: HashMap<String, String>,
}

/// One of the tenant's own fields that is read.
#[derive(Debug)]
struct Custom {
    key: String,
    name: String,
    kind: CustomKind,
}

#[derive(Debug, Clone, Copy)]
enum CustomKind {
    Number,
    Flag,
    Category,
    /// Text: words, or numbers when all of them are.
    Free,
    Tags,
    /// Days before or after the lead was created.
    Day,
    /// Only whether it is filled in.
    Present,
}

impl CustomKind {
    fn of(kind: &str) -> Self {
        match kind {
            "number" => Self::Number,
            "boolean" => Self::Flag,
            "select" => Self::Category,
            "multi_select" => Self::Tags,
            "date" | "datetime" => Self::Day,
            "text" => Self::Free,
            _ => Self::Present,
        }
    }
}

impl Plan {
    /// From the tenant's fields and settings.
    pub(crate) fn new(definitions: &[Definition], settings: &Settings) -> Self {
        let mut plan = Self {
            excluded: settings.excluded_fields.iter().cloned().collect(),
            ..Self::default()
        };
        for field in definitions
            .iter()
            .filter(|field| field.record_type == "lead")
        {
            plan.add(field);
        }
        let known = plan.standard_names();
        for name in &settings.excluded_fields {
            if known.contains(&name.as_str()) || name.starts_with("utm.") {
                plan.left_out.push(Excluded {
                    field: name.clone(),
                    why: "excluded by the tenant".to_owned(),
                });
            }
        }
        plan
    }

    fn add(&mut self, field: &Definition) {
        let name = format!("custom.{}", field.key);
        let protected = protected::attribute(&field.key, &field.label);
        let excluded = self.excluded.contains(&name) || self.excluded.contains(&field.key);
        let why = match (field.scoring.as_str(), protected) {
            ("exclude", _) => Some("excluded by the tenant".to_owned()),
            _ if excluded => Some("excluded by the tenant".to_owned()),
            ("include", _) => None,
            (_, Some(attribute)) => {
                Some(format!("seems to hold a protected attribute: {attribute}"))
            }
            _ if field.is_unique => Some("different in every lead".to_owned()),
            _ => None,
        };
        self.labels.insert(name.clone(), field.label.clone());
        if let Some(why) = why {
            self.left_out.push(Excluded { field: name, why });
            return;
        }
        self.allowed.insert(name.clone());
        self.custom.push(Custom {
            key: field.key.clone(),
            name,
            kind: CustomKind::of(&field.kind),
        });
    }

    #[expect(
        clippy::unused_self,
        reason = "read like the other questions to a plan"
    )]
    fn standard_names(&self) -> Vec<&'static str> {
        let present = PRESENT.iter().chain(ACTIVITIES).map(|(name, ..)| *name);
        let standard = STANDARD.iter().map(|(name, _)| *name);
        standard.chain(present).chain(["free_mailer"]).collect()
    }

    /// Whether this is the name of something that can be excluded.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let custom = |name: &str| self.labels.contains_key(name);
        self.standard_names().contains(&name)
            || name.starts_with("utm.")
            || custom(name)
            || custom(&format!("custom.{name}"))
    }

    /// A feature's name for people.
    pub(crate) fn label(&self, name: &str) -> String {
        if let Some(label) = self.labels.get(name) {
            return label.clone();
        }
        let standard = STANDARD.iter().find(|(known, _)| *known == name);
        let other = PRESENT
            .iter()
            .chain(ACTIVITIES)
            .find(|(known, ..)| *known == name);
        match (standard, other, name) {
            (Some((_, label)), ..) | (_, Some((_, _, label)), _) => (*label).to_owned(),
            (_, _, "free_mailer") => "Address of a free mail provider".to_owned(),
            _ => name.to_owned(),
        }
    }

    /// A builder that knows the tenant's fields in their order, and the types of those that have one.
    pub(crate) fn builder(&self) -> DatasetBuilder {
        let mut builder = DatasetBuilder::new();
        for field in &self.custom {
            let kind = match field.kind {
                CustomKind::Number | CustomKind::Day => Kind::Number,
                CustomKind::Flag | CustomKind::Present => Kind::Flag,
                CustomKind::Category => Kind::Category,
                CustomKind::Tags => Kind::Tags,
                CustomKind::Free => {
                    builder = builder.expect(&field.name);
                    continue;
                }
            };
            builder = builder.declare(&field.name, kind);
        }
        builder
    }

    /// What the model reads of a lead.
    pub(crate) fn row<'a>(&'a self, lead: &'a Subject) -> Row<'a> {
        let mut row = Row::new();
        for field in &self.custom {
            let value = field.cell(lead.custom(&field.key), lead.created_at);
            row = row.with(field.name.as_str(), value);
        }
        let wanted = |name: &str| !self.excluded.contains(name);
        for (name, _) in STANDARD.iter().filter(|(name, _)| wanted(name)) {
            row = row.with(*name, standard(name, lead.field(name)));
        }
        for (name, field, _) in PRESENT.iter().filter(|(name, ..)| wanted(name)) {
            row = row.with(*name, lead.text(field).is_some());
        }
        if wanted("free_mailer") {
            let free = lead
                .mail_domain()
                .map(|domain| FREE_MAIL.contains(&domain.as_str()));
            row = row.with("free_mailer", free);
        }
        for (name, kind, _) in ACTIVITIES.iter().filter(|(name, ..)| wanted(name)) {
            row = row.with(
                *name,
                lead.activities.get(*kind).copied().unwrap_or(0) as f64,
            );
        }
        if let Some(utm) = lead.field("utm").as_object() {
            for (key, value) in utm.iter().take(MOST_UTM) {
                let name = format!("utm.{key}");
                if wanted(&name) {
                    row = row.with(name, plain(value));
                }
            }
        }
        row
    }
}

impl Custom {
    fn cell<'a>(&self, value: &'a Value, created_at: DateTime<Utc>) -> Cell<'a> {
        match self.kind {
            CustomKind::Tags => value.as_array().map_or(Cell::Missing, |all| {
                Cell::Tags(
                    all.iter()
                        .filter_map(|one| one.as_str().map(Into::into))
                        .collect(),
                )
            }),
            CustomKind::Day => day(value).map_or(Cell::Missing, |at| {
                let seconds = at.signed_duration_since(created_at).num_seconds() as f64;
                Cell::Number(seconds / SECONDS_A_DAY)
            }),
            CustomKind::Present => Cell::Flag(!value.is_null()),
            CustomKind::Number | CustomKind::Flag | CustomKind::Category | CustomKind::Free => {
                plain(value)
            }
        }
    }
}

fn standard<'a>(name: &str, value: &'a Value) -> Cell<'a> {
    if name == "annual_revenue" {
        let amount = value.get("amount").and_then(Value::as_str);
        return amount.and_then(|text| text.parse::<f64>().ok()).into();
    }
    plain(value)
}

fn plain(value: &Value) -> Cell<'_> {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Bool(flag) => Cell::Flag(*flag),
        Value::String(text) => text.as_str().into(),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Missing,
    }
}

fn day(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let date = || {
        let date: NaiveDate = text.parse().ok()?;
        Some(date.and_hms_opt(0, 0, 0)?.and_utc())
    };
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.to_utc())
        .or_else(date)
}

/// What a lead has in a feature, for people.
pub(crate) fn shown(cell: &Cell<'_>) -> Option<String> {
    match cell {
        Cell::Missing => None,
        Cell::Number(number) => Some(number.to_string()),
        Cell::Flag(flag) => Some(flag.to_string()),
        Cell::Text(text) => Some(text.to_string()),
        Cell::Tags(tags) => Some(tags.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn field(key: &str, label: &str, kind: &str, scoring: &str) -> Definition {
        Definition {
            id: Uuid::nil(),
            record_type: "lead".into(),
            key: key.into(),
            label: label.into(),
            kind: kind.into(),
            options: Vec::new(),
            required: false,
            is_unique: false,
            filterable: true,
            scoring: scoring.into(),
        }
    }

    fn lead(fields: Value) -> Subject {
        let Value::Object(fields) = fields else {
            panic!("an object")
        };
        Subject::imagined(fields, "2026-03-02T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_protected_field_enters_by_neither_key_nor_label_unless_the_tenant_includes_it() {
        let fields = [
            field("age", "A", "number", "auto"),
            field("f7", "Gender", "select", "auto"),
            field("marital", "M", "select", "include"),
            field("plan", "Plan", "select", "exclude"),
            field("seats", "Seats", "number", "auto"),
        ];
        let plan = Plan::new(&fields, &Settings::default());
        let lead = lead(
            json!({ "custom": { "age": 30, "f7": "x", "marital": "y", "plan": "z", "seats": 4 } }),
        );
        let row = plan.row(&lead);
        let names: Vec<&str> = row.iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"custom.marital") && names.contains(&"custom.seats"));
        assert!(
            !names
                .iter()
                .any(|name| matches!(*name, "custom.age" | "custom.f7" | "custom.plan"))
        );
        assert_eq!(plan.left_out.len(), 3);
    }

    #[test]
    fn what_says_how_a_lead_ended_is_no_feature() {
        let plan = Plan::new(&[], &Settings::default());
        let lead =
            lead(json!({ "status": "converted", "outcome": "won", "score": 90, "source": "web" }));
        let row = plan.row(&lead);
        assert!(row.get("source").is_some());
        for name in [
            "status",
            "outcome",
            "outcome_at",
            "score",
            "converted_at",
            "contact_id",
        ] {
            assert!(row.get(name).is_none(), "{name}");
        }
    }

    #[test]
    fn dates_are_days_from_the_creation_and_amounts_are_numbers() {
        let fields = [field("renewal", "Renewal", "date", "auto")];
        let plan = Plan::new(&fields, &Settings::default());
        let lead = lead(
            json!({ "custom": { "renewal": "2026-03-12" }, "annual_revenue": { "amount": "12.50", "currency": "EUR" } }),
        );
        let row = plan.row(&lead);
        assert_eq!(row.get("custom.renewal"), Some(&Cell::Number(10.0)));
        assert_eq!(row.get("annual_revenue"), Some(&Cell::Number(12.5)));
    }
}
