//! Deals of sales systems, the platform's own CRM among them.

use std::collections::BTreeMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::query;

use super::facts::texts;
use crate::version;

/// The source of deals that are the platform's own.
pub const CRM: &str = "crm";

/// How a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody knows yet.
    #[default]
    Open,
    /// Sold.
    Won,
    /// Not sold.
    Lost,
}

impl Outcome {
    /// As text, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// A deal as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// The system's own id.
    pub deal_id: String,
    /// What orders tellings of the same deal: an older one is passed over.
    pub revision: i64,
    /// Its pipeline.
    pub pipeline: String,
    /// Its stage.
    pub stage: String,
    /// Whose it is.
    pub owner: String,
    /// ISO 4217 code of the amount, or nothing.
    pub currency: String,
    /// What it is worth, in the currency's smallest unit.
    pub amount_minor: i64,
    /// How likely it is won, 0 to 100.
    pub probability: i16,
    /// How it stands.
    pub outcome: Outcome,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was won or lost.
    pub closed_at: Option<DateTime<Utc>>,
    /// More about it: `source`.
    pub dims: BTreeMap<String, String>,
    /// Stages it came to, and when.
    pub entered: Vec<(String, DateTime<Utc>)>,
}

/// Writes deals down as they are now, and the stages they came to. The tenant's data have a new version then.
///
/// # Errors
/// Any [`DbError`].
pub async fn upsert(
    tx: &mut TenantTx,
    source: &str,
    at: DateTime<Utc>,
    deals: Vec<Deal>,
) -> Result<(), DbError> {
    write(tx, source, at, deals).await?;
    version::bump(tx).await?;
    Ok(())
}

const WRITE: &str = "-- analytics.deals.write\n\
    INSERT INTO analytics.deals AS d (source, loaded_at, deal_id, revision, pipeline, stage, owner, currency, amount_minor, \
      probability, outcome, created_at, closed_at, dims) \
    SELECT $1, $2, u.deal_id, u.revision, u.pipeline, u.stage, u.owner, u.currency, u.amount, u.probability, u.outcome, \
      u.created_at, u.closed_at, u.dims::jsonb \
    FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::smallint[], \
                $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[]) \
      AS u (deal_id, revision, pipeline, stage, owner, currency, amount, probability, outcome, created_at, closed_at, dims) \
    ON CONFLICT (tenant_id, source, deal_id) DO UPDATE SET \
      loaded_at = excluded.loaded_at, revision = excluded.revision, pipeline = excluded.pipeline, stage = excluded.stage, \
      owner = excluded.owner, currency = excluded.currency, amount_minor = excluded.amount_minor, \
      probability = excluded.probability, outcome = excluded.outcome, created_at = excluded.created_at, \
      closed_at = excluded.closed_at, dims = excluded.dims \
    WHERE excluded.revision >= d.revision";

/// The same without the new version, for a load in parts.
pub(crate) async fn write(
    tx: &mut TenantTx,
    source: &str,
    at: DateTime<Utc>,
    deals: Vec<Deal>,
) -> Result<(), DbError> {
    let mut newest: BTreeMap<String, Deal> = BTreeMap::new();
    let mut entered = Vec::new();
    for mut deal in deals {
        let id = deal.deal_id.clone();
        let stages = std::mem::take(&mut deal.entered).into_iter();
        entered.extend(stages.map(|(stage, when)| (id.clone(), stage, when)));
        if newest
            .get(&id)
            .is_none_or(|known| known.revision <= deal.revision)
        {
            newest.insert(id, deal);
        }
    }
    let deals: Vec<Deal> = newest.into_values().collect();
    write_deals(tx, source, at, &deals).await?;
    write_stages(tx, source, entered).await
}

async fn write_deals(
    tx: &mut TenantTx,
    source: &str,
    at: DateTime<Utc>,
    deals: &[Deal],
) -> Result<(), DbError> {
    fn all<T>(deals: &[Deal], of: impl Fn(&Deal) -> T) -> Vec<T> {
        deals.iter().map(of).collect()
    }
    query(WRITE)
        .bind(source)
        .bind(at)
        .bind(all(deals, |d| d.deal_id.clone()))
        .bind(all(deals, |d| d.revision))
        .bind(all(deals, |d| d.pipeline.clone()))
        .bind(all(deals, |d| d.stage.clone()))
        .bind(all(deals, |d| d.owner.clone()))
        .bind(all(deals, |d| d.currency.clone()))
        .bind(all(deals, |d| d.amount_minor))
        .bind(all(deals, |d| d.probability))
        .bind(all(deals, |d| d.outcome.as_str()))
        .bind(all(deals, |d| d.created_at))
        .bind(all(deals, |d| d.closed_at))
        .bind(all(deals, |d| texts(&d.dims)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

async fn write_stages(
    tx: &mut TenantTx,
    source: &str,
    mut entered: Vec<(String, String, DateTime<Utc>)>,
) -> Result<(), DbError> {
    entered.sort();
    query(
        "-- analytics.deal_stages.write\n\
         INSERT INTO analytics.deal_stages (source, deal_id, stage, entered_at) \
         SELECT $1, u.* FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS u ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(entered.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>())
    .bind(entered.iter().map(|(_, stage, _)| stage.clone()).collect::<Vec<_>>())
    .bind(entered.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets a deal that was deleted. Without the new version.
pub(crate) async fn remove(tx: &mut TenantTx, source: &str, deal_id: &str) -> Result<(), DbError> {
    for sql in [
        "-- analytics.deals.remove\nDELETE FROM analytics.deals WHERE source = $1 AND deal_id = $2",
        "-- analytics.deal_stages.remove\nDELETE FROM analytics.deal_stages WHERE source = $1 AND deal_id = $2",
    ] {
        query(sql)
            .bind(source)
            .bind(deal_id)
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}
