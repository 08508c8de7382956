//! Numbers over time: the metric that is meant, found in analytics' own catalogue, over the days that were said, with the
//! period before for comparison.

use std::time::Duration;

use bz_http::context;
use bz_kernel::SecretString;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;
use tokio::time::Instant;

use crate::actions::Answer;
use crate::analytics::{Analytics, Counted, Frame, Metric, Report};
use crate::failure::Failure;
use crate::understand::Range;

/// The days that are meant when none are said.
const DAYS: i64 = 30;
/// The most metrics that are named when it is not clear which is meant.
const CHOICES: usize = 8;
/// How long an answer waits for numbers that have to be counted.
const PATIENCE: Duration = Duration::from_secs(4);
/// The pause before it looks again.
const PAUSE: Duration = Duration::from_millis(250);
/// Words that people use, and the metric that has them under another name.
const ALSO_CALLED: &[(&str, &str)] = &[
    ("visitors", "events.actors"),
    ("unique visitors", "events.actors"),
    ("traffic", "events.sessions"),
    ("page views", "events.page_views"),
    ("pageviews", "events.page_views"),
    ("signups", "events.users_registered"),
    ("sign ups", "events.users_registered"),
    ("registrations", "events.users_registered"),
    ("conversion rate", "events.lead_conversion_rate"),
    ("revenue", "orders.net"),
    ("sales", "orders.net"),
    ("turnover", "orders.net"),
    ("average order value", "orders.aov"),
    ("bounce rate", "ga4.bounce_rate"),
];

/// What was asked.
pub(crate) struct Question<'a> {
    pub(crate) metric: &'a str,
    pub(crate) range: Option<Range>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

/// Asks analytics and says its answer.
pub(crate) async fn answer(
    question: &Question<'_>,
    analytics: &Analytics,
    token: &SecretString,
    key: &str,
) -> Result<Answer, Failure> {
    let catalogue = analytics.catalogue(token).await?;
    let metric = match meant(question.metric, &catalogue) {
        Meant::One(metric) => metric,
        Meant::Several(some) => {
            let names: Vec<String> = some.iter().take(CHOICES).map(|one| named(one)).collect();
            return Ok(Answer::ask(format!(
                "Which one do you mean?\n- {}",
                names.join("\n- ")
            )));
        }
        Meant::None => {
            let said = question.metric;
            return Ok(Answer::ask(format!("I know no number called \"{said}\".")));
        }
    };
    let today = question.now.with_timezone(&question.zone).date_naive();
    let range = question.range.unwrap_or(Range {
        from: today - TimeDelta::days(DAYS - 1),
        to: today,
    });
    let query = json!({
        "metrics": [metric.key], "range": { "from": range.from, "to": range.to },
        "timezone": question.zone.name(), "compare": "previous_period",
    });
    let report = match analytics.query(&query, token, key).await? {
        Counted::Now(frame) => {
            let answer = Answer::say(said(metric, &frame));
            return Ok(answer.cited("analytics", "/api/metrics/query"));
        }
        Counted::Later(report) => report,
    };
    let answer = match waited_for(&report, analytics, token).await? {
        Some(frame) => Answer::say(said(metric, &frame)),
        None => Answer::say(format!(
            "Counting {} takes a while. The numbers will be in the report \"{}\" of your analytics.",
            named(metric),
            report.title
        )),
    };
    Ok(answer.cited("analytics", &format!("/api/reports/{}", report.id)))
}

