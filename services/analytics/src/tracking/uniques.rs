//! Different actors and sessions of a local day, as HLL sketches: sums of days count somebody who comes on two days twice,
//! sketches can be merged. Up to some 380 the number is exact, above that it is off by about one percent.

use std::collections::BTreeMap;

use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use datasketches::hll::{Coupon, HllSketch, HllType, HllUnion};
use futures_util::TryStreamExt;
use moka::sync::Cache;
use sqlx::{FromRow, query, query_as};

use super::{TrackedEvent, known::Known};

/// The binary logarithm of the registers of a sketch.
const LG_K: u8 = 12;
/// The most sketches that a process remembers, of at most four kilobytes.
const REMEMBERED: u64 = 2_000;

/// A sketch cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("a sketch is broken: {0}")]
struct Broken(datasketches::error::Error);

fn broken(error: datasketches::error::Error) -> DbError {
    DbError::Other(sqlx::Error::Decode(Box::new(Broken(error))))
}

/// Which sketch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, FromRow)]
pub(crate) struct SketchId {
    zone: String,
    /// `actor` or `session`.
    kind: String,
    /// The events' name; '' for all names.
    name: String,
    day: NaiveDate,
}

/// What is to be added, by sketch.
pub(crate) type Additions = BTreeMap<SketchId, Vec<Coupon>>;

/// What these events add.
pub(crate) fn additions(events: &[TrackedEvent], known: &Known) -> Additions {
    let mut additions = Additions::new();
    for event in events {
        for (kind, who) in [("actor", &event.actor_id), ("session", &event.session_id)] {
            let Some(who) = who else { continue };
            let coupon = Coupon::from_value(who.as_str());
            for zone in &known.zones {
                let day = event.ts.with_timezone(zone).date_naive();
                for name in [event.name.as_str(), ""] {
                    let id = SketchId {
                        zone: zone.name().to_owned(),
                        kind: kind.to_owned(),
                        name: name.to_owned(),
                        day,
                    };
                    additions.entry(id).or_default().push(coupon);
                }
            }
        }
    }
    additions
}

/// Sketches as they were written and committed: what changes nothing in them need not be written again. One that was made
/// again from the events, which takes somebody away, has another number of rebuilds.
pub(crate) struct Memory(Cache<(TenantId, i64, SketchId), HllSketch>);

impl Default for Memory {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

/// Sketches that were written in a transaction that is yet to be committed.
#[must_use = "remember them after the commit"]
pub(crate) struct Written(Vec<((TenantId, i64, SketchId), HllSketch)>);

impl Memory {
    /// Remembers what was committed.
    pub(crate) fn keep(&self, written: Written) {
        for (key, sketch) in written.0 {
            self.0.insert(key, sketch);
        }
    }

    /// Adds to the tenant's sketches. The transaction has the tenant's lock, so nobody else writes them meanwhile.
    pub(crate) async fn add(
        &self,
        tx: &mut TenantTx,
        rebuilds: i64,
        additions: Additions,
    ) -> Result<Written, DbError> {
        let tenant = tx.scope().tenant();
        let news: Additions = additions
            .into_iter()
            .filter(|(id, coupons)| {
                let known = self.0.get(&(tenant, rebuilds, id.clone()));
                known.is_none_or(|known| added(known.clone(), coupons) != known)
            })
            .collect();
        if news.is_empty() {
            return Ok(Written(Vec::new()));
        }
        let mut found = find(tx, news.keys()).await?;
        let mut changed = Vec::new();
        for (id, coupons) in news {
            let before = match found.remove(&id) {
                Some(bytes) => HllSketch::deserialize(&bytes).map_err(broken)?,
                None => empty()?,
            };
            changed.push((id, added(before, &coupons)));
        }
        save(tx, &changed).await?;
        let key = |(id, sketch)| ((tenant, rebuilds, id), sketch);
        Ok(Written(changed.into_iter().map(key).collect()))
    }
}

fn empty() -> Result<HllSketch, DbError> {
    HllSketch::new(LG_K, HllType::Hll8).map_err(broken)
}

fn added(mut sketch: HllSketch, coupons: &[Coupon]) -> HllSketch {
    for coupon in coupons {
        sketch.update_with_coupon(*coupon);
    }
    sketch
}

/// How many different ones all these sketches have seen together.
///
/// # Errors
/// When one of them is no sketch.
pub fn estimate<'a>(sketches: impl IntoIterator<Item = &'a [u8]>) -> Result<f64, DbError> {
    let mut all = HllUnion::new(LG_K).map_err(broken)?;
    for sketch in sketches {
        all.update(&HllSketch::deserialize(sketch).map_err(broken)?);
    }
    Ok(all.estimate())
}

/// Ids column by column, as `unnest` takes them.
type IdColumns<'a> = (Vec<&'a str>, Vec<&'a str>, Vec<&'a str>, Vec<NaiveDate>);

