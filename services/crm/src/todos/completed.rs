use serde::{Deserialize, Serialize};
use sqlx::{Row, postgres::PgRow};

use crate::records::{
    column::{Column, Kind},
    sql::Columns,
};

/// Whether a to-do is done, when somebody says so. Its column follows from the status and is never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Completed(pub(super) Option<bool>);

impl Column for Completed {
    const KIND: Kind = Kind::Boolean;

    fn read(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
        row.try_get(name).map(|completed| Self(Some(completed)))
    }

    fn write(&self, _: &'static str, _: &mut Columns) {}
}
