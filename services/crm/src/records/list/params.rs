//! A list's query string: `status=new&score[gte]=70&sort=-score,name&fields=email&limit=50`.

use std::{marker::PhantomData, str::FromStr};

use bz_http::{Errors, Problem};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::{
    ArrayBuilder, KnownFormat, ObjectBuilder, RefOr, Required, Schema, SchemaFormat, Type,
};

use super::{ListQuery, include, sort};
use crate::records::{
    Kind, Record,
    custom::Definition,
    filter::{AllOf, Context, Filter, from_query},
};

/// The parameters that are no filters.
const CONTROLS: [&str; 8] = [
    "limit", "cursor", "sort", "fields", "include", "count", "deleted", "view",
];

/// What these parameters ask for.
///
/// # Errors
/// 422 with everything that is wrong, by parameter; for an unknown one it says which there are.
pub(crate) fn read<R: Record>(
    pairs: &[(String, String)],
    (custom, me, now): (&[Definition], UserId, DateTime<Utc>),
) -> Result<ListQuery, Problem> {
    let mut reader = Reader {
        query: ListQuery::default(),
        tests: Vec::new(),
        errors: Errors::default(),
    };
    let context = Context {
        record: R::TYPE,
        custom,
        me,
    };
    for (n, (name, value)) in pairs.iter().enumerate() {
        if pairs[..n].iter().any(|(before, _)| before == name) {
            reader.fault(name, "repeated", "is there already; give it once");
        } else if CONTROLS.contains(&name.as_str()) {
            reader.control(name, value);
        } else if let Some(test) = R::shorthand(name, value, now) {
            match test {
                Ok(test) => reader.tests.push(test),
                Err(message) => reader.fault(name, "invalid_value", message),
            }
        } else {
            reader.test((name, value), context);
        }
    }
    if !reader.errors.is_empty() {
        return Err(Problem::validation(reader.errors));
    }
    // `overdue=true` is one question on every page, whatever the time.
    let asked = pairs
        .iter()
        .filter(|(name, _)| !CONTROLS.contains(&name.as_str()) || name == "view");
    reader.query.question = Some(format!("{:?}", asked.collect::<Vec<_>>()));
    if !reader.tests.is_empty() {
        reader.query.filter = Some(Filter::All(AllOf { all: reader.tests }));
    }
    Ok(reader.query)
}

struct Reader {
    query: ListQuery,
    tests: Vec<Filter>,
    errors: Errors,
}

impl Reader {
    fn control(&mut self, name: &str, value: &str) {
        match name {
            "limit" => self.query.limit = self.parsed(name, value, "must be 1 to 100"),
            "cursor" => self.query.cursor = Some(value.to_owned()),
            "sort" => self.query.sort = self.list(name, value),
            "fields" => self.query.fields = self.list(name, value),
            "include" => self.query.include = self.list(name, value),
            "view" => self.query.view = self.parsed(name, value, "must be the id of a view"),
            "count" => {
                if let Some(count) = self.chosen(name, value, "must be none, estimate or exact") {
                    self.query.count = count;
                }
            }
            _ => self.query.deleted = self.chosen(name, value, "must be only"),
        }
    }

    fn test(&mut self, (name, value): (&str, &str), context: Context<'_>) {
        let pair = [(name.to_owned(), value.to_owned())];
        let found = match from_query(&pair) {
            Ok(Filter::All(one)) => one.all,
            Ok(other) => vec![other],
            Err(problem) => return self.faults(name, &problem),
        };
        for test in found {
            match test.check(context) {
                Ok(()) => self.tests.push(test),
                Err(problem) => self.faults(name, &problem),
            }
        }
    }

    /// What is wrong with one test, as what is wrong with its parameter.
    fn faults(&mut self, name: &str, problem: &Problem) {
        for fault in problem.document().errors {
            let message = if fault.code == "unknown_field" {
                format!(
                    "{}; there are {}, the fields of the record (name or name[operator]), tags and cf.<key>",
                    fault.message,
                    CONTROLS.join(", ")
                )
            } else {
                fault.message.into_owned()
            };
            self.errors.add_parameter(shown(name), fault.code, message);
        }
    }

    fn fault(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.errors.add_parameter(shown(name), code, message.into());
    }

    fn list(&mut self, name: &str, value: &str) -> Vec<String> {
        if value.is_empty() {
            self.fault(name, "invalid_value", "must not be empty; leave it out");
        }
        value.split(',').map(ToOwned::to_owned).collect()
    }

