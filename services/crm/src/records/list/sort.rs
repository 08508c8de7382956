//! The order of a list.
//!
//! Empty values come last in both directions. An index has them at one end only, so a list whose first key may be empty
//! is read in two parts, those with a value and those without, and each part follows the index.

use bz_http::Errors;
use uuid::Uuid;

use super::super::{
    Kind, RecordType,
    custom::{Definition, column_of},
    sql::Sql,
};

/// The most keys of an order.
const MOST: usize = 3;
/// Fields that are never empty.
const NEVER_EMPTY: [&str; 4] = ["id", "created_by", "updated_at", "version"];

/// The order of a list; the id always decides last.
#[derive(Debug)]
pub(crate) struct Sort {
    pub keys: Vec<Key>,
    /// Whether the id, which decides last, runs down.
    pub descending: bool,
}

/// One key of an order.
#[derive(Debug)]
pub(crate) struct Key {
    /// As the client named it.
    name: String,
    /// What is compared.
    pub expression: String,
    pub kind: Kind,
    pub descending: bool,
    pub nullable: bool,
    /// Where its values are, when it is a field of the tenant's own: the field and the column of `custom_values`.
    custom: Option<(Uuid, &'static str)>,
}

impl Sort {
    /// Reads the names; adds what is wrong with them.
    pub(crate) fn read(
        record: &'static RecordType,
        custom: &[Definition],
        names: &[String],
        errors: &mut Errors,
    ) -> Self {
        if names.len() > MOST {
            errors.add_parameter("sort", "too_many", format!("must be at most {MOST} fields"));
        }
        let mut sort = Self {
            keys: Vec::new(),
            descending: names.is_empty(),
        };
        for text in names.iter().take(MOST) {
            let (descending, name) = match text.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, text.as_str()),
            };
            sort.descending = descending;
            // Ids are in the order of creation; they need no further key and no index of their own.
            if name == "id" || name == "created_at" {
                break;
            }
            if sort.keys.iter().any(|key| key.name == name) {
                continue;
            }
            match Key::read(record, custom, (name, descending), sort.keys.len()) {
                Ok(key) => sort.keys.push(key),
                Err(message) => errors.add_parameter("sort", "unknown_field", message),
            }
        }
        sort
    }

    /// What tells it from other orders.
    pub(super) fn name(&self) -> String {
        let mut name = String::new();
        for key in &self.keys {
            name.push_str(if key.descending { "-" } else { "+" });
            name.push_str(&key.name);
        }
        name.push_str(if self.descending { "-id" } else { "+id" });
        name
    }

    /// Adds the keys to what is selected, as text, to make a cursor of.
    pub(super) fn select(&self, sql: &mut Sql) {
        for (n, key) in self.keys.iter().enumerate() {
            sql.push(", (")
                .push(&key.expression)
                .push(&format!(")::text AS sort_{n}"));
        }
    }

    /// Adds the tables that values of the tenant's own fields are in.
    pub(super) fn join(&self, sql: &mut Sql) {
        for (n, key) in self.keys.iter().enumerate() {
            if let Some((field, column)) = key.custom {
                sql.push(&format!(
                    " LEFT JOIN (SELECT record_id AS key_{n}_id, {column} AS key_{n} FROM crm.custom_values \
                     WHERE field_id = "
                ))
                .bind(field);
                sql.push(&format!(") AS custom_{n} ON key_{n}_id = id"));
            }
        }
    }

    /// What the id is called, so that it and the first key are columns of one index.
    pub(super) fn id(&self, with_value: bool) -> &'static str {
        match self.keys.first() {
            Some(key) if key.custom.is_some() && with_value => "key_0_id",
            _ => "id",
        }
    }

    /// Adds `ORDER BY`, for the part of the list that has the first key or the one that does not.
    pub(super) fn order(&self, sql: &mut Sql, with_value: bool) {
        sql.push(" ORDER BY ");
        for (n, key) in self.keys.iter().enumerate() {
            match n {
                0 if with_value => sql.push(&key.expression).push(direction(key.descending)),
                0 => continue,
                _ => sql
                    .push(&key.expression)
                    .push(direction(key.descending))
                    .push(" NULLS LAST"),
            };
            sql.push(", ");
        }
        sql.push(self.id(with_value))
            .push(direction(self.descending));
    }
}

const fn direction(descending: bool) -> &'static str {
    if descending { " DESC" } else { " ASC" }
}

impl Key {
    fn read(
        record: &'static RecordType,
        custom: &[Definition],
        (name, descending): (&str, bool),
        n: usize,
    ) -> Result<Self, String> {
        let own = name
            .strip_prefix("cf.")
            .or_else(|| name.strip_prefix("custom."));
        if let Some(key) = own {
            return Self::of_custom(record, custom, (key, descending), n);
        }
        let column = record.sorts.iter().find(|(field, _)| *field == name);
        let field = record.field(name);
        let (expression, kind) = match (column, field) {
            (Some((_, column)), _) => (*column, Kind::Text),
            (None, Some(field)) if !matches!(field.kind, Kind::Json | Kind::Texts) => {
                (field.name, field.kind)
            }
            _ => {
                let names: Vec<&str> = names(record).collect();
                return Err(format!(
                    "{} cannot be sorted by {name:.60}; there are {} and cf.<key>",
                    record.plural,
                    names.join(", ")
                ));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            expression: expression.to_owned(),
            kind,
            descending,
            nullable: !NEVER_EMPTY.contains(&expression),
            custom: None,
        })
    }

    fn of_custom(
        record: &'static RecordType,
        custom: &[Definition],
        (key, descending): (&str, bool),
        n: usize,
    ) -> Result<Self, String> {
        let field = custom
            .iter()
            .find(|field| field.record_type == record.name && field.key == key)
            .ok_or_else(|| format!("{} have no field custom.{key:.60}", record.plural))?;
        if !field.filterable || field.kind == "multi_select" {
            return Err(format!(
                "custom.{key} cannot be sorted by: it has several values, or was defined without filterable"
            ));
        }
        let (column, kind) = column_of(field);
        Ok(Self {
            name: format!("cf.{key}"),
            expression: format!("key_{n}"),
            kind,
            descending,
            nullable: true,
            custom: Some((field.id, column)),
        })
    }

    /// Adds a value of this key, from a cursor.
    pub(super) fn bind(&self, sql: &mut Sql, value: &str) {
        let sql_type = match self.kind {
            Kind::Text | Kind::Choice(_) | Kind::Texts | Kind::Json => "text",
            Kind::Integer => "bigint",
            Kind::Number => "double precision",
            Kind::Boolean => "boolean",
            Kind::Date => "date",
            Kind::Instant => "timestamptz",
            Kind::Id => "uuid",
            Kind::Money => "numeric",
        };
        sql.push("CAST(").bind(value.to_owned());
        sql.push(" AS ").push(sql_type).push(")");
    }
}

/// The names that a type can be sorted by; the tenant's own fields are `cf.<key>`.
pub(crate) fn names(record: &'static RecordType) -> impl Iterator<Item = &'static str> {
    let columns = record
        .fields
        .iter()
        .filter(|field| !matches!(field.kind, Kind::Json | Kind::Texts))
        .map(|field| field.name);
    let named = record.sorts.iter().map(|(name, _)| *name);
    columns.chain(named.filter(|name| record.field(name).is_none()))
}
