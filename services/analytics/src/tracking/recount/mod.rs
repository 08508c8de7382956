//! Counting events again. They are read once, which costs the database a quarter of what adding them up there does, and what
//! comes out is held against what is stored: whoever finds no difference has nothing to lock and nothing to write.

mod mend;
mod read;
mod span;
mod tally;

use std::collections::HashMap;

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use datasketches::hll::{Coupon, HllSketch};

use self::{
    span::LocalDays,
    tally::{Counts, Key, Sum, Texts},
};
use super::{
    event::DIMENSIONS,
    known::{Known, OTHER},
    uniques::{self, SketchId},
};

pub(super) use span::{Span, bounds};

/// A count as it should be; one of none should not be there.
#[derive(Debug)]
struct Row<T> {
    dim: String,
    name: String,
    time: T,
    value: String,
    currency: String,
    sum: Sum,
}

/// What is stored otherwise than the events say: as it should be.
#[derive(Debug, Default)]
pub(super) struct Differences {
    quarters: Vec<Row<DateTime<Utc>>>,
    days: Vec<(Tz, Vec<Row<NaiveDate>>)>,
    sketches: Vec<(SketchId, HllSketch)>,
    /// Sketches of nobody.
    gone: Vec<SketchId>,
}

impl Differences {
    /// Whether everything is right.
    pub(super) fn is_empty(&self) -> bool {
        self.quarters.is_empty()
            && self.days.iter().all(|(_, rows)| rows.is_empty())
            && self.sketches.is_empty()
            && self.gone.is_empty()
    }
}

/// Counts what is in the span, and answers what is stored otherwise. All that it reads must be of one moment: the transaction
/// is a snapshot, or has the tenant's lock.
pub(super) async fn differences(
    tx: &mut TenantTx,
    known: &Known,
    span: &Span,
) -> Result<Differences, DbError> {
    let mut recount = Recount::new(known, span);
    for (piece, is_counted) in span.pieces() {
        read::events(tx, piece, &mut recount).await?;
        for (days, local) in recount.days.iter_mut().zip(&recount.local) {
            recount.quarters.add_to(days, local);
        }
        if is_counted {
            read::quarters(tx, piece, &mut recount).await?;
            recount.close_quarters();
        }
        recount.quarters.clear();
    }
    for place in 0..span.zones.len() {
        read::days(
            tx,
            span.zones[place],
            &mut recount.texts,
            &mut recount.days[place],
        )
        .await?;
        recount.close_days(span.zones[place].zone, place);
    }
    let stored = read::sketches(tx, &span.zones).await?;
    recount.close_sketches(&span.zones, stored)?;
    Ok(recount.found)
}

