//! When a to-do comes again, by the rules of RFC 5545.

use bz_http::Errors;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};

use super::CreateTodo;

/// How far ahead an occurrence may be: what comes later never does.
const HORIZON: TimeDelta = TimeDelta::days(366 * 100);

/// What can be wrong with how a to-do comes again.
pub(super) fn validate(errors: &mut Errors, todo: &CreateTodo) {
    let zone = zone(todo.time_zone.as_deref());
    if zone.is_none() {
        errors.add(
            "/time_zone",
            "unknown_time_zone",
            "must be a name of the IANA time zone database such as Europe/Berlin",
        );
    }
    let Some(rule) = &todo.recurrence else { return };
    let zone = zone.unwrap_or(Tz::UTC);
    match due(todo.due_at, todo.due_date, zone) {
        None => errors.add(
            "/recurrence",
            "due_required",
            "needs due_at or due_date: the series begins there",
        ),
        Some(start) => {
            if let Err(message) = check(rule, start, zone) {
                errors.add("/recurrence", "invalid_recurrence", message);
            }
        }
    }
}

/// The time zone of a name; UTC when there is none.
pub(super) fn zone(name: Option<&str>) -> Option<Tz> {
    name.map_or(Some(Tz::UTC), |name| name.parse().ok())
}

/// When something is due: at an instant, or when a day begins where it counts.
pub(super) fn due(
    at: Option<DateTime<Utc>>,
    date: Option<NaiveDate>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    at.or_else(|| instant(zone, date?.and_time(NaiveTime::MIN)))
}

fn check(rule: &str, start: DateTime<Utc>, zone: Tz) -> Result<(), String> {
    if rule.chars().count() > 500 {
        return Err("must have at most 500 characters".to_owned());
    }
    let set = series(rule, start, zone)?;
    if set.all(1).dates.is_empty() {
        return Err("never comes to pass".to_owned());
    }
    Ok(())
}

/// The first occurrence behind an instant; none when the series is over.
pub(super) fn next(
    rule: &str,
    start: DateTime<Utc>,
    zone: Tz,
    behind: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let tz: rrule::Tz = zone.into();
    // Rules know whole seconds: the first one behind the instant.
    let from = behind.with_nanosecond(0)? + TimeDelta::seconds(1);
    let set = series(rule, start, zone).ok()?;
    let set = set
        .after(from.with_timezone(&tz))
        .before((from + HORIZON).with_timezone(&tz));
    set.all(1).dates.first().map(DateTime::to_utc)
}

fn series(rule: &str, start: DateTime<Utc>, zone: Tz) -> Result<RRuleSet, String> {
    let rule = rule.trim().to_ascii_uppercase();
    let rule = rule.strip_prefix("RRULE:").unwrap_or(&rule);
    if rule.contains(['\n', '\r', ':']) {
        return Err("must be one rule, without DTSTART".to_owned());
    }
    let parts: Vec<String> = rule
        .split(';')
        .map(|part| until_in_utc(part, zone))
        .collect();
    let rule: RRule<Unvalidated> = parts.join(";").parse().map_err(|error| said(&error))?;
    if let Frequency::Hourly | Frequency::Minutely | Frequency::Secondly = rule.get_freq() {
        return Err("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY".to_owned());
    }
    let start = start.with_nanosecond(0).unwrap_or(start);
    let tz: rrule::Tz = zone.into();
    rule.build(start.with_timezone(&tz))
        .map_err(|error| said(&error))
}

fn said(error: &rrule::RRuleError) -> String {
    format!("must be a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=MO: {error}")
}

/// `UNTIL` as the instant that is meant: a day is meant with its whole length, a time without `Z` in the time zone.
fn until_in_utc(part: &str, zone: Tz) -> String {
    let meant = part.strip_prefix("UNTIL=").and_then(|until| {
        let day = NaiveDate::parse_from_str(until, "%Y%m%d");
        let day = day.ok().and_then(|day| day.and_hms_opt(23, 59, 59));
        let time = || NaiveDateTime::parse_from_str(until, "%Y%m%dT%H%M%S").ok();
        instant(zone, day.or_else(time)?)
    });
    meant.map_or_else(
        || part.to_owned(),
        |at| at.format("UNTIL=%Y%m%dT%H%M%SZ").to_string(),
    )
}

/// A local time as an instant; one that a change of clocks skips is an hour later.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    let at = |local| zone.from_local_datetime(&local).earliest();
    at(local)
        .or_else(|| at(local + TimeDelta::hours(1)))
        .map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const BERLIN: Tz = Tz::Europe__Berlin;

    #[test]
    fn the_hour_stays_when_the_clocks_change() {
        // 09:00 in Berlin is 08:00 UTC in winter and 07:00 in summer; the clocks change on 29 March 2026.
        let start = at("2026-03-23T08:00:00Z");
        let next = next("FREQ=WEEKLY;BYDAY=MO", start, BERLIN, start);
        assert_eq!(next, Some(at("2026-03-30T07:00:00Z")));
    }

    #[test]
    fn what_is_past_is_skipped_in_step() {
        let start = at("2026-03-02T09:00:00Z");
        let next = next(
            "FREQ=WEEKLY;INTERVAL=2",
            start,
            Tz::UTC,
            at("2026-03-17T00:00:00Z"),
        );
        assert_eq!(next, Some(at("2026-03-30T09:00:00Z")));
    }

    #[test]
    fn a_series_ends_by_its_count_and_with_its_last_day() {
        let start = at("2026-03-02T09:00:00Z");
        let third = at("2026-03-04T09:00:00Z");
        assert_eq!(
            next(
                "FREQ=DAILY;COUNT=3",
                start,
                Tz::UTC,
                start + TimeDelta::days(1)
            ),
            Some(third)
        );
        assert_eq!(next("FREQ=DAILY;COUNT=3", start, Tz::UTC, third), None);
        for until in ["20260304", "20260304T090000", "20260304T090000Z"] {
            let rule = format!("RRULE:FREQ=DAILY;UNTIL={until}");
            assert_eq!(
                next(&rule, start, Tz::UTC, start + TimeDelta::days(1)),
                Some(third),
                "{until}"
            );
            assert_eq!(next(&rule, start, Tz::UTC, third), None, "{until}");
        }
    }

    #[test]
    fn rules_that_are_none_are_refused_with_a_reason() {
        let start = at("2026-03-02T09:00:00Z");
        for bad in [
            "weekly",
            "FREQ=FORTNIGHTLY",
            "FREQ=SECONDLY",
            "FREQ=DAILY;INTERVAL=-1",
            "FREQ=DAILY;UNTIL=20200101",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY\nRRULE:FREQ=WEEKLY",
            "",
        ] {
            assert!(check(bad, start, Tz::UTC).is_err(), "{bad}");
        }
        for good in [
            "FREQ=DAILY",
            "rrule:freq=monthly;byday=-1fr",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        ] {
            assert_eq!(check(good, start, Tz::UTC), Ok(()), "{good}");
        }
    }
}
