//! Different actors and sessions of a local day, as HLL sketches: sums of days count somebody who comes on two days twice,
//! sketches can be merged. Up to some 760 the number is exact, above that it is off by about one percent.

use std::collections::{BTreeMap, HashMap};

use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantTx};
use chrono::NaiveDate;
use chrono_tz::Tz;
use datasketches::hll::{Coupon, HllSketch, HllType, HllUnion};
use moka::sync::Cache;
use sqlx::{FromRow, query, query_as};

use super::{TrackedEvent, known::Known};

/// The binary logarithm of the registers of a sketch.
const LG_K: u8 = 13;
/// Six bits a register: six kilobytes, which is as much as fits in a page of the database with its key.
const REGISTERS: HllType = HllType::Hll6;
/// The most sketches that a process remembers, of at most six kilobytes.
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

impl SketchId {
    /// The sketch of one kind, name and local day.
    pub(super) fn new(zone: Tz, kind: &str, name: &str, day: NaiveDate) -> Self {
        Self {
            zone: zone.name().to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            day,
        }
    }
}

/// What is to be added, by sketch.
pub(crate) type Additions = BTreeMap<SketchId, Vec<Coupon>>;

/// What these events add.
pub(crate) fn additions(events: &[TrackedEvent], known: &Known) -> Additions {
    // With names that are borrowed first: a batch has many events and few names.
    let mut found: HashMap<(usize, &str, &str, NaiveDate), Vec<Coupon>> = HashMap::new();
    for event in events {
        for (kind, who) in [("actor", &event.actor_id), ("session", &event.session_id)] {
            let Some(who) = who else { continue };
            let coupon = Coupon::from_value(who.as_str());
            for (place, zone) in known.zones.iter().enumerate() {
                let day = event.ts.with_timezone(zone).date_naive();
                for name in [event.name.as_str(), ""] {
                    let key = (place, kind, name, day);
                    found.entry(key).or_default().push(coupon);
                }
            }
        }
    }
    let addition = |((place, kind, name, day), coupons): ((usize, &str, &str, _), _)| {
        (SketchId::new(known.zones[place], kind, name, day), coupons)
    };
    found.into_iter().map(addition).collect()
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

/// One that has seen nobody.
pub(super) fn empty() -> Result<HllSketch, DbError> {
    HllSketch::new(LG_K, REGISTERS).map_err(broken)
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
    let mut sketches = sketches.into_iter();
    let Some(first) = sketches.next() else {
        return Ok(0.0);
    };
    let first = HllSketch::deserialize(first).map_err(broken)?;
    let Some(second) = sketches.next() else {
        // One that was never merged knows more than its registers: its error is a fifth smaller.
        return Ok(first.estimate());
    };
    let mut all = HllUnion::new(LG_K).map_err(broken)?;
    all.update(&first);
    for sketch in std::iter::once(second).chain(sketches) {
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

/// Writes sketches.
pub(super) async fn save(
    tx: &mut TenantTx,
    sketches: &[(SketchId, HllSketch)],
) -> Result<(), DbError> {
    if sketches.is_empty() {
        return Ok(());
    }
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

/// Deletes sketches of nobody.
pub(super) async fn forget(tx: &mut TenantTx, ids: &[SketchId]) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (zones, kinds, names, days) = columns(ids.iter());
    query(
        "-- analytics.unique_sketches.forget\n\
         DELETE FROM analytics.unique_sketches AS s \
         USING unnest($1::text[], $2::text[], $3::text[], $4::date[]) AS i (zone, kind, name, day) \
         WHERE (s.zone, s.kind, s.name, s.day) = (i.zone, i.kind, i.name, i.day)",
    )
    .bind(zones)
    .bind(kinds)
    .bind(names)
    .bind(days)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the stored sketch has seen the same as the other one, in whichever order: then both together are either of them.
/// This estimate depends on the registers alone, and grows with each.
pub(super) fn has_seen_the_same(stored: &[u8], other: &HllSketch) -> Result<bool, DbError> {
    let Ok(stored) = HllSketch::deserialize(stored) else {
        // A broken one is wrong.
        return Ok(false);
    };
    let mut both = HllUnion::new(LG_K).map_err(broken)?;
    both.update(&stored);
    both.update(other);
    let [stored, other] = [&stored, other].map(HllSketch::composite_estimate);
    Ok(stored == other && both.composite_estimate() == other)
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
        for people in [0, 1, 100, 300, 700] {
            let bytes = sketch_of(0..people).serialize();
            assert_eq!(
                estimate([bytes.as_slice()]).unwrap().round(),
                f64::from(people)
            );
        }
        for people in [1_000, 10_000, 100_000, 1_000_000] {
            let bytes = sketch_of(0..people).serialize();
            let off = estimate([bytes.as_slice()]).unwrap() / f64::from(people) - 1.0;
            assert!(off.abs() <= 0.02, "{people}: {off}");
        }
    }

    #[test]
    fn the_same_people_are_recognized_in_whichever_order_they_came_and_others_are_not() {
        for people in [0, 1, 7, 100, 700, 1_000, 20_000] {
            let backwards: Vec<_> = (0..people)
                .rev()
                .map(|n| Coupon::from_value(format!("actor-{n}").as_str()))
                .collect();
            let backwards = added(empty().unwrap(), &backwards);
            let stored = sketch_of(0..people).serialize();
            assert!(has_seen_the_same(&stored, &backwards).unwrap(), "{people}");
            let many = people / 10 + 1;
            for others in [0..people + many, many..people + many, many..people] {
                let others = sketch_of(others);
                let is_same = has_seen_the_same(&stored, &others).unwrap();
                assert_eq!(is_same, people == 0 && others.is_empty(), "{people}");
            }
        }
        assert!(!has_seen_the_same(b"broken", &empty().unwrap()).unwrap());
    }

    #[test]
    fn sketches_of_many_days_together_are_within_three_percent() {
        let days: Vec<_> = (0..30)
            .map(|day| sketch_of(day * 10_000..day * 10_000 + 20_000).serialize())
            .collect();
        let off = estimate(days.iter().map(Vec::as_slice)).unwrap() / 310_000.0 - 1.0;
        assert!(off.abs() <= 0.03, "{off}");
    }

    #[test]
    fn who_comes_on_several_days_counts_once_over_them() {
        let days = [sketch_of(0..200), sketch_of(100..300), sketch_of(0..300)];
        let days = days.map(|day| day.serialize());
        let all = estimate(days.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(all.round(), 300.0);
    }
}
