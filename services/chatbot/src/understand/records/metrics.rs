//! Numbers of the analytics.

use super::{Found, Message};
use crate::understand::normalise::contains;
use crate::understand::{Intent, Slots, ranges};

/// What is said, and the metric it means.
const METRICS: &[(&str, &str)] = &[
    ("conversion rate", "conversion_rate"),
    ("conversion rates", "conversion_rate"),
    ("bounce rate", "bounce_rate"),
    ("click through rate", "click_through_rate"),
    ("clickthrough rate", "click_through_rate"),
    ("ctr", "click_through_rate"),
    ("open rate", "open_rate"),
    ("page views", "page_views"),
    ("pageviews", "page_views"),
    ("page hits", "page_views"),
    ("unique visitors", "visitors"),
    ("website visitors", "visitors"),
    ("site visitors", "visitors"),
    ("visitors", "visitors"),
    ("website traffic", "visits"),
    ("site traffic", "visits"),
    ("web traffic", "visits"),
    ("website visits", "visits"),
    ("visits", "visits"),
    ("sessions", "sessions"),
    ("revenue", "revenue"),
    ("turnover", "revenue"),
    ("sales figures", "revenue"),
    ("conversions", "conversions"),
    ("ad spend", "ad_spend"),
    ("advertising spend", "ad_spend"),
    ("return on ad spend", "roas"),
    ("roas", "roas"),
    ("impressions", "impressions"),
    ("signups", "signups"),
    ("sign ups", "signups"),
    ("new customers", "new_customers"),
    ("orders", "orders"),
    ("average order value", "average_order_value"),
    ("clicks", "clicks"),
];

/// "how many visitors did we have last week?", "what is our revenue this month", "compare conversions".
pub(super) fn read(message: &Message<'_>, command: &[&str]) -> Option<Found> {
    let asks = matches!(
        command[0],
        "how"
            | "hows"
            | "what"
            | "whats"
            | "show"
            | "give"
            | "tell"
            | "compare"
            | "get"
            | "report"
            | "total"
            | "did"
            | "is"
            | "display"
            | "our"
            | "my"
    );
    let (_, metric) = METRICS
        .iter()
        .filter(|(phrase, _)| contains(command, phrase))
        .max_by_key(|(phrase, _)| phrase.len())?;
    let range = ranges::find(message.raw, message.now);
    // "orders" and "clicks" are also what people talk about; the business ones are ours or have a time.
    let ours =
        crate::understand::lexicon::any(command, &["our", "we", "us", "my"]) || range.is_some();
    let plain = !matches!(
        *metric,
        "orders" | "clicks" | "sessions" | "visits" | "signups"
    );
    let bare = command.len() <= 4 && plain;
    if !(asks && (ours || plain) || bare) {
        return None;
    }
    let slots = Slots {
        metric: Some((*metric).to_owned()),
        range,
        ..Slots::default()
    };
    Some(Found::new(Intent::MetricsQuery, slots, 0.85))
}
