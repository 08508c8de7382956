//! When a schedule runs.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// The expression, when it is one of five fields.
pub(super) fn parsed(cron: &str) -> Option<Cron> {
    if cron.len() > 100 {
        return None;
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(cron).ok()
}

/// The time zone of a name.
pub(super) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The first time behind an instant; none when it never comes.
pub(super) fn next(cron: &str, timezone: &str, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (cron, zone) = (parsed(cron)?, zone(timezone)?);
    let after = after.with_timezone(&zone);
    let next = cron.find_next_occurrence(&after, false).ok()?;
    (next > after).then(|| next.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn local_times_stay_when_clocks_change() {
        let next = |after| next("0 8 * * *", "Europe/Berlin", at(after)).unwrap();
        assert_eq!(next("2026-03-28T12:00:00Z"), at("2026-03-29T06:00:00Z"));
        assert_eq!(next("2026-10-24T12:00:00Z"), at("2026-10-25T07:00:00Z"));
    }

    #[test]
    fn what_is_no_expression_or_never_comes_is_told() {
        for bad in ["", "0 8 * *", "0 0 8 * * 1", "61 * * * *", "every day"] {
            assert!(parsed(bad).is_none(), "{bad}");
        }
        assert_eq!(next("0 0 31 2 *", "UTC", at("2026-03-01T00:00:00Z")), None);
        assert!(zone("Mars/Olympus").is_none());
    }
}