/// Whose sketch: the places of zone and kind, the number of the name, the day.
type SketchKey = (usize, &'static str, u32, i32);

/// An event, as it is read.
struct Event<'a> {
    name: &'a str,
    quarter: i32,
    dimensions: [Option<&'a str>; 6],
    amount_minor: i64,
    currency: &'a str,
    people: [(&'static str, Option<&'a str>); 2],
}

/// A count that is going on.
struct Recount {
    texts: Texts,
    /// The numbers of '', `(other)` and of the dimensions.
    none: u32,
    other: u32,
    dims: [u32; 6],
    /// The values that are counted by themselves, by dimension.
    counted: [HashMap<String, u32>; 6],
    local: Vec<LocalDays>,
    quarters: Counts,
    /// By zone.
    days: Vec<Counts>,
    sketches: HashMap<SketchKey, HllSketch>,
    found: Differences,
}

impl Recount {
    fn new(known: &Known, span: &Span) -> Self {
        let mut texts = Texts::default();
        let counted = DIMENSIONS.map(|dimension| {
            let values = known.values_of(dimension);
            values
                .map(|value| (value.to_owned(), texts.number(value)))
                .collect()
        });
        Self {
            none: texts.number(""),
            other: texts.number(OTHER),
            dims: DIMENSIONS.map(|dimension| texts.number(dimension)),
            counted,
            local: span.local_days(),
            quarters: Counts::default(),
            days: span.zones.iter().map(|_| Counts::default()).collect(),
            sketches: HashMap::new(),
            found: Differences::default(),
            texts,
        }
    }

    fn count(&mut self, event: &Event<'_>) -> Result<(), DbError> {
        let name = self.texts.number(event.name);
        let all = Key {
            dim: self.none,
            name,
            value: self.none,
            currency: self.texts.number(event.currency),
            time: event.quarter,
        };
        let sum = Sum {
            cnt: 1,
            amount_minor: event.amount_minor,
        };
        self.quarters.make(all, sum);
        for (place, value) in event.dimensions.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let value = self.counted[place].get(value).unwrap_or(&self.other);
            let (dim, value) = (self.dims[place], *value);
            self.quarters.make(Key { dim, value, ..all }, sum);
        }
        for (kind, who) in event.people {
            let Some(who) = who else { continue };
            let coupon = Coupon::from_value(who);
            for (zone, local) in self.local.iter().enumerate() {
                let Some(day) = local.of(event.quarter) else {
                    continue;
                };
                for name in [name, self.none] {
                    see(&mut self.sketches, (zone, kind, name, day), coupon)?;
                }
            }
        }
        Ok(())
    }

    fn close_quarters(&mut self) {
        let texts = &self.texts;
        let rows = self.quarters.take_differing();
        let rows = rows.map(|(key, sum)| row(texts, key, span::begin_of(key.time), sum));
        self.found.quarters.extend(rows);
    }

    fn close_days(&mut self, zone: Tz, place: usize) {
        let texts = &self.texts;
        let rows = self.days[place].take_differing();
        let rows = rows.filter_map(|(key, sum)| {
            let day = NaiveDate::from_num_days_from_ce_opt(key.time)?;
            Some(row(texts, key, day, sum))
        });
        let rows = rows.collect();
        self.found.days.push((zone, rows));
    }

    /// One that has seen the same people stays as it is, with the order in which they came: the estimate depends on it.
    fn close_sketches(
        &mut self,
        zones: &[span::ZoneDays],
        mut stored: HashMap<SketchId, Vec<u8>>,
    ) -> Result<(), DbError> {
        for ((zone, kind, name, day), sketch) in self.sketches.drain() {
            let Some(day) = NaiveDate::from_num_days_from_ce_opt(day) else {
                continue;
            };
            let id = SketchId::new(zones[zone].zone, kind, self.texts.text(name), day);
            let is_right = match stored.remove(&id) {
                Some(bytes) => uniques::has_seen_the_same(&bytes, &sketch)?,
                None => false,
            };
            if !is_right {
                self.found.sketches.push((id, sketch));
            }
        }
        self.found.gone.extend(stored.into_keys());
        Ok(())
    }
}

fn see(
    sketches: &mut HashMap<SketchKey, HllSketch>,
    key: SketchKey,
    coupon: Coupon,
) -> Result<(), DbError> {
    match sketches.get_mut(&key) {
        Some(sketch) => sketch.update_with_coupon(coupon),
        None => {
            let mut sketch = uniques::empty()?;
            sketch.update_with_coupon(coupon);
            sketches.insert(key, sketch);
        }
    }
    Ok(())
}

fn row<T>(texts: &Texts, key: Key, time: T, sum: Sum) -> Row<T> {
    let text = |number| texts.text(number).to_owned();
    Row {
        dim: text(key.dim),
        name: text(key.name),
        time,
        value: text(key.value),
        currency: text(key.currency),
        sum,
    }
}

/// Makes what is stored otherwise as it should be. The transaction has the tenant's lock.
pub(super) async fn mend(tx: &mut TenantTx, found: &Differences) -> Result<(), DbError> {
    mend::quarters(tx, &found.quarters).await?;
    for (zone, rows) in &found.days {
        mend::days(tx, *zone, rows).await?;
    }
    uniques::save(tx, &found.sketches).await?;
    uniques::forget(tx, &found.gone).await
}
