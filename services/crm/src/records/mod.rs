//! What all records of the CRM (leads, contacts, companies, deals, activities, to-dos) have in common, written once:
//! how a type is declared, stored, filtered, listed, changed, deleted and restored, and who sees what.
//!
//! A type is declared with [`record!`]; that gives it its structs, its columns and its [`RecordType`]. What is special
//! about it (derived columns, what has to be looked up, what follows a change) is its `impl` of [`Rules`].

pub(crate) mod access;
pub(crate) mod changes;
pub(crate) mod column;
pub(crate) mod custom;
pub(crate) mod declare;
pub(crate) mod dynamic;
pub(crate) mod endpoints;
pub(crate) mod filter;
pub(crate) mod handlers;
pub(crate) mod list;
pub(crate) mod many;
pub(crate) mod mass;
pub(crate) mod pages;
pub(crate) mod patch;
pub(crate) mod references;
pub(crate) mod refused;
pub(crate) mod sql;
pub(crate) mod store;
pub(crate) mod timeline;
pub(crate) mod work;

use std::fmt::Debug;

use bz_http::{Errors, Problem, Validate};
use bz_kernel::TeamId;
use bz_tenant::DbError;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sqlx::{FromRow, postgres::PgRow};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use column::{Kind, Money};
pub(crate) use declare::record;
pub(crate) use work::Work;

use crate::{
    duplicates::{Key, Keys},
    rules,
};
use filter::Filter;
use sql::Columns;

/// A type of record, as data: what the parts that work on every type go by.
#[derive(Debug)]
pub(crate) struct RecordType {
    /// One: `lead`. Also the first part of its events' kinds and its `record_type` in shared tables.
    pub name: &'static str,
    /// Many: `leads`. Also the path under `/api` and the first part of its permissions.
    pub plural: &'static str,
    /// The table with its schema: `crm.leads`.
    pub table: &'static str,
    /// The kinds of its events: created, updated, deleted, restored.
    pub events: [&'static str; 4],
    /// All fields, the common ones included; not `custom` and `tags`, which have tables of their own to be found by.
    pub fields: &'static [Field],
    /// What it can be sorted by besides its fields, and fields that are sorted by another column: name and column.
    pub sorts: &'static [(&'static str, &'static str)],
    /// What can be done with a record of which only the type's name is known.
    pub operations: dynamic::Operations,
}

/// A field of a type of record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its name in JSON and the name of its column.
    pub name: &'static str,
    /// What kind of value it has.
    pub kind: Kind,
    /// Whether clients write it.
    pub written: bool,
}

impl RecordType {
    /// A field by its name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// All types of records.
pub(crate) static ALL: [&RecordType; 6] = [
    crate::leads::LEAD,
    crate::contacts::CONTACT,
    crate::companies::COMPANY,
    crate::deals::DEAL,
    crate::activities::ACTIVITY,
    crate::todos::TODO,
];

/// What every record type has, from [`record!`].
pub(crate) trait Record:
    Rules<Wanted = Self::Fields>
    + for<'r> FromRow<'r, PgRow>
    + Debug
    + Clone
    + Serialize
    + DeserializeOwned
    + ToSchema
    + Send
    + Sync
    + Unpin
    + 'static
{
    /// The type as data.
    const TYPE: &'static RecordType;
    /// What clients write of it.
    type Fields: Fields;

    /// The columns to select, in one text.
    fn columns() -> &'static str;
    /// What is the same of all records.
    fn head(&self) -> Head;
    /// The fields that clients write, as they are.
    fn fields(&self) -> Self::Fields;
}

/// What clients write of a record.
pub(crate) trait Fields:
    Validate + Debug + Clone + Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static
{
    /// The fields that all types have.
    fn common(&self) -> Common<'_>;
    /// The same, to fill in.
    fn common_mut(&mut self) -> CommonMut<'_>;
    /// Adds every field to what is written.
    fn write(&self, out: &mut Columns);
}

/// What is special about a type of record.
pub(crate) trait Rules: Sized {
    /// What clients write of it.
    type Wanted;

