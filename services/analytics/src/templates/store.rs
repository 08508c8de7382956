//! SQL of what data a tenant has.

use bz_tenant::{DbError, TenantTx};
use sqlx::query_as;

use super::needs::Measures;
use crate::catalogue::{Catalogue, Storage};

/// How many of the newest facts are looked at: a source that has a measure has it there.
const FACTS: i64 = 500;

/// The measures that there are of datasets. Orders and deals have all of theirs as soon as there is one.
pub(super) async fn available(tx: &mut TenantTx, datasets: &[String]) -> Result<Measures, DbError> {
    let mut have = of_facts(tx, datasets).await?;
    let (events, orders, lines, deals): (bool, bool, bool, bool) = query_as(
        "-- analytics.available\nSELECT EXISTS (SELECT FROM analytics.counts_15m), EXISTS (SELECT FROM analytics.orders), \
                EXISTS (SELECT FROM analytics.order_lines), EXISTS (SELECT FROM analytics.deals)",
    )
    .fetch_one(tx.conn())
    .await?;
    let catalogue = Catalogue::builtin();
    for dataset in datasets.iter().filter_map(|key| catalogue.dataset(key)) {
        let there = match dataset.storage {
            Storage::Facts => continue,
            Storage::Events => events,
            Storage::Orders => orders,
            Storage::OrderLines => lines,
            Storage::Deals => deals,
        };
        if there {
            let measures = dataset.measures.iter().map(|measure| measure.name.clone());
            have.entry(dataset.key.clone())
                .or_default()
                .extend(measures);
        }
    }
    Ok(have)
}

/// The measures that the newest facts of each dataset have.
async fn of_facts(tx: &mut TenantTx, datasets: &[String]) -> Result<Measures, DbError> {
    let rows: Vec<(String, String)> = query_as(
        "-- analytics.facts.measures\nSELECT DISTINCT w.dataset, k.key FROM unnest($1::text[]) AS w (dataset) \
         CROSS JOIN LATERAL (SELECT measures FROM analytics.facts f WHERE f.dataset = w.dataset ORDER BY f.day DESC LIMIT $2) f \
         CROSS JOIN LATERAL jsonb_object_keys(f.measures) AS k (key)",
    )
    .bind(datasets)
    .bind(FACTS)
    .fetch_all(tx.conn())
    .await?;
    let mut have = Measures::new();
    for (dataset, key) in rows {
        let Some(known) = Catalogue::builtin().dataset(&dataset) else {
            continue;
        };
        let by_key = known
            .measures
            .iter()
            .filter(|measure| measure.field.as_ref().unwrap_or(&measure.name) == &key);
        have.entry(dataset)
            .or_default()
            .extend(by_key.map(|measure| measure.name.clone()));
    }
    Ok(have)
}
