//! Changes as JSON merge patches (RFC 7396), for every type of record.

use std::{borrow::Cow, marker::PhantomData};

use bz_http::{Errors, Problem, Validate, extract::parse, validated};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Fields, Record};

/// A change of a record: a field that is missing stays, `null` clears it, an object is merged into what is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Change<F> {
    members: Map<String, Value>,
    #[serde(skip)]
    of: PhantomData<F>,
}

/// What is wrong shows only with the record that is changed: [`Change::onto`].
impl<F> Validate for Change<F> {
    fn validate(&self, _: &mut Errors) {}
}

impl<F: Fields> Change<F> {
    /// A change of these members, for the parts that make changes themselves.
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self {
            members,
            of: PhantomData,
        }
    }

    /// The fields after the change.
    ///
    /// # Errors
    /// 422 with everything that is wrong with them.
    pub(crate) fn onto<R: Record<Fields = F>>(mut self, record: &R) -> Result<F, Problem> {
        record.reword(&mut self.members);
        let mut errors = Errors::default();
        let known = |name: &str| {
            let field = R::TYPE.field(name).is_some_and(|field| field.written);
            field || name == "tags" || name == "custom"
        };
        for name in self.members.keys().filter(|name| !known(name)) {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            errors.add(
                pointer,
                "unknown_field",
                "is no field that can be changed; leave it out",
            );
        }
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        let mut fields = serde_json::to_value(record.fields()).map_err(Problem::internal)?;
        if let Value::Object(fields) = &mut fields {
            for (name, value) in self.members {
                merge(fields.entry(name).or_insert(Value::Null), value);
            }
        }
        let bytes = serde_json::to_vec(&fields).map_err(Problem::internal)?;
        validated(parse(&bytes)?)
    }
}

/// Merges a patch (RFC 7396) into what is there.
pub(crate) fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    target.remove(&name);
                } else {
                    merge(target.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

/// The fields' own schema, with nothing required: an object in it is merged, too, so that it may be sent in part.
impl<F: Fields> PartialSchema for Change<F> {
    fn schema() -> RefOr<Schema> {
        let mut schema = F::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let mut known = Vec::new();
            F::schemas(&mut known);
            object.required.clear();
            object.description =
                Some("A JSON merge patch: a missing field stays, `null` clears it.".to_owned());
            for property in object.properties.values_mut() {
                sent_in_part(property, &known);
            }
        }
        schema
    }
}

/// Puts in the place of a reference to an object that object with nothing required.
fn sent_in_part(schema: &mut RefOr<Schema>, known: &[(String, RefOr<Schema>)]) {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next();
            let found = known.iter().find(|(known, _)| Some(known.as_str()) == name);
            if let Some((_, RefOr::T(Schema::Object(object)))) = found
                && !object.required.is_empty()
            {
                let mut object = object.clone();
                object.required.clear();
                *schema = RefOr::T(Schema::Object(object));
            }
        }
        RefOr::T(Schema::OneOf(one)) => {
            for item in &mut one.items {
                sent_in_part(item, known);
            }
        }
        RefOr::T(_) => {}
    }
}

impl<F: Fields> ToSchema for Change<F> {
    fn name() -> Cow<'static, str> {
        F::name().replacen("Create", "Patch", 1).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        F::schemas(schemas);
    }
}
