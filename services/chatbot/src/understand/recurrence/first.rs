//! When something that comes again comes first.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Freq, Rule};

/// How far ahead the first one is looked for.
const HORIZON: i64 = 800;

impl Rule {
    /// The first day, from the time it is said; at a time of the day that has passed today it is not today any more. A named
    /// day without a time is the next such day, not today.
    pub(in crate::understand) fn first(
        &self,
        now: NaiveDateTime,
        clock: Option<NaiveTime>,
    ) -> Option<NaiveDate> {
        let today = now.date();
        let named = !self.days.is_empty() || self.month_day.is_some();
        let today_counts = clock.map_or(!named, |clock| clock > now.time());
        let from = i64::from(!today_counts);
        (from..HORIZON).find_map(|days| {
            let day = today.checked_add_signed(TimeDelta::days(days))?;
            self.falls_on(day).then_some(day)
        })
    }

    fn falls_on(&self, day: NaiveDate) -> bool {
        let weekday = self.days.is_empty() || self.days.contains(&day.weekday());
        let last = last_of_month(day);
        let month_day = self.month_day.is_none_or(|wanted| {
            let wanted = if wanted < 0 {
                i64::from(last) + i64::from(wanted) + 1
            } else {
                i64::from(wanted)
            };
            i64::from(day.day()) == wanted
        });
        let month = self.month.is_none_or(|month| day.month() == month);
        let nth = self.nth.is_none_or(|nth| {
            if nth < 0 {
                day.day() + 7 > last
            } else {
                i64::from((day.day() - 1) / 7 + 1) == i64::from(nth)
            }
        });
        let monthly = self.freq != Freq::Monthly || self.nth.is_some() || self.days.is_empty();
        weekday && month_day && month && nth && monthly
    }
}

fn last_of_month(day: NaiveDate) -> u32 {
    let next = if day.month() == 12 {
        NaiveDate::from_ymd_opt(day.year() + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(day.year(), day.month() + 1, 1)
    };
    next.and_then(|next| next.pred_opt())
        .map_or(28, |last| last.day())
}
