//! A period cut into its pieces of time, each from one instant to the next.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::Granularity;
use super::calendar::{Span, back, begin_of, begins, forth, instant_of};

/// The width of a bucket of the finest counts.
const QUARTER: TimeDelta = TimeDelta::minutes(15);

/// A period and its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) span: Span,
    pub(super) zone: Tz,
    /// At least one.
    pub(super) pieces: Vec<Piece>,
    /// The first instant that does not belong to it.
    pub(super) end: DateTime<Utc>,
    /// Whether `end` comes before the end of the last day.
    pub(super) cut: bool,
}

/// A piece of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its first day.
    pub(super) day: NaiveDate,
    /// Its first instant.
    pub(super) start: DateTime<Utc>,
    /// Its place in the period, which is that of the piece it is compared with.
    pub(super) slot: Slot,
}

/// A place in a period: which piece; of hours, which day, what the clock shows and whether it shows it for the second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) i64, u32, bool);

impl Window {
    /// The whole of some days.
    pub(super) fn new(span: Span, zone: Tz, granularity: Option<Granularity>) -> Self {
        let pieces = match granularity {
            None => vec![Piece {
                day: span.from,
                start: begins(span.from, zone),
                slot: Slot(0, 0, false),
            }],
            Some(Granularity::Hour) => hours(span, zone),
            Some(unit) => days(span, zone, unit),
        };
        Self {
            span,
            zone,
            pieces,
            end: begins(forth(span.to, 1), zone),
            cut: false,
        }
    }

    /// The first instant.
    pub(super) fn start(&self) -> DateTime<Utc> {
        begins(self.span.from, self.zone)
    }

    /// As much of the period as has passed of `main` at `now`, to the quarter of an hour; all of it when `main` is over.
    pub(super) fn like(self, main: &Self, now: DateTime<Utc>) -> Self {
        if now < main.start() || now >= main.end {
            return self;
        }
        let local = now.with_timezone(&main.zone);
        let passed = (local.date_naive() - main.span.from).num_days();
        let time = NaiveTime::from_hms_opt(local.hour(), local.minute() / 15 * 15, 0);
        let day = forth(self.span.from, passed.unsigned_abs());
        let end = instant_of(day, time.unwrap_or(NaiveTime::MIN), self.zone);
        if end >= self.end {
            return self;
        }
        let mut cut = Self {
            end,
            cut: true,
            ..self
        };
        // The first piece stays, so that there is one; nothing lies in it when nothing has passed.
        let mut first = true;
        cut.pieces
            .retain(|piece| std::mem::take(&mut first) || piece.start < end);
        cut
    }

    /// The day after the last that is whole.
    pub(super) fn whole_days_until(&self) -> NaiveDate {
        if self.cut {
            self.end.with_timezone(&self.zone).date_naive()
        } else {
            forth(self.span.to, 1)
        }
    }

    /// The day after the last of which something belongs to the period.
    pub(super) fn days_until(&self) -> NaiveDate {
        let whole = self.whole_days_until();
        if self.cut && self.end > begins(whole, self.zone) {
            forth(whole, 1)
        } else {
            whole
        }
    }

    /// The first instants of the pieces.
    pub(super) fn starts(&self) -> Vec<DateTime<Utc>> {
        self.pieces.iter().map(|piece| piece.start).collect()
    }

    /// The first days of the pieces.
    pub(super) fn first_days(&self) -> Vec<NaiveDate> {
        self.pieces.iter().map(|piece| piece.day).collect()
    }

    /// The ends of the pieces.
    pub(super) fn ends(&self) -> Vec<DateTime<Utc>> {
        let next = self.pieces.iter().skip(1).map(|piece| piece.start);
        next.chain([self.end]).collect()
    }

    /// The same period in one piece.
    pub(super) fn whole(&self) -> Self {
        Self {
            pieces: self.pieces.iter().take(1).cloned().collect(),
            ..self.clone()
        }
    }

    /// How the beginning of a piece is written.
    pub(super) fn label(&self, piece: &Piece, granularity: Granularity) -> String {
        if granularity == Granularity::Hour {
            piece.start.with_timezone(&self.zone).to_rfc3339()
        } else {
            piece.day.to_string()
        }
    }
}

/// How many pieces a period has at most.
pub(super) fn count(span: Span, granularity: Option<Granularity>) -> i64 {
    match granularity {
        None => 1,
        Some(Granularity::Hour) => span.days() * 24,
        Some(Granularity::Day) => span.days(),
        Some(Granularity::Week) => span.days() / 7 + 2,
        Some(Granularity::Month | Granularity::Quarter | Granularity::Year) => span.days() / 28 + 2,
    }
}

fn days(span: Span, zone: Tz, unit: Granularity) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut day = span.from;
    while day <= span.to {
        pieces.push(Piece {
            day,
            start: begins(day, zone),
            slot: Slot(pieces.len() as i64, 0, false),
        });
        let next = begin_of(unit, day)
            .checked_add_days(Days::new(longest(unit)))
            .map_or(span.to, |later| begin_of(unit, later));
        day = next.max(forth(day, 1));
    }
    pieces
}

/// Days after the first of a unit that lie in the next one, and in no later one.
fn longest(unit: Granularity) -> u64 {
    match unit {
        Granularity::Hour | Granularity::Day => 1,
        Granularity::Week => 7,
        Granularity::Month => 31,
        Granularity::Quarter => 92,
        Granularity::Year => 366,
    }
}

