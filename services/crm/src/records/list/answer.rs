//! What a list answers: whole records, or parts of them with what goes with them.

use std::borrow::Cow;

use bz_auth::Caller;
use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::{
    ArrayBuilder, KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::SchemaType,
};
use utoipa::{PartialSchema, ToSchema};

use super::{Wanted, include};
use crate::{
    app::AppState,
    records::{Record, RecordType},
};

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Listing<R> {
    /// The records of this page, in the list's order.
    pub items: Vec<Item<R>>,
    /// Opaque cursor of the next page.
    pub next_cursor: Option<String>,
    /// How many records pass, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
}

/// A record of a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Item<R> {
    /// All of it.
    Whole(Box<R>),
    /// What was asked for, and what goes with it.
    Part(Map<String, Value>),
}

/// Adds the names that are none of the record's.
pub(crate) fn check_fields(record: &'static RecordType, names: &[String], errors: &mut Errors) {
    for name in names {
        let own = name
            .strip_prefix("custom.")
            .or_else(|| name.strip_prefix("cf."));
        if own.is_none() && !known(record, name) {
            let fields: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
            let message = format!(
                "can be of: {}, tags, custom, custom.<key>",
                fields.join(", ")
            );
            errors.add_parameter("fields", "unknown_field", message);
        }
    }
}

fn known(record: &RecordType, name: &str) -> bool {
    record.field(name).is_some() || matches!(name, "tags" | "custom" | "deleted_at" | "merged_into")
}

/// The records as they are answered.
pub(super) async fn items<R: Record>(
    app: &AppState,
    (tx, caller): (&mut TenantTx, &Caller),
    records: Vec<R>,
    wanted: &Wanted,
) -> Result<Vec<Item<R>>, Problem> {
    if wanted.fields.is_empty() && wanted.include.is_empty() {
        return Ok(records
            .into_iter()
            .map(|record| Item::Whole(Box::new(record)))
            .collect());
    }
    let mut documents = Vec::with_capacity(records.len());
    for record in &records {
        match serde_json::to_value(record).map_err(Problem::internal)? {
            Value::Object(document) => documents.push(document),
            other => return Err(Problem::internal(format!("a record is {other}"))),
        }
    }
    include::embed(app, (tx, caller), &mut documents, &wanted.include).await?;
    let parts = documents.into_iter().map(|document| part(document, wanted));
    Ok(parts.map(Item::Part).collect())
}

fn part(mut document: Map<String, Value>, wanted: &Wanted) -> Map<String, Value> {
    if wanted.fields.is_empty() {
        return document;
    }
    let mut own = Map::new();
    for name in &wanted.fields {
        let key = name
            .strip_prefix("custom.")
            .or_else(|| name.strip_prefix("cf."));
        if let Some(key) = key {
            let value = document["custom"].get(key).cloned();
            own.insert(key.to_owned(), value.unwrap_or(Value::Null));
        }
    }
    let included = |name: &str| wanted.include.iter().any(|relation| relation.name == name);
    document.retain(|name, _| {
        name == "id" || included(name) || wanted.fields.iter().any(|field| field == name)
    });
    if !own.is_empty() && !document.contains_key("custom") {
        document.insert("custom".to_owned(), Value::Object(own));
    }
    document
}

/// The record's own schema, of which a list may leave out everything but the id.
impl<R: Record> PartialSchema for Listing<R> {
    fn schema() -> RefOr<Schema> {
        let mut item = R::schema();
        if let RefOr::T(Schema::Object(object)) = &mut item {
            object.required = vec!["id".to_owned()];
            for relation in include::relations(R::TYPE) {
                let text = format!("With `include={}`.", relation.name);
                let other = ObjectBuilder::new()
                    .schema_type(SchemaType::AnyValue)
                    .description(Some(text));
                object.properties.insert(relation.name, other.into());
            }
        }
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Opaque cursor of the next page; null: there is none."));
        let count = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("How many records pass, with `count`."));
        ObjectBuilder::new()
            .description(Some(format!("One page of {}.", R::TYPE.plural)))
            .property("items", ArrayBuilder::new().items(item))
            .required("items")
            .property("next_cursor", cursor)
            .required("next_cursor")
            .property("count", count)
            .into()
    }
}

impl<R: Record> ToSchema for Listing<R> {
    fn name() -> Cow<'static, str> {
        format!("List_{}", R::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        R::schemas(schemas);
    }
}