    fn parsed<T: FromStr>(&mut self, name: &str, value: &str, wanted: &str) -> Option<T> {
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.fault(name, "invalid_value", wanted);
        }
        parsed
    }

    fn chosen<T: DeserializeOwned>(&mut self, name: &str, value: &str, wanted: &str) -> Option<T> {
        let chosen = serde_json::from_value(Value::from(value)).ok();
        if chosen.is_none() {
            self.fault(name, "invalid_value", wanted);
        }
        chosen
    }
}

/// A name of the client's own, no longer than needed to find it.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

/// The parameters of a type's list, for the OpenAPI document.
#[derive(Debug)]
pub(crate) struct Params<R>(PhantomData<R>);

impl<R: Record> IntoParams for Params<R> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let record = R::TYPE;
        let mut all = controls();
        let sorts: Vec<String> = sort::names(record)
            .flat_map(|name| [name.to_owned(), format!("-{name}")])
            .collect();
        let text = "At most three fields, `-` before one for the other direction: `-score,name`. Also `cf.<key>`. \
                    Empty values come last. Newest first when not given.";
        all.push(list("sort", text, sorts, Some(3)));
        let fields = record.fields.iter().map(|field| field.name.to_owned());
        let fields = fields.chain(["tags".to_owned(), "custom".to_owned()]);
        let text =
            "What is answered of each record besides its id: `email,status`. Also `custom.<key>`.";
        all.push(list("fields", text, fields.collect(), None));
        let relations: Vec<String> = include::relations(record)
            .into_iter()
            .map(|relation| relation.name)
            .collect();
        if !relations.is_empty() {
            let text =
                "Related records that are answered with each, as far as the caller sees them.";
            all.push(list("include", text, relations, None));
        }
        let fields = record.fields.iter().filter_map(|field| {
            let text = format!(
                "Only records with this `{0}`. Other comparisons: `{0}[ne|in|nin|gt|gte|lt|lte|like|contains|is_null]=`.",
                field.name
            );
            Some(parameter(field.name, &text, schema_of(field.kind)?))
        });
        all.extend(fields);
        let text = "Only records with this tag; with all or any of several: `tags[all]=a,b`, `tags[any]=a,b`. Fields of \
                    the tenant's own: `cf.<key>=`.";
        all.push(parameter("tags", text, string(None)));
        for (name, text) in R::SHORTHANDS {
            all.push(parameter(name, text, string(None)));
        }
        all
    }
}

fn controls() -> Vec<Parameter> {
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(100));
    let text = "A saved view: its filter holds besides, its order and fields where none are given.";
    let id = Some(SchemaFormat::KnownFormat(KnownFormat::Uuid));
    vec![
        parameter(
            "limit",
            "Items a page, 1 to 100; 20 when not given.",
            limit.into(),
        ),
        parameter("cursor", "`next_cursor` of the page before.", string(None)),
        parameter(
            "count",
            "Whether all records that pass are counted: `estimate` counts up to ten thousand and guesses beyond.",
            choice(["none", "estimate", "exact"]),
        ),
        parameter("deleted", "Those in the trash instead.", choice(["only"])),
        parameter("view", text, string(id)),
    ]
}

fn schema_of(kind: Kind) -> Option<RefOr<Schema>> {
    let known = |format| Some(SchemaFormat::KnownFormat(format));
    let plain = |of: Type| ObjectBuilder::new().schema_type(of).into();
    Some(match kind {
        Kind::Text => string(None),
        Kind::Choice(texts) => choice(texts.iter().copied()),
        Kind::Integer => plain(Type::Integer),
        Kind::Number | Kind::Money => plain(Type::Number),
        Kind::Boolean => plain(Type::Boolean),
        Kind::Date => string(known(KnownFormat::Date)),
        Kind::Instant => string(known(KnownFormat::DateTime)),
        Kind::Id => string(known(KnownFormat::Uuid)),
        Kind::Texts | Kind::Json => return None,
    })
}

fn string(format: Option<SchemaFormat>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(format)
        .into()
}

fn choice(texts: impl IntoIterator<Item = impl Into<Value>>) -> RefOr<Schema> {
    let texts: Vec<Value> = texts.into_iter().map(Into::into).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(texts))
        .into()
}

fn list(name: &str, text: &str, of: Vec<String>, most: Option<usize>) -> Parameter {
    let schema = ArrayBuilder::new()
        .items(choice(of))
        .min_items(Some(1))
        .max_items(most);
    let mut parameter = parameter(name, text, schema.into());
    parameter.style = Some(ParameterStyle::Form);
    parameter.explode = Some(false);
    parameter
}

fn parameter(name: &str, text: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(schema))
        .build()
}
