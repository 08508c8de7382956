//! Filters: which records are meant. One tree serves lists, saved views, exports, bulk changes and automations; a list's
//! query string is a short way to write one.

mod parse;
mod side;
mod sql;
mod tests;

use bz_http::{Errors, Problem};
use bz_kernel::UserId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{RecordType, custom::Definition, sql::Sql};

pub(crate) use parse::from_query;

/// The deepest nesting of a filter.
const MAX_DEPTH: usize = 5;
/// The most tests in a filter.
const MAX_TESTS: usize = 50;
/// The most values of one test.
const MAX_VALUES: usize = 1_000;

/// Which records are meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(no_recursion)]
pub(crate) enum Filter {
    /// Those that pass all of these.
    All(AllOf),
    /// Those that pass at least one of these.
    Any(AnyOf),
    /// Those that do not pass this.
    Not(NotThis),
    /// Those whose field passes.
    Test(Test),
}

/// Those that pass all of these; an empty list lets everything pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub(crate) struct AllOf {
    pub all: Vec<Filter>,
}

/// Those that pass at least one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub(crate) struct AnyOf {
    pub any: Vec<Filter>,
}

/// Those that do not pass this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub(crate) struct NotThis {
    pub not: Box<Filter>,
}

/// One test of one field: `{"field": "status", "op": "in", "value": ["new", "working"]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    /// A field of the record, `tags`, or `custom.<key>`.
    pub field: String,
    /// How it is compared; `eq` when not given.
    #[serde(default)]
    pub op: Op,
    /// What with. `me` stands for the caller where an id of a user is meant.
    #[serde(default)]
    pub value: Value,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    /// Equal. Addresses, phone numbers and names of people are equal in any spelling.
    #[default]
    Eq,
    /// Not equal, or empty.
    Ne,
    /// Equal to one of a list.
    In,
    /// Equal to none of a list, or empty.
    Nin,
    /// Greater, later.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less, earlier.
    Lt,
    /// Less or equal.
    Lte,
    /// Begins with this text, in upper or lower case.
    Like,
    /// Has this text in it, in upper or lower case.
    Contains,
    /// Empty (`true`) or not (`false`).
    IsNull,
    /// Has at least one of these tags.
    Any,
    /// Has all of these tags.
    All,
}

/// What a filter is read with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The type of record.
    pub record: &'static RecordType,
    /// The tenant's own fields.
    pub custom: &'a [Definition],
    /// Who `me` is.
    pub me: UserId,
}

impl Filter {
    /// A filter that everything passes.
    pub(crate) const fn everything() -> Self {
        Self::All(AllOf { all: Vec::new() })
    }

    /// Adds the condition to a statement whose `WHERE` has begun: ` AND (..)`, or nothing.
    ///
    /// # Errors
    /// 422 with everything that is wrong with the filter.
    pub(crate) fn push(&self, context: Context<'_>, sql: &mut Sql) -> Result<(), Problem> {
        if *self == Self::everything() {
            return Ok(());
        }
        let mut errors = Errors::default();
        let mut writer = sql::Writer {
            context,
            sql,
            errors: &mut errors,
            tests: 0,
        };
        writer.sql.push(" AND ");
        writer.filter(self, "", 0);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::validation(errors))
        }
    }

    /// Whether the filter can be used on records of the type.
    ///
    /// # Errors
    /// 422 with everything that is wrong with it.
    pub(crate) fn check(&self, context: Context<'_>) -> Result<(), Problem> {
        self.push(context, &mut Sql::default())
    }
}