fn columns<'a>(ids: impl Iterator<Item = &'a SketchId>) -> IdColumns<'a> {
    let mut columns = IdColumns::default();
    for id in ids {
        columns.0.push(&id.zone);
        columns.1.push(&id.kind);
        columns.2.push(&id.name);
        columns.3.push(id.day);
    }
    columns
}

async fn find(
    tx: &mut TenantTx,
    ids: impl Iterator<Item = &SketchId>,
) -> Result<BTreeMap<SketchId, Vec<u8>>, DbError> {
    let (zones, kinds, names, days) = columns(ids);
    let rows: Vec<(String, String, String, NaiveDate, Vec<u8>)> = query_as(
        "-- analytics.unique_sketches.find\n\
         SELECT s.zone, s.kind, s.name, s.day, s.sketch \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::date[]) AS i (zone, kind, name, day) \
         JOIN analytics.unique_sketches AS s USING (zone, kind, name, day)",
    )
    .bind(zones)
    .bind(kinds)
    .bind(names)
    .bind(days)
    .fetch_all(tx.conn())
    .await?;
    let id = |(zone, kind, name, day, sketch)| {
        let id = SketchId {
            zone,
            kind,
            name,
            day,
        };
        (id, sketch)
    };
    Ok(rows.into_iter().map(id).collect())
}

async fn save(tx: &mut TenantTx, sketches: &[(SketchId, HllSketch)]) -> Result<(), DbError> {
    let (zones, kinds, names, days) = columns(sketches.iter().map(|(id, _)| id));
    let bytes: Vec<_> = sketches.iter().map(|(_, it)| it.serialize()).collect();
    query(
        "-- analytics.unique_sketches.save\n\
         INSERT INTO analytics.unique_sketches (zone, kind, name, day, sketch) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::bytea[]) \
         ON CONFLICT (tenant_id, zone, kind, name, day) DO UPDATE SET sketch = excluded.sketch",
    )
    .bind(zones)
    .bind(kinds)
    .bind(names)
    .bind(days)
    .bind(bytes)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes the sketches of a local day again from its events. The transaction has the tenant's lock.
pub(super) async fn rebuild(
    tx: &mut TenantTx,
    zone: &str,
    day: NaiveDate,
    (begins, ends): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbError> {
    query("-- analytics.unique_sketches.clear\nDELETE FROM analytics.unique_sketches WHERE zone = $1 AND day = $2")
        .bind(zone)
        .bind(day)
        .execute(tx.conn())
        .await?;
    let mut sketches: BTreeMap<SketchId, HllSketch> = BTreeMap::new();
    let mut rows = query_as::<_, (String, String, String)>(
        "-- analytics.tracked_events.who\n\
         SELECT DISTINCT w.kind, e.name, w.id FROM analytics.tracked_events AS e \
         CROSS JOIN LATERAL (VALUES ('actor', e.actor_id), ('session', e.session_id)) AS w (kind, id) \
         WHERE e.ts >= $1 AND e.ts < $2 AND w.id IS NOT NULL",
    )
    .bind(begins)
    .bind(ends)
    .fetch(tx.conn());
    while let Some((kind, name, who)) = rows.try_next().await? {
        let coupon = Coupon::from_value(who.as_str());
        for name in [name, String::new()] {
            let id = SketchId {
                zone: zone.to_owned(),
                kind: kind.clone(),
                name,
                day,
            };
            match sketches.get_mut(&id) {
                Some(sketch) => sketch.update_with_coupon(coupon),
                None => {
                    sketches.insert(id, added(empty()?, &[coupon]));
                }
            }
        }
    }
    drop(rows);
    let sketches: Vec<_> = sketches.into_iter().collect();
    if sketches.is_empty() {
        return Ok(());
    }
    save(tx, &sketches).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch_of(people: std::ops::Range<u32>) -> HllSketch {
        let coupons: Vec<_> = people
            .map(|n| Coupon::from_value(format!("actor-{n}").as_str()))
            .collect();
        added(empty().unwrap(), &coupons)
    }

    #[test]
    fn some_hundred_are_counted_exactly_and_many_within_two_percent() {
        for people in [0, 1, 100, 300] {
            let bytes = sketch_of(0..people).serialize();
            assert_eq!(estimate([bytes.as_slice()]).unwrap().round(), f64::from(people));
        }
        for people in [1_000, 10_000, 100_000, 1_000_000] {
            let bytes = sketch_of(0..people).serialize();
            let off = estimate([bytes.as_slice()]).unwrap() / f64::from(people) - 1.0;
            assert!(off.abs() <= 0.02, "{people}: {off}");
        }
    }

    #[test]
    fn who_comes_on_several_days_counts_once_over_them() {
        let days = [sketch_of(0..200), sketch_of(100..300), sketch_of(0..300)];
        let days = days.map(|day| day.serialize());
        let all = estimate(days.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(all.round(), 300.0);
    }
}
