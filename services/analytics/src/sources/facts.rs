//! Facts by day, as other systems have summed them up.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use bz_tenant::{DbError, TenantTx};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::query;

use super::Load;
use crate::version;

/// What was measured on one day of one combination of dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The day, as the system that summed it up cut its days.
    pub day: NaiveDate,
    /// ISO 4217 code of the measures of money, or nothing.
    pub currency: String,
    /// What it is about, by the names of the dataset: `campaign`.
    pub dims: BTreeMap<String, String>,
    /// By the names of the dataset; money in the currency's smallest unit.
    pub measures: BTreeMap<String, Decimal>,
}

/// Replaces days of a source: whatever it had told of them goes. Facts of the same day, dimensions and currency are added
/// up. The tenant's data have a new version then.
///
/// # Errors
/// Any [`DbError`].
pub async fn replace(
    tx: &mut TenantTx,
    load: &Load,
    dataset: &str,
    days: &BTreeSet<NaiveDate>,
    rows: Vec<Fact>,
) -> Result<(), DbError> {
    clear(tx, load, dataset, days).await?;
    add(tx, load, dataset, rows).await?;
    version::bump(tx).await?;
    Ok(())
}

/// Deletes what a source told of days. The first part of [`replace`], for a load in parts.
pub(crate) async fn clear(
    tx: &mut TenantTx,
    load: &Load,
    dataset: &str,
    days: &BTreeSet<NaiveDate>,
) -> Result<(), DbError> {
    query(
        "-- analytics.facts.clear\n\
         DELETE FROM analytics.facts WHERE dataset = $1 AND day = ANY($2) AND source_id = $3",
    )
    .bind(dataset)
    .bind(days.iter().copied().collect::<Vec<_>>())
    .bind(load.source_id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Facts column by column, as `unnest` takes them; JSON as text, so that decimal numbers stay exact.
#[derive(Default)]
struct Columns {
    days: Vec<NaiveDate>,
    entities: Vec<String>,
    currencies: Vec<String>,
    dims: Vec<String>,
    measures: Vec<String>,
}

/// Adds facts to days that were cleared in the same transaction.
pub(crate) async fn add(
    tx: &mut TenantTx,
    load: &Load,
    dataset: &str,
    rows: Vec<Fact>,
) -> Result<(), DbError> {
    let mut columns = Columns::default();
    for ((day, dims, currency), measures) in summed(rows) {
        columns.days.push(day);
        columns.entities.push(entity(&dims));
        columns.currencies.push(currency);
        columns.dims.push(dims);
        columns.measures.push(numbers(&measures));
    }
    query(
        "-- analytics.facts.add\n\
         INSERT INTO analytics.facts AS f (dataset, source_id, loaded_at, day, entity, currency, dims, measures) \
         SELECT $1, $2, $3, u.day, u.entity, u.currency, u.dims::jsonb, u.measures::jsonb \
         FROM unnest($4::date[], $5::text[], $6::text[], $7::text[], $8::text[]) AS u (day, entity, currency, dims, measures) \
         ON CONFLICT (tenant_id, dataset, day, source_id, entity, currency) DO UPDATE SET measures = ( \
           SELECT jsonb_object_agg(s.key, s.total) FROM ( \
             SELECT m.key, sum(m.value::numeric) AS total \
             FROM (SELECT * FROM jsonb_each_text(f.measures) UNION ALL SELECT * FROM jsonb_each_text(excluded.measures)) AS m \
             GROUP BY m.key) AS s)",
    )
    .bind(dataset)
    .bind(load.source_id)
    .bind(load.at)
    .bind(columns.days)
    .bind(columns.entities)
    .bind(columns.currencies)
    .bind(columns.dims)
    .bind(columns.measures)
    .execute(tx.conn())
    .await?;
    Ok(())
}

type Key = (NaiveDate, String, String);

/// One row for each day, dimensions and currency, in the order of the key.
fn summed(rows: Vec<Fact>) -> BTreeMap<Key, BTreeMap<String, Decimal>> {
    let mut all: BTreeMap<Key, BTreeMap<String, Decimal>> = BTreeMap::new();
    for row in rows {
        let dims = texts(&row.dims);
        let measures = all.entry((row.day, dims, row.currency)).or_default();
        for (name, value) in row.measures {
            *measures.entry(name).or_default() += value;
        }
    }
    all
}

/// An object of texts, its members in order.
pub(super) fn texts(members: &BTreeMap<String, String>) -> String {
    let object = members
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str())));
    serde_json::Value::Object(object.collect()).to_string()
}

/// An object of numbers, exact.
fn numbers(members: &BTreeMap<String, Decimal>) -> String {
    let parts: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name.as_str())))
        .collect();
    format!("{{{}}}", parts.join(","))
}

/// The digest of dimensions, which stands for them in the key.
fn entity(dims: &str) -> String {
    let digest = digest::digest(&digest::SHA256, dims.as_bytes());
    hex::encode(&digest.as_ref()[..16])
}
