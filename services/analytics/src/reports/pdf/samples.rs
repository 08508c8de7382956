//! Reports to look at: every kind of part, made here.

use chrono::{NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;

use super::Document;
use crate::{
    charts::{ChartKind, Locale},
    dashboards::Layout,
    query::{
        ChangeKind, Column, ColumnKind, Compared, Frame, FrameMeta, Polarity, Row, Source, Unit,
        change,
    },
    reports::document::{Answer, Failure, Part},
};

fn column(label: &str, kind: ColumnKind, unit: Option<Unit>) -> Column {
    let polarity = if label.starts_with("Cost") {
        Polarity::DownIsGood
    } else {
        Polarity::UpIsGood
    };
    Column {
        key: label.to_lowercase(),
        label: label.to_owned(),
        kind,
        unit,
        currency: (unit == Some(Unit::Money)).then(|| "EUR".to_owned()),
        polarity: unit.map(|_| polarity),
    }
}

pub(super) fn key(label: &str) -> Column {
    column(label, ColumnKind::Dimension, None)
}

fn metric(label: &str, unit: Unit) -> Column {
    column(label, ColumnKind::Metric, Some(unit))
}

/// A row; every number was nine tenths, or eleven, of what it is.
fn row(columns: &[Column], keys: &[&str], values: &[f64]) -> Row {
    let exact = |value: f64| Decimal::from_f64_retain(value).map(|value| value.round_dp(4));
    let metrics = columns
        .iter()
        .filter(|column| column.kind == ColumnKind::Metric);
    let before = |(n, value): (usize, &f64)| {
        let grown = (n + keys.len()).is_multiple_of(2);
        exact(value * if grown { 0.9 } else { 1.1 })
    };
    let previous: Vec<Option<Decimal>> = values.iter().enumerate().map(before).collect();
    let changes = metrics
        .zip(values)
        .zip(&previous)
        .map(|((column, value), before)| {
            let kind = ChangeKind::from(column.unit.unwrap());
            change(exact(*value), *before, kind, column.polarity.unwrap())
        });
    Row {
        keys: keys.iter().map(|key| Some((*key).to_owned())).collect(),
        values: values.iter().map(|value| exact(*value)).collect(),
        change: Some(changes.collect()),
        previous: Some(previous),
    }
}

pub(super) fn frame(columns: Vec<Column>, rows: Vec<Row>, totals: Option<Row>) -> Answer {
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    let at = Utc.with_ymd_and_hms(2026, 4, 1, 6, 30, 0).unwrap();
    Answer::Frame(Frame {
        columns,
        rows,
        totals,
        compared: Some(Compared {
            from: day(2, 1),
            to: day(2, 28),
            like_for_like: false,
            until: None,
        }),
        meta: FrameMeta {
            from: day(3, 1),
            to: day(3, 31),
            timezone: "Europe/Berlin".to_owned(),
            as_of: at,
            complete_until: at,
            partial_period: false,
            approximate: Vec::new(),
            source: Source::RollupDay,
            truncated: false,
            data_version: 41_207,
            cached: false,
        },
    })
}

pub(super) fn part(title: &str, chart: ChartKind, w: u8, answer: Answer) -> Part {
    Part {
        id: title.to_lowercase().replace(' ', "-"),
        title: title.to_owned(),
        chart,
        layout: Layout {
            x: 0,
            y: 0,
            w,
            h: 4,
        },
        answer,
    }
}

fn cards() -> Vec<Part> {
    let numbers = [
        ("Cost", Unit::Money, 48_213.77),
        ("Clicks", Unit::Count, 61_902.0),
        ("CTR", Unit::Percent, 0.0312),
        ("ROAS", Unit::Ratio, 4.18),
        ("Conversions", Unit::Count, 1_873.0),
        ("Cost per conversion", Unit::Money, 25.74),
        ("Engagement", Unit::Seconds, 94.0),
        ("Impression share", Unit::Percent, 0.612),
    ];
    let made = |(label, unit, value): (&str, Unit, f64)| {
        let columns = vec![metric(label, unit)];
        let totals = row(&columns, &[], &[value]);
        part(
            label,
            ChartKind::ScoreCard,
            3,
            frame(columns, vec![totals], None),
        )
    };
    numbers.into_iter().map(made).collect()
}

fn daily() -> Answer {
    let columns = vec![
        column("Day", ColumnKind::Time, None),
        metric("Cost", Unit::Money),
        metric("ROAS", Unit::Ratio),
    ];
    let day = |n: u32| {
        let wave = f64::from(n * 7 % 11) * 60.0 + f64::from(n) * 12.0;
        row(
            &columns,
            &[&format!("2026-03-{n:02}")],
            &[1_100.0 + wave, 3.2 + f64::from(n * 5 % 9) * 0.2],
        )
    };
    frame(columns.clone(), (1..=31).map(day).collect(), None)
}

pub(super) fn by_campaign(count: usize) -> Answer {
    let columns = vec![
        key("Campaign"),
        metric("Impressions", Unit::Count),
        metric("Clicks", Unit::Count),
        metric("CTR", Unit::Percent),
        metric("Cost", Unit::Money),
    ];
    let names = [
        "Brand – Germany",
        "Spring sale: shoes & bags",
        "Retargeting 30 days",
        "Video awareness (long format, all regions, all devices)",
        "Shopping",
    ];
    let rows: Vec<Row> = (0..count)
        .map(|n| {
            let name = format!("{} {}", names[n % names.len()], n + 1);
            let size = 90_000.0 / (n + 1) as f64 + 1_000.0;
            row(
                &columns,
                &[&name],
                &[size * 31.0, size, 1.0 / 31.0, size * 0.78],
            )
        })
        .collect();
    let totals = row(&columns, &[], &[9_213_000.0, 297_193.0, 0.0323, 231_810.54]);
    frame(columns, rows, Some(totals))
}

fn by_network() -> Answer {
    let columns = vec![key("Network"), metric("Clicks", Unit::Count)];
    let rows = [
        ("Search", 31_000.0),
        ("Shopping", 14_200.0),
        ("Display", 9_100.0),
        ("YouTube", 5_400.0),
        ("Partners", 2_202.0),
    ];
    let rows = rows
        .iter()
        .map(|(name, value)| row(&columns, &[name], &[*value]))
        .collect();
    frame(columns, rows, None)
}

fn steps() -> Answer {
    let columns: Vec<Column> = [
        "Impressions",
        "Link clicks",
        "Landing views",
        "Add to cart",
        "Purchases",
    ]
    .iter()
    .map(|label| metric(label, Unit::Count))
    .collect();
    let whole = row(
        &columns,
        &[],
        &[412_000.0, 61_902.0, 48_110.0, 7_230.0, 1_873.0],
    );
    frame(columns, vec![whole], None)
}

fn cohorts() -> Answer {
    let columns = vec![
        column("Cohort", ColumnKind::Time, None),
        key("Month"),
        metric("Retention", Unit::Percent),
    ];
    let cell = |c: u32, m: u32| {
        row(
            &columns,
            &[&format!("2025-{:02}-01", c + 1), &m.to_string()],
            &[if m == 0 {
                1.0
            } else {
                0.44 / f64::from(m).sqrt() + f64::from(c) * 0.004
            }],
        )
    };
    let rows = (0..12)
        .flat_map(|c| (0..12 - c).map(move |m| (c, m)))
        .map(|(c, m)| cell(c, m))
        .collect();
    frame(columns.clone(), rows, None)
}

fn wide() -> Answer {
    let labels = [
        "Impressions",
        "Clicks",
        "Conversions",
        "Add to cart",
        "Checkouts started",
        "Purchases",
        "Leads",
        "Landing page views",
        "Video views",
        "Follows",
        "Form opens",
        "Engagements",
    ];
    let mut columns = vec![key("Campaign")];
    columns.extend(labels.iter().map(|label| metric(label, Unit::Count)));
    let rows = (1..9)
        .map(|n| {
            row(
                &columns,
                &[&format!("Campaign number {n}")],
                &[1_234_567.0 / f64::from(n); 12],
            )
        })
        .collect();
    frame(columns, rows, None)
}

pub(super) fn report(locale: Locale, parts: Vec<Part>) -> Document {
    Document {
        title: "Google Ads performance · Müller & Söhne GmbH".to_owned(),
        locale,
        from: None,
        to: None,
        compared: None,
        timezone: "UTC".to_owned(),
        as_of: Utc.with_ymd_and_hms(2026, 4, 1, 0, 0, 0).unwrap(),
        data_version: 0,
        partial_period: false,
        parts,
    }
    .described()
}

pub(super) fn whole(locale: Locale) -> Document {
    let mut parts = cards();
    parts.extend([
        part("Cost and ROAS by day", ChartKind::Line, 12, daily()),
        part("Clicks by network", ChartKind::Donut, 6, by_network()),
        part("Networks", ChartKind::Bar, 6, by_network()),
        part(
            "From impression to purchase",
            ChartKind::Funnel,
            12,
            steps(),
        ),
        part("Cost by day", ChartKind::Bar, 6, daily()),
        part("Cost, filled", ChartKind::Area, 6, daily()),
        part("Returning customers", ChartKind::CohortGrid, 12, cohorts()),
        part("Campaigns", ChartKind::Table, 12, by_campaign(75)),
        part("Everything by campaign", ChartKind::Table, 12, wide()),
        part(
            "Search terms",
            ChartKind::Table,
            12,
            Answer::Problem(Failure {
                code: "unknown_metric".to_owned(),
                detail: "google-ads.klicks is no metric; is google-ads.clicks meant?".to_owned(),
            }),
        ),
    ]);
    report(locale, parts)
}
