//! By what a row is the same as a record: columns in a normalised form, which have an index.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{normal, records::RecordType};

/// What is matched by when nothing is said.
pub(super) const USUAL: [&str; 4] = ["id", "external_id", "email", "domain"];

/// A field by which rows are matched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// The field.
    pub field: &'static str,
    /// The column that has it normalised.
    pub column: &'static str,
    /// The normalised form.
    pub form: fn(&str) -> Option<String>,
}

const KEYS: [Key; 6] = [
    Key {
        field: "id",
        column: "id",
        form: id,
    },
    Key {
        field: "external_id",
        column: "external_id",
        form: as_it_is,
    },
    Key {
        field: "email",
        column: "email_norm",
        form: normal::email,
    },
    Key {
        field: "phone",
        column: "phone_norm",
        form: normal::phone,
    },
    Key {
        field: "domain",
        column: "domain",
        form: normal::domain,
    },
    Key {
        field: "name",
        column: "name_norm",
        form: normal::name,
    },
];

/// The key of a field, if the type is matched by it. Deals have names, but not in a normalised form.
pub(super) fn of(record: &RecordType, field: &str) -> Option<Key> {
    let normalised = |key: &Key| key.field != "name" || record.field("domain").is_some();
    let key = KEYS.iter().find(|key| key.field == field)?;
    (record.field(field).is_some() && normalised(key)).then_some(*key)
}

/// The keys of a row: the number of the key and its value.
pub(super) fn of_row(keys: &[Key], members: &Map<String, Value>) -> Vec<(usize, String)> {
    let value = |(n, key): (usize, &Key)| {
        let text = members.get(key.field)?.as_str()?;
        Some((n, (key.form)(text)?))
    };
    keys.iter().enumerate().filter_map(value).collect()
}

fn as_it_is(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn id(text: &str) -> Option<String> {
    let id: Uuid = text.trim().parse().ok()?;
    Some(id.to_string())
}
