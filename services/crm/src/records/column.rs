//! How the types of a record's fields stand in its table: one column each, an amount of money two.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::postgres::PgRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::sql::Columns;

/// What kind of value a field has: which operators a filter may use on it, and how text becomes a value of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of any content.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A point in time.
    Instant,
    /// The id of something.
    Id,
    /// An amount with its currency; the second column has `_currency` at the end of its name.
    Money,
    /// Several texts; not filtered by column.
    Texts,
    /// Structured; not filtered by column.
    Json,
}

/// A type that can be a field of a record.
pub(crate) trait Column: Sized {
    /// What kind of value it is.
    const KIND: Kind;

    /// Reads it from a row.
    fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error>;

    /// Adds it to what is written.
    fn write(&self, name: &'static str, out: &mut Columns);

    /// Adds its column or columns to a list of columns.
    fn select(name: &'static str, list: &mut String) {
        list.push_str(name);
    }
}

/// Types that sqlx knows.
macro_rules! plain {
    ($($type:ty => $kind:expr),+ $(,)?) => {
        $(
            impl Column for $type {
                const KIND: Kind = $kind;
                fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    row.try_get(name)
                }
                fn write(&self, name: &'static str, out: &mut Columns) {
                    out.set(name, self.clone());
                }
            }

            impl Column for Option<$type> {
                const KIND: Kind = $kind;
                fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    row.try_get(name)
                }
                fn write(&self, name: &'static str, out: &mut Columns) {
                    out.set(name, self.clone());
                }
            }
        )+
    };
}

plain! {
    String => Kind::Text,
    i16 => Kind::Integer,
    i32 => Kind::Integer,
    i64 => Kind::Integer,
    f64 => Kind::Number,
    bool => Kind::Boolean,
    NaiveDate => Kind::Date,
    DateTime<Utc> => Kind::Instant,
    Uuid => Kind::Id,
    Vec<String> => Kind::Texts,
}

/// Typed ids, as their bare ids.
macro_rules! id_columns {
    ($($type:ty),+ $(,)?) => {
        $(
            impl Column for $type {
                const KIND: Kind = Kind::Id;
                fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    row.try_get::<Uuid, _>(name).map(Into::into)
                }
                fn write(&self, name: &'static str, out: &mut Columns) {
                    out.set(name, self.as_uuid());
                }
            }

            impl Column for Option<$type> {
                const KIND: Kind = Kind::Id;
                fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    Ok(row.try_get::<Option<Uuid>, _>(name)?.map(Into::into))
                }
                fn write(&self, name: &'static str, out: &mut Columns) {
                    out.set(name, self.map(|id| id.as_uuid()));
                }
            }

            impl Column for Vec<$type> {
                const KIND: Kind = Kind::Json;
                fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    let ids: Vec<Uuid> = row.try_get(name)?;
                    Ok(ids.into_iter().map(Into::into).collect())
                }
                fn write(&self, name: &'static str, out: &mut Columns) {
                    out.set(name, self.iter().map(|id| id.as_uuid()).collect::<Vec<Uuid>>());
                }
            }
        )+
    };
}

id_columns!(
    bz_kernel::UserId,
    bz_kernel::TeamId,
    bz_kernel::LeadId,
    bz_kernel::ContactId,
    bz_kernel::CompanyId,
    bz_kernel::DealId,
    bz_kernel::PipelineId,
    bz_kernel::StageId,
    bz_kernel::ActivityId,
    bz_kernel::TodoId,
);

/// Types that stand in a `jsonb` column.
macro_rules! json_columns {
    ($($type:ty),+ $(,)?) => {
        $(
            impl $crate::records::column::Column for $type {
                const KIND: $crate::records::column::Kind = $crate::records::column::Kind::Json;
                fn read(row: &sqlx::postgres::PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    Ok(sqlx::Row::try_get::<sqlx::types::Json<Self>, _>(row, name)?.0)
                }
                fn write(&self, name: &'static str, out: &mut $crate::records::sql::Columns) {
                    out.set(name, sqlx::types::Json(self.clone()));
                }
            }
        )+
    };
}
pub(crate) use json_columns;

json_columns!(Map<String, Value>);

/// Enums that have their text (`rules::text_enum!`).
macro_rules! choice_columns {
    ($($type:ty),+ $(,)?) => {
        $(
            impl $crate::records::column::Column for $type {
                const KIND: $crate::records::column::Kind = $crate::records::column::Kind::Choice(<$type>::TEXTS);
                fn read(row: &sqlx::postgres::PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    let text: String = sqlx::Row::try_get(row, name)?;
                    Self::try_from(text).map_err(|error| sqlx::Error::Decode(error.into()))
                }
                fn write(&self, name: &'static str, out: &mut $crate::records::sql::Columns) {
                    out.set(name, self.as_str());
                }
            }

            impl $crate::records::column::Column for Option<$type> {
                const KIND: $crate::records::column::Kind = $crate::records::column::Kind::Choice(<$type>::TEXTS);
                fn read(row: &sqlx::postgres::PgRow, name: &str) -> Result<Self, sqlx::Error> {
                    let text: Option<String> = sqlx::Row::try_get(row, name)?;
                    text.map(<$type>::try_from)
                        .transpose()
                        .map_err(|error| sqlx::Error::Decode(error.into()))
                }
                fn write(&self, name: &'static str, out: &mut $crate::records::sql::Columns) {
                    out.set(name, self.map(<$type>::as_str));
                }
            }
        )+
    };
}
pub(crate) use choice_columns;

/// An amount of money: `{"amount": "1234.50", "currency": "EUR"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The amount as text, at most 18 digits before and 2 after the point.
    #[serde(with = "rust_decimal::serde::str")]
    #[schema(value_type = String, pattern = r"^-?[0-9]{1,18}(\.[0-9]{1,2})?$")]
    pub amount: Decimal,
    /// The currency: three capital letters (ISO 4217).
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// The column of an amount's currency.
pub(crate) fn currency_of(name: &str) -> String {
    format!("{name}_currency")
}

impl Column for Option<Money> {
    const KIND: Kind = Kind::Money;

    fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
        let amount: Option<Decimal> = row.try_get(name)?;
        let currency: Option<String> = row.try_get(currency_of(name).as_str())?;
        Ok(amount
            .zip(currency)
            .map(|(amount, currency)| Money { amount, currency }))
    }

    fn write(&self, name: &'static str, out: &mut Columns) {
        out.set(name, self.as_ref().map(|money| money.amount));
        out.set(
            currency_of(name),
            self.as_ref().map(|money| money.currency.clone()),
        );
    }

    fn select(name: &'static str, list: &mut String) {
        list.push_str(name);
        list.push_str(", ");
        list.push_str(&currency_of(name));
    }
}
