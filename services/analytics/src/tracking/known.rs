//! What has to be known of a tenant before its events can be counted: the zones whose days are kept, and the values that
//! are counted by themselves. It is read once and remembered; ingestion notices when it is no longer true.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bz_kernel::TenantId;
use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono_tz::Tz;
use moka::sync::Cache;
use sqlx::{query, query_as, query_scalar};

use super::{TrackedEvent, event::DIMENSIONS};

/// The most values of a dimension that are counted by themselves.
pub(crate) const MAX_VALUES: usize = 200;
/// What the others are counted as.
pub(crate) const OTHER: &str = "(other)";
/// The most tenants of which something is remembered, and how long.
const TENANTS: u64 = 1_000;
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// What is known of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The zones whose days are kept, and those that are to be.
    pub(crate) zones: Vec<Tz>,
    /// The values that are counted by themselves, by dimension.
    values: HashMap<String, HashSet<String>>,
}

impl Known {
    /// Whether a value is counted by itself; none when that is yet to be decided.
    fn is_counted(&self, dimension: &str, value: &str) -> Option<bool> {
        let values = self.values.get(dimension)?;
        if values.contains(value) {
            return Some(true);
        }
        (values.len() >= MAX_VALUES).then_some(false)
    }

    /// The values of a dimension that are counted by themselves.
    pub(super) fn values_of(&self, dimension: &str) -> impl Iterator<Item = &str> {
        let values = self.values.get(dimension);
        values.into_iter().flatten().map(String::as_str)
    }

    /// The values that come with these events and are counted as [`OTHER`]: dimensions and values.
    pub(crate) fn others(&self, events: &[TrackedEvent]) -> (Vec<&'static str>, Vec<String>) {
        let mut found = HashSet::new();
        for event in events {
            for (dimension, value) in DIMENSIONS.into_iter().zip(event.dimensions()) {
                let Some(value) = value else { continue };
                if self.is_counted(dimension, value) != Some(true) {
                    found.insert((dimension, value));
                }
            }
        }
        found
            .into_iter()
            .map(|(dimension, value)| (dimension, value.to_owned()))
            .unzip()
    }

    /// The values of these events that are yet to be decided about.
    fn undecided(&self, events: &[TrackedEvent]) -> HashSet<(&'static str, String)> {
        let pairs = events
            .iter()
            .flat_map(|event| DIMENSIONS.into_iter().zip(event.dimensions()));
        pairs
            .filter_map(|(dimension, value)| Some((dimension, value?)))
            .filter(|(dimension, value)| self.is_counted(dimension, value).is_none())
            .map(|(dimension, value)| (dimension, value.to_owned()))
            .collect()
    }
}

/// What is known of all tenants.
pub(crate) struct Memory(Cache<TenantId, Arc<Known>>);

impl Default for Memory {
    fn default() -> Self {
        let cache = Cache::builder()
            .max_capacity(TENANTS)
            .time_to_live(REMEMBERED);
        Self(cache.build())
    }
}

impl Memory {
    /// What is known of the tenant, with a decision about every value of these events. Decisions are made in a transaction
    /// of their own: ingestion takes the tenant's lock last, this takes it first.
    pub(crate) async fn of(
        &self,
        db: &Db,
        scope: &TenantScope,
        events: &[TrackedEvent],
    ) -> Result<Arc<Known>, DbError> {
        let tenant = scope.tenant();
        let known = match self.0.get(&tenant) {
            Some(known) => known,
            None => {
                let mut tx = db.read(scope).await?;
                Arc::new(load(&mut tx).await?)
            }
        };
        let undecided = known.undecided(events);
        let known = if undecided.is_empty() {
            known
        } else {
            let mut tx = db.tenant(scope).await?;
            decide(&mut tx, undecided).await?;
            let known = load(&mut tx).await?;
            tx.commit().await?;
            Arc::new(known)
        };
        self.0.insert(tenant, Arc::clone(&known));
        Ok(known)
    }

    /// Forgets what is no longer true.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.0.invalidate(&tenant);
    }
}

/// What is known of the tenant now.
pub(super) async fn load(tx: &mut TenantTx) -> Result<Known, DbError> {
    let rows: Vec<(String, String)> = query_as(
        "-- analytics.dimension_values.all\n\
         SELECT '', unnest(zones || wanted_zones) FROM analytics.tenant_data \
         UNION ALL SELECT dim, value FROM analytics.dimension_values",
    )
    .fetch_all(tx.conn())
    .await?;
    let mut zones = Vec::new();
    let mut values: HashMap<String, HashSet<String>> = DIMENSIONS
        .map(|dimension| (dimension.to_owned(), HashSet::new()))
        .into();
    for (dimension, value) in rows {
        match values.get_mut(&dimension) {
            Some(values) => {
                values.insert(value);
            }
            // Only names that were parsed are stored.
            None => zones.extend(value.parse::<Tz>()),
        }
    }
    if zones.is_empty() {
        zones.push(Tz::UTC);
    }
    Ok(Known { zones, values })
}

/// Takes as many of the values as there is room for.
async fn decide(tx: &mut TenantTx, values: HashSet<(&'static str, String)>) -> Result<(), DbError> {
    // Whoever decides waits for whoever is deciding, and then sees what was decided.
    query_scalar::<_, i64>(
        "-- analytics.tenant_data.lock\n\
         INSERT INTO analytics.tenant_data AS d (version) VALUES (1) \
         ON CONFLICT (tenant_id) DO UPDATE SET version = d.version RETURNING version",
    )
    .fetch_one(tx.conn())
    .await?;
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    let (dimensions, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    query(
        "-- analytics.dimension_values.decide\n\
         INSERT INTO analytics.dimension_values (dim, value) \
         SELECT n.dim, n.value FROM ( \
           SELECT u.dim, u.value, row_number() OVER (PARTITION BY u.dim ORDER BY u.value) AS place \
           FROM unnest($1::text[], $2::text[]) AS u (dim, value) \
           WHERE NOT EXISTS (SELECT FROM analytics.dimension_values AS k WHERE k.dim = u.dim AND k.value = u.value) \
         ) AS n \
         WHERE n.place + (SELECT count(*) FROM analytics.dimension_values AS k WHERE k.dim = n.dim) <= $3",
    )
    .bind(dimensions)
    .bind(values)
    .bind(i64::try_from(MAX_VALUES).unwrap_or(i64::MAX))
    .execute(tx.conn())
    .await?;
    Ok(())
}