/// A piece begins whenever the clock shows another hour, or is set.
fn hours(span: Span, zone: Tz) -> Vec<Piece> {
    let end = begins(forth(span.to, 1), zone);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut shown = None;
    let mut at = begins(span.from, zone);
    while at < end {
        let local = at.with_timezone(&zone);
        let shows = (local.date_naive(), local.hour(), local.offset().fix());
        if shown != Some(shows) {
            let day = (local.date_naive() - span.from).num_days();
            let minutes = local.hour() * 60 + local.minute();
            let again = pieces
                .iter()
                .rev()
                .take(3)
                .any(|piece| piece.slot == Slot(day, minutes, false));
            pieces.push(Piece {
                day: local.date_naive(),
                start: at,
                slot: Slot(day, minutes, again),
            });
            shown = Some(shows);
        }
        at += QUARTER;
    }
    pieces
}

/// Up to when facts are complete: the platforms restate the last three days.
pub(super) fn facts_complete_until(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    begins(back(now.with_timezone(&zone).date_naive(), 3), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, to: &str, zone: Tz, granularity: Option<Granularity>) -> Window {
        let span = Span {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        Window::new(span, zone, granularity)
    }

    fn labels(window: &Window, granularity: Granularity) -> Vec<String> {
        let pieces = window.pieces.iter();
        pieces
            .map(|piece| window.label(piece, granularity))
            .collect()
    }

    #[test]
    fn a_period_is_cut_at_the_beginnings_of_weeks_months_quarters_and_years() {
        for (unit, from, to, expected) in [
            (
                Granularity::Day,
                "2026-02-27",
                "2026-03-02",
                "2026-02-27 2026-02-28 2026-03-01 2026-03-02",
            ),
            (
                Granularity::Week,
                "2026-02-25",
                "2026-03-10",
                "2026-02-25 2026-03-02 2026-03-09",
            ),
            (
                Granularity::Month,
                "2026-01-15",
                "2026-04-01",
                "2026-01-15 2026-02-01 2026-03-01 2026-04-01",
            ),
            (
                Granularity::Quarter,
                "2025-11-30",
                "2026-07-01",
                "2025-11-30 2026-01-01 2026-04-01 2026-07-01",
            ),
            (
                Granularity::Year,
                "2023-12-31",
                "2026-01-01",
                "2023-12-31 2024-01-01 2025-01-01 2026-01-01",
            ),
        ] {
            let told = labels(&window(from, to, chrono_tz::UTC, Some(unit)), unit);
            assert_eq!(told.join(" "), expected, "{unit:?}");
        }
    }

    #[test]
    fn a_day_of_a_clock_change_has_the_hours_that_its_clock_shows() {
        let hours =
            |day: &str, zone: Tz| window(day, day, zone, Some(Granularity::Hour)).pieces.len();
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(
            (
                hours("2026-03-29", berlin),
                hours("2026-10-25", berlin),
                hours("2026-03-02", berlin)
            ),
            (23, 25, 24)
        );
        // Lord Howe sets its clock by half an hour: one hour is half as long in spring, and half of one comes twice.
        let howe = chrono_tz::Australia::Lord_Howe;
        assert_eq!(
            (hours("2026-10-04", howe), hours("2026-04-05", howe)),
            (24, 25)
        );
        let twice = window("2026-10-25", "2026-10-25", berlin, Some(Granularity::Hour));
        let told = labels(&twice, Granularity::Hour);
        assert_eq!(
            told[2..4],
            ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
        );
        assert_ne!(twice.pieces[2].slot, twice.pieces[3].slot);
    }

    #[test]
    fn hours_begin_with_the_quarters_of_an_hour_of_their_zone() {
        let nepal = window(
            "2026-03-02",
            "2026-03-02",
            chrono_tz::Asia::Kathmandu,
            Some(Granularity::Hour),
        );
        assert_eq!(nepal.pieces.len(), 24);
        assert_eq!(
            nepal.pieces[0].start.to_rfc3339(),
            "2026-03-01T18:15:00+00:00"
        );
    }

    #[test]
    fn a_period_is_cut_to_what_has_passed_of_another() {
        let zone = chrono_tz::Asia::Kolkata;
        let now = "2026-03-02T09:07:00Z".parse().unwrap();
        let main = window("2026-03-01", "2026-03-03", zone, Some(Granularity::Day));
        let before =
            window("2026-02-26", "2026-02-28", zone, Some(Granularity::Day)).like(&main, now);
        // 14:37 in India, to the quarter of an hour.
        assert_eq!(
            (before.end.to_rfc3339().as_str(), before.cut),
            ("2026-02-27T09:00:00+00:00", true)
        );
        assert_eq!(
            labels(&before, Granularity::Day),
            ["2026-02-26", "2026-02-27"]
        );
        assert_eq!(before.whole_days_until().to_string(), "2026-02-27");
        assert_eq!(before.days_until().to_string(), "2026-02-28");
        let over = window("2026-02-20", "2026-02-21", zone, None);
        let untouched = window("2026-02-18", "2026-02-19", zone, None);
        assert_eq!(untouched.clone().like(&over, now), untouched);
    }
}
