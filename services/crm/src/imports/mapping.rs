//! Which column goes to which field.

use bz_http::Errors;
use serde_json::{Map, Value};

use crate::records::{Kind, RecordType, custom::Definition};

/// Fields that clients do not write, but that a file of another system may have: what happened before.
pub(super) const HISTORY: [&str; 3] = ["created_at", "outcome", "outcome_at"];

/// What other systems call the fields; without case, blanks and marks.
const NAMES: [(&str, &str); 40] = [
    ("firstname", "first_name"),
    ("givenname", "first_name"),
    ("forename", "first_name"),
    ("vorname", "first_name"),
    ("lastname", "last_name"),
    ("surname", "last_name"),
    ("familyname", "last_name"),
    ("nachname", "last_name"),
    ("mail", "email"),
    ("emailaddress", "email"),
    ("workemail", "email"),
    ("telephone", "phone"),
    ("phonenumber", "phone"),
    ("workphone", "phone"),
    ("mobile", "phone"),
    ("mobilephone", "phone"),
    ("telefon", "phone"),
    ("company", "company_name"),
    ("organization", "company_name"),
    ("organisation", "company_name"),
    ("firma", "company_name"),
    ("company", "name"),
    ("companyname", "name"),
    ("organization", "name"),
    ("accountname", "name"),
    ("dealname", "name"),
    ("jobtitle", "title"),
    ("position", "title"),
    ("websiteurl", "website"),
    ("homepage", "website"),
    ("companydomain", "domain"),
    ("companydomainname", "domain"),
    ("numberofemployees", "employees"),
    ("employeecount", "employees"),
    ("revenue", "annual_revenue"),
    ("leadsource", "source"),
    ("originalsource", "source"),
    ("zip", "postal_code"),
    ("zipcode", "postal_code"),
    ("createdate", "created_at"),
];

/// What a column's cells become.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A field that clients write.
    Field(&'static str, Kind),
    /// The currency of an amount.
    Currency(&'static str),
    /// The tags.
    Tags,
    /// A field of the tenant's own.
    Custom(Definition),
    /// Something that happened before.
    History(&'static str, Kind),
    /// The id of the record that is meant.
    Id,
}

/// The target that a name means.
pub(super) fn target(
    name: &str,
    record: &'static RecordType,
    custom: &[Definition],
) -> Option<Target> {
    if let Some(key) = name.strip_prefix("custom.") {
        let mut own = custom
            .iter()
            .filter(|field| field.record_type == record.name);
        return own
            .find(|field| field.key == key)
            .cloned()
            .map(Target::Custom);
    }
    if name == "tags" {
        return Some(Target::Tags);
    }
    if let Some(amount) = name.strip_suffix("_currency") {
        let field = record
            .field(amount)
            .filter(|field| field.kind == Kind::Money)?;
        return Some(Target::Currency(field.name));
    }
    let field = record.field(name)?;
    if name == "id" {
        return Some(Target::Id);
    }
    if field.written {
        return Some(Target::Field(field.name, field.kind));
    }
    HISTORY
        .contains(&name)
        .then_some(Target::History(field.name, field.kind))
}

/// The field of each column: as the client says, else by its heading.
pub(super) fn columns(
    mapping: Option<&str>,
    record: &'static RecordType,
    custom: &[Definition],
    header: &[String],
    errors: &mut Errors,
) -> Vec<Option<String>> {
    let said = said(mapping, errors);
    for heading in said.keys().filter(|heading| !header.contains(heading)) {
        errors.add_parameter(
            "mapping",
            "unknown_heading",
            format!(
                "the file has no column {heading:.100}; it has: {:.500}",
                header.join(", ")
            ),
        );
    }
    let mut columns: Vec<Option<String>> = Vec::with_capacity(header.len());
    for heading in header {
        let taken = |name: &String| columns.iter().flatten().any(|taken| taken == name);
        let field = match said.get(heading) {
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => None,
            None => proposed(heading, record, custom).filter(|name| !taken(name)),
        };
        if let Some(name) = &field {
            if target(name, record, custom).is_none() {
                let text = format!(
                    "{} have no field {name:.100} that can be imported",
                    record.plural
                );
                errors.add_parameter("mapping", "unknown_field", text);
            } else if taken(name) {
                errors.add_parameter("mapping", "repeated", format!("two columns go to {name}"));
            }
        }
        columns.push(field);
    }
    if errors.is_empty() && columns.iter().all(Option::is_none) {
        let text = format!(
            "no heading is the name of a field; say which column goes where. The file has: {:.500}",
            header.join(", ")
        );
        errors.add_parameter("mapping", "nothing_mapped", text);
    }
    columns
}

fn said(mapping: Option<&str>, errors: &mut Errors) -> Map<String, Value> {
    let Some(text) = mapping else {
        return Map::new();
    };
    let fits = |map: &Map<String, Value>| map.values().all(|it| it.is_string() || it.is_null());
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(map) if fits(&map) => map,
        _ => {
            errors.add_parameter(
                "mapping",
                "invalid_value",
                "must be a JSON object of headings and the names of fields, or null",
            );
            Map::new()
        }
    }
}

/// The field that a heading seems to mean.
fn proposed(heading: &str, record: &'static RecordType, custom: &[Definition]) -> Option<String> {
    let plain = plain(heading);
    if target(heading, record, custom).is_some() {
        return Some(heading.to_owned());
    }
    let mut own = custom
        .iter()
        .filter(|field| field.record_type == record.name);
    let found =
        own.find(|field| self::plain(&field.key) == plain || self::plain(&field.label) == plain);
    if let Some(field) = found {
        return Some(format!("custom.{}", field.key));
    }
    let names = record.fields.iter().map(|field| field.name).chain(["tags"]);
    let same = names.filter(|name| self::plain(name) == plain);
    let known = NAMES
        .iter()
        .filter(|(name, _)| *name == plain)
        .map(|(_, field)| *field);
    let mut names = same.chain(known);
    let name = names.find(|name| target(name, record, custom).is_some())?;
    Some(name.to_owned())
}

fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
