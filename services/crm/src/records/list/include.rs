//! Related records that are answered with the records of a list.

use std::collections::HashMap;

use bz_auth::Caller;
use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    app::AppState,
    records::{ALL, Kind, RecordType, access},
};

/// A way from a record to others.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// How it is asked for, and where the others are put: `company`, `contacts`, `parent`.
    pub name: String,
    /// The field with their ids.
    field: &'static str,
    /// What they are.
    to: &'static RecordType,
}

/// The ways from records of a type: its fields that name other records.
pub(crate) fn relations(record: &'static RecordType) -> Vec<Relation> {
    let of_field = |name: &'static str, kind: Kind| {
        if name == "parent_id" {
            return Some(("parent".to_owned(), record));
        }
        let to =
            |key: Option<&str>| key.and_then(|key| ALL.into_iter().find(|other| other.name == key));
        match kind {
            Kind::Id => to(name.strip_suffix("_id")).map(|to| (to.name.to_owned(), to)),
            Kind::Json => to(name.strip_suffix("_ids")).map(|to| (to.plural.to_owned(), to)),
            _ => None,
        }
    };
    let found = record.fields.iter().filter_map(|field| {
        let (name, to) = of_field(field.name, field.kind)?;
        Some(Relation {
            name,
            field: field.name,
            to,
        })
    });
    found.collect()
}

/// Reads the names; adds what is wrong with them.
pub(super) fn read(
    record: &'static RecordType,
    names: &[String],
    errors: &mut Errors,
) -> Vec<Relation> {
    let known = relations(record);
    let mut wanted: Vec<Relation> = Vec::new();
    for name in names {
        match known.iter().find(|relation| relation.name == *name) {
            Some(relation) if wanted.iter().all(|other| other.name != *name) => {
                wanted.push(relation.clone());
            }
            Some(_) => {}
            None => {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                let message = format!("can be of: {}", names.join(", "));
                errors.add_parameter("include", "unknown_field", message);
            }
        }
    }
    wanted
}

/// Puts the related records that the caller sees into the documents: one statement for each relation.
pub(super) async fn embed(
    app: &AppState,
    (tx, caller): (&mut TenantTx, &Caller),
    documents: &mut [Map<String, Value>],
    relations: &[Relation],
) -> Result<(), Problem> {
    for relation in relations {
        let permission = format!("{}:read", relation.to.plural);
        if !caller.permissions.allow(&permission) {
            return Err(Problem::forbidden().detail(format!(
                "include={} needs the permission {permission}.",
                relation.name
            )));
        }
        let mut ids: Vec<Uuid> = documents
            .iter()
            .flat_map(|document| ids_in(document.get(relation.field)))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let sight = access::reads(app, tx, caller, relation.to).await?;
        let found: HashMap<Uuid, Value> = (relation.to.operations.read)(tx, sight, ids)
            .await?
            .into_iter()
            .collect();
        for document in documents.iter_mut() {
            let ids = ids_in(document.get(relation.field));
            let mut others = ids.iter().filter_map(|id| found.get(id)).cloned();
            let value = match document.get(relation.field) {
                Some(Value::Array(_)) => Value::Array(others.collect()),
                _ => others.next().unwrap_or(Value::Null),
            };
            document.insert(relation.name.clone(), value);
        }
    }
    Ok(())
}

fn ids_in(value: Option<&Value>) -> Vec<Uuid> {
    let id = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}
