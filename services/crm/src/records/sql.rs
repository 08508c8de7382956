//! Statements that are put together: text and arguments side by side, so that no value ever becomes text.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Encode, FromRow, Postgres, Type};

use bz_tenant::{DbError, TenantTx};

/// A statement in the making.
#[derive(Default)]
pub(crate) struct Sql {
    text: String,
    args: PgArguments,
    fault: Option<sqlx::error::BoxDynError>,
}

impl Sql {
    /// A statement that begins with this text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Adds text of the program, never a client's.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Puts text of the program before all that there is.
    pub(crate) fn begin(&mut self, text: &str) -> &mut Self {
        self.text.insert_str(0, text);
        self
    }

    /// Adds a value, as a parameter.
    pub(crate) fn bind<'q, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'q, Postgres> + Type<Postgres> + 'q,
    {
        if let Err(fault) = self.args.add(value) {
            self.fault.get_or_insert(fault);
        }
        self.text.push('$');
        self.text.push_str(&self.args.len().to_string());
        self
    }

    /// Adds the names and the values of columns: `(a, b) VALUES ($1, $2)` of an `INSERT`.
    pub(crate) fn values(&mut self, columns: Columns) -> &mut Self {
        self.text.push_str(" (");
        self.text.push_str(&columns.names.join(", "));
        self.text.push_str(") VALUES (");
        for n in 1..=columns.names.len() {
            let comma = if n == 1 { "$" } else { ", $" };
            self.text.push_str(comma);
            self.text.push_str(&n.to_string());
        }
        self.text.push(')');
        self.take(columns);
        self
    }

    /// Adds the assignments of an `UPDATE`: `a = $1, b = $2`. Must be the first that has arguments.
    pub(crate) fn assignments(&mut self, columns: Columns) -> &mut Self {
        for (n, name) in columns.names.iter().enumerate() {
            if n > 0 {
                self.text.push_str(", ");
            }
            self.text.push_str(name);
            self.text.push_str(" = $");
            self.text.push_str(&(n + 1).to_string());
        }
        self.take(columns);
        self
    }

    fn take(&mut self, columns: Columns) {
        debug_assert_eq!(self.args.len(), 0, "columns come first");
        self.args = columns.args;
        self.fault = self.fault.take().or(columns.fault);
    }

    fn ready(self) -> Result<(String, PgArguments), DbError> {
        match self.fault {
            None => Ok((self.text, self.args)),
            Some(fault) => Err(sqlx::Error::Encode(fault).into()),
        }
    }

    /// The rows.
    pub(crate) async fn fetch_all<T>(self, tx: &mut TenantTx) -> Result<Vec<T>, DbError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let (text, args) = self.ready()?;
        Ok(sqlx::query_as_with(&text, args)
            .fetch_all(tx.conn())
            .await?)
    }

    /// The row, if there is one.
    pub(crate) async fn fetch_optional<T>(self, tx: &mut TenantTx) -> Result<Option<T>, DbError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let (text, args) = self.ready()?;
        Ok(sqlx::query_as_with(&text, args)
            .fetch_optional(tx.conn())
            .await?)
    }

    /// The one row.
    pub(crate) async fn fetch_one<T>(self, tx: &mut TenantTx) -> Result<T, DbError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let (text, args) = self.ready()?;
        Ok(sqlx::query_as_with(&text, args)
            .fetch_one(tx.conn())
            .await?)
    }

    /// How many rows it touched.
    pub(crate) async fn execute(self, tx: &mut TenantTx) -> Result<u64, DbError> {
        let (text, args) = self.ready()?;
        let done = sqlx::query_with(&text, args).execute(tx.conn()).await?;
        Ok(done.rows_affected())
    }
}

/// The names of columns, and a row as JSON.
pub(crate) type NamedRow = (Vec<Cow<'static, str>>, Map<String, Value>);

/// Columns and their values, in one order.
#[derive(Default)]
pub(crate) struct Columns {
    names: Vec<Cow<'static, str>>,
    args: PgArguments,
    /// The values as JSON instead, for statements that write many rows.
    json: Option<Map<String, Value>>,
    fault: Option<sqlx::error::BoxDynError>,
}

impl Columns {
    /// Columns of one of many rows.
    pub(crate) fn of_many() -> Self {
        Self {
            json: Some(Map::new()),
            ..Self::default()
        }
    }

    /// Adds a column with its value.
    pub(crate) fn set<'q, T>(&mut self, name: impl Into<Cow<'static, str>>, value: T) -> &mut Self
    where
        T: Encode<'q, Postgres> + Type<Postgres> + Serialize + 'q,
    {
        let name = name.into();
        let added = match &mut self.json {
            None => self.args.add(value),
            Some(json) => serde_json::to_value(value)
                .map(|value| drop(json.insert(name.to_string(), value)))
                .map_err(Into::into),
        };
        if let Err(fault) = added {
            self.fault.get_or_insert(fault);
        }
        self.names.push(name);
        self
    }

    /// The names, and the row as JSON.
    pub(crate) fn into_row(self) -> Result<NamedRow, DbError> {
        match self.fault {
            None => Ok((self.names, self.json.unwrap_or_default())),
            Some(fault) => Err(sqlx::Error::Encode(fault).into()),
        }
    }
}