/// The numbers of a report, when it is made while a person still waits.
async fn waited_for(
    report: &Report,
    analytics: &Analytics,
    token: &SecretString,
) -> Result<Option<Frame>, Failure> {
    let left = context::current().map(|context| context.remaining() / 2);
    let until = Instant::now() + left.unwrap_or(PATIENCE).min(PATIENCE);
    loop {
        if let Some(frame) = analytics.numbers(report, token).await? {
            return Ok(Some(frame));
        }
        if Instant::now() + PAUSE > until {
            return Ok(None);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Which metric is meant.
#[derive(Debug, PartialEq, Eq)]
enum Meant<'a> {
    One(&'a Metric),
    Several(Vec<&'a Metric>),
    None,
}

fn meant<'a>(said: &str, catalogue: &'a [Metric]) -> Meant<'a> {
    let words = folded(said);
    let by_key = |key: &str| catalogue.iter().find(|metric| metric.key == key);
    if let Some(metric) = by_key(said) {
        return Meant::One(metric);
    }
    let also = ALSO_CALLED.iter().find(|(name, _)| *name == words);
    if let Some(metric) = also.and_then(|(_, key)| by_key(key)) {
        return Meant::One(metric);
    }
    let mut found: Vec<&Metric> = Vec::new();
    for exact in [true, false] {
        let fits = |metric: &&Metric| {
            let label = folded(&metric.label);
            let full = folded(&metric.key);
            let named = full.split_once(' ').map_or(full.as_str(), |(_, name)| name);
            match exact {
                true => label == words || named == words || full == words,
                false => words
                    .split(' ')
                    .all(|word| full.contains(word) || label.contains(word)),
            }
        };
        found = catalogue.iter().filter(fits).collect();
        if !found.is_empty() {
            break;
        }
    }
    match found.as_slice() {
        [] => Meant::None,
        [one] => Meant::One(one),
        _ => Meant::Several(found),
    }
}

/// In small letters, with one space between words.
fn folded(text: &str) -> String {
    let plain: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn named(metric: &Metric) -> String {
    let set = metric.key.split('.').next().unwrap_or_default();
    format!("{} ({set})", metric.label)
}

/// The number, the days, and the number before.
fn said(metric: &Metric, frame: &Frame) -> String {
    let column = frame.columns.iter().find(|column| column.kind == "metric");
    let currency = column.and_then(|column| column.currency.as_deref());
    let row = frame.rows.first();
    let show = |value: Option<&Option<String>>| {
        let value = value.and_then(Option::as_deref)?;
        Some(written(value, &metric.unit, currency))
    };
    let days = days(&frame.meta.from, &frame.meta.to);
    let open = if frame.meta.partial_period {
        " so far"
    } else {
        ""
    };
    let Some(now) = show(row.and_then(|row| row.values.first())) else {
        return format!("There is no number for {} {days}.", named(metric));
    };
    let before = row.and_then(|row| row.previous.as_ref());
    let before = show(before.and_then(|values| values.first()));
    let before = before.map(|before| format!(" The period before had {before}."));
    format!(
        "{}: {now} {days}{open}.{}",
        named(metric),
        before.unwrap_or_default()
    )
}

fn days(from: &str, to: &str) -> String {
    let day = |text: &str| {
        let day: Option<NaiveDate> = text.parse().ok();
        day.map_or_else(
            || text.to_owned(),
            |day| day.format("%-d %b %Y").to_string(),
        )
    };
    if from == to {
        return format!("on {}", day(from));
    }
    format!("from {} to {}", day(from), day(to))
}

fn written(value: &str, unit: &str, currency: Option<&str>) -> String {
    match (unit, currency) {
        ("money", Some(currency)) => format!("{value} {currency}"),
        ("percent", _) => format!("{value} %"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Vec<Metric> {
        let metric = |key: &str, label: &str| Metric {
            key: key.to_owned(),
            label: label.to_owned(),
            unit: "count".to_owned(),
        };
        vec![
            metric("events.actors", "People"),
            metric("google-ads.clicks", "Clicks"),
            metric("tiktok-ads.clicks", "Clicks"),
            metric("orders.net", "Net sales"),
        ]
    }

    #[test]
    fn a_metric_is_found_by_its_label_its_key_or_what_people_call_it() {
        let all = catalogue();
        assert_eq!(meant("visitors", &all), Meant::One(&all[0]));
        assert_eq!(meant("net sales", &all), Meant::One(&all[3]));
        assert_eq!(meant("google ads clicks", &all), Meant::One(&all[1]));
        assert_eq!(
            meant("clicks", &all),
            Meant::Several(vec![&all[1], &all[2]])
        );
        assert_eq!(meant("happiness", &all), Meant::None);
    }
}