    /// What it can be sorted by besides its fields, or by another column than the field's: `("name", "name_norm")`.
    const SORTS: &'static [(&'static str, &'static str)] = &[];
    /// Parameters of its list that are short for a filter, and what they mean.
    const SHORTHANDS: &'static [(&'static str, &'static str)] = &[];

    /// What a parameter of the list that is short for a filter stands for; none for any other parameter.
    ///
    /// # Errors
    /// What its value must be.
    fn shorthand(_name: &str, _value: &str, _now: DateTime<Utc>) -> Option<Result<Filter, String>> {
        None
    }

    /// Columns that follow from the fields: normalised texts and the like.
    fn derive(_wanted: &Self::Wanted, _out: &mut Columns) {}

    /// The columns that find the same person or organisation: see [`duplicates`](crate::duplicates).
    const KEYS: &'static [Key] = &[];

    /// What it is compared with others by.
    fn keys(_wanted: &Self::Wanted) -> Keys {
        Keys::default()
    }

    /// What the record's events say besides its id and version. States and ids only: no names, no addresses.
    fn facts(&self) -> Facts<'_> {
        Facts::default()
    }

    /// More that the record's events say, which takes a look at other rows: what reports count by.
    fn details(
        &self,
        _work: &mut Work<'_>,
    ) -> impl Future<Output = Result<Map<String, Value>, DbError>> + Send {
        std::future::ready(Ok(Map::new()))
    }

    /// The kind of the event that tells of a change, when it is not `updated`: `todo.completed`.
    fn change_event(&self, _before: &Self) -> Option<&'static str> {
        None
    }

    /// Before a change is merged into the record: members that say in other words what a field is to be.
    fn reword(&self, _members: &mut Map<String, Value>) {}

    /// Before a record is written: fills in what was not given and refuses what does not fit to other rows. `before`
    /// is the record that is changed, locked; none for a new one.
    fn prepare(
        _work: &mut Work<'_>,
        _wanted: &mut Self::Wanted,
        _before: Option<&Self>,
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }

    /// What becomes of new records before anybody sees them, in the same transaction.
    fn settle(
        _created: &mut [Self],
        _work: &mut Work<'_>,
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }

    /// After a record was written, in the same transaction: rows of other tables that follow it.
    fn written(
        &self,
        _work: &mut Work<'_>,
        _before: Option<&Self>,
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }
}

/// What an event says of a record's state.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Facts<'a> {
    /// Its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'a str>,
    /// How it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a str>,
}

/// What is the same of all records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was put into the trash.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The record that it was merged into.
    pub merged_into: Option<Uuid>,
}

/// The fields that clients write of every type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Common<'a> {
    pub team_id: Option<TeamId>,
    pub tags: &'a [String],
    pub custom: &'a Map<String, Value>,
    pub external_id: Option<&'a str>,
}

/// The same, to fill in.
#[derive(Debug)]
pub(crate) struct CommonMut<'a> {
    pub tags: &'a mut Vec<String>,
    pub custom: &'a mut Map<String, Value>,
}

/// What can be wrong with the fields that all types have; the values of custom fields are checked against their
/// definitions by [`custom`].
pub(crate) fn validate_common(errors: &mut Errors, common: Common<'_>) {
    rules::optional_text(errors, "/external_id", common.external_id, 200);
    if common.tags.len() > 50 {
        errors.add("/tags", "too_many", "must have at most 50 tags");
    }
    for (n, tag) in common.tags.iter().enumerate() {
        if tag.trim().is_empty() || tag.trim() != tag || tag.chars().count() > 60 {
            errors.add(
                format!("/tags/{n}"),
                "invalid_tag",
                "must be 1 to 60 characters, without blanks at its ends",
            );
        } else if common.tags[..n].contains(tag) {
            errors.add(
                format!("/tags/{n}"),
                "repeated",
                "is there already; name each tag once",
            );
        }
    }
    if common.custom.len() > 200 {
        errors.add("/custom", "too_many", "must have at most 200 fields");
    }
}
