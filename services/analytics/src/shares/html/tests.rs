use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::{
    dashboards::{Tile, View},
    query::{
        ChangeKind, Column, ColumnKind, Compared, FrameMeta, Polarity, Row, Source, Unit, change,
    },
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn column(key: &str, label: &str, unit: Option<Unit>) -> Column {
    let kind = match (unit, key) {
        (Some(_), _) => ColumnKind::Metric,
        (None, "time") => ColumnKind::Time,
        (None, _) => ColumnKind::Dimension,
    };
    Column {
        key: key.to_owned(),
        label: label.to_owned(),
        kind,
        unit,
        currency: (unit == Some(Unit::Money)).then(|| "EUR".to_owned()),
        polarity: unit.map(|_| Polarity::UpIsGood),
    }
}

/// An answer of rows of keys, numbers and numbers before.
fn frame(columns: Vec<Column>, rows: &[(&[&str], &[&str], &[&str])]) -> Frame {
    let number = |text: &&str| text.parse::<Decimal>().ok();
    let rows = rows.iter().map(|(keys, values, before)| {
        let values: Vec<_> = values.iter().map(number).collect();
        let previous: Vec<_> = before.iter().map(number).collect();
        let both = values.iter().zip(&previous);
        let changes = both
            .map(|(now, then)| change(*now, *then, ChangeKind::Money, Polarity::UpIsGood))
            .collect();
        Row {
            keys: keys.iter().map(|key| Some((*key).to_owned())).collect(),
            values,
            change: (!previous.is_empty()).then_some(changes),
            previous: (!previous.is_empty()).then_some(previous),
        }
    });
    Frame {
        columns,
        rows: rows.collect(),
        totals: None,
        compared: Some(Compared {
            from: day("2026-01-01"),
            to: day("2026-01-31"),
            like_for_like: false,
            until: None,
        }),
        meta: FrameMeta {
            from: day("2026-02-01"),
            to: day("2026-02-28"),
            timezone: "Europe/Berlin".into(),
            as_of: DateTime::<Utc>::UNIX_EPOCH,
            complete_until: DateTime::<Utc>::UNIX_EPOCH,
            partial_period: false,
            approximate: Vec::new(),
            source: Source::Facts,
            truncated: false,
            data_version: 7,
            cached: false,
        },
    }
}

fn shown(chart: &str, title: &str, layout: [u16; 4], frame: Option<Frame>) -> AnsweredTile {
    let [x, y, w, h] = layout;
    let id = title.to_lowercase().replace(' ', "-");
    let tile: Tile = serde_json::from_value(json!({
        "id": id, "title": title, "chart": chart, "query": { "numbers": { "metrics": ["google-ads.cost"] } },
        "layout": { "x": x, "y": y, "w": w, "h": h }
    }))
    .unwrap();
    let problem = frame.is_none().then(
        || json!({ "title": "Refused", "detail": "There are orders in EUR, USD; say which" }),
    );
    AnsweredTile {
        id: tile.id,
        title: tile.title,
        chart: tile.chart,
        query: tile.query,
        layout: tile.layout,
        frame,
        problem,
        alerts: Vec::new(),
    }
}

fn dashboard() -> DashboardData {
    let money = || column("cost", "Cost", Some(Unit::Money));
    let card = |now: &'static str, before: &'static str| {
        Some(frame(vec![money()], &[(&[], &[now], &[before])]))
    };
    let days: Vec<String> = (1..=28).map(|n| format!("2026-02-{n:02}")).collect();
    let costs: Vec<String> = (1..=28)
        .map(|n| (n * n % 31 * 10 + 200).to_string())
        .collect();
    let keys: Vec<[&str; 1]> = days.iter().map(|day| [day.as_str()]).collect();
    let values: Vec<[&str; 1]> = costs.iter().map(|cost| [cost.as_str()]).collect();
    let line: Vec<(&[&str], &[&str], &[&str])> = keys
        .iter()
        .zip(&values)
        .map(|(key, value)| (&key[..], &value[..], &value[..]))
        .collect();
    let devices: &[(&[&str], &[&str], &[&str])] = &[
        (&["phone"], &["5200"], &[]),
        (&["desktop"], &["3100"], &[]),
        (&["tablet"], &["400"], &[]),
    ];
    let campaigns: &[(&[&str], &[&str], &[&str])] = &[
        (
            &["Spring sale <b>"],
            &["5200.50", "13000"],
            &["4000", "14000"],
        ),
        (&["Brand"], &["3100", "12000"], &["3300", "9000"]),
    ];
    let steps: &[(&[&str], &[&str], &[&str])] = &[
        (&["View"], &["12000"], &[]),
        (&["Cart"], &["3000"], &[]),
        (&["Order"], &["900"], &[]),
    ];
    let mut cohorts: Vec<(Vec<String>, String)> = Vec::new();
    for month in 1..=4 {
        for period in 0..=(4 - month) {
            let share = if period == 0 {
                "1".to_owned()
            } else {
                format!("0.{}", 40 - period * 7 - month)
            };
            cohorts.push((
                vec![format!("2026-{month:02}-01"), period.to_string()],
                share,
            ));
        }
    }
    let keys: Vec<Vec<&str>> = cohorts
        .iter()
        .map(|(keys, _)| keys.iter().map(String::as_str).collect())
        .collect();
    let shares: Vec<[&str; 1]> = cohorts.iter().map(|(_, share)| [share.as_str()]).collect();
    let grid: Vec<(&[&str], &[&str], &[&str])> = keys
        .iter()
        .zip(&shares)
        .map(|(key, share)| (&key[..], &share[..], &[][..]))
        .collect();
    let device = || vec![column("device", "Device", None), money()];
    let time = || vec![column("time", "Day", None), money()];
    let value = column("value", "Conversion value", Some(Unit::Money));
    let campaign = vec![column("campaign", "Campaign", None), money(), value];
    let step = vec![
        column("step", "Step", None),
        column("count", "People", Some(Unit::Count)),
    ];
    let cohort = vec![
        column("time", "First order", None),
        column("period", "Months later", None),
        column("retention", "Retention", Some(Unit::Percent)),
    ];
    DashboardData {
        name: "Advertising & sales".into(),
        description: "What it cost and what it brought.".into(),
        view: View::default(),
        as_of: DateTime::<Utc>::UNIX_EPOCH,
        data_version: 7,
        tiles: vec![
            shown("score_card", "Cost", [0, 0, 3, 2], card("8700.5", "7300")),
            shown(
                "score_card",
                "Revenue",
                [3, 0, 3, 2],
                card("25000", "31000"),
            ),
            shown("score_card", "Nothing before", [6, 0, 3, 2], card("5", "0")),
            shown("score_card", "Refused", [9, 0, 3, 2], None),
            shown(
                "line",
                "Cost by day",
                [0, 2, 8, 5],
                Some(frame(time(), &line)),
            ),
            shown(
                "donut",
                "Devices",
                [8, 2, 4, 5],
                Some(frame(device(), devices)),
            ),
            shown(
                "table",
                "Campaigns",
                [0, 7, 6, 5],
                Some(frame(campaign, campaigns)),
            ),
            shown(
                "bar",
                "Cost by device",
                [6, 7, 6, 5],
                Some(frame(device(), devices)),
            ),
            shown(
                "funnel",
                "From view to order",
                [0, 12, 6, 5],
                Some(frame(step, steps)),
            ),
            shown(
                "cohort_grid",
                "Came back",
                [6, 12, 6, 5],
                Some(frame(cohort, &grid)),
            ),
        ],
    }
}

#[test]
fn every_chart_is_a_picture_with_a_name_and_its_numbers_are_in_a_table() {
    let html = page(&dashboard(), Locale::En);
    assert_eq!(html.matches("<svg").count(), 5);
    assert_eq!(html.matches(r#"role="img""#).count(), 5);
    assert_eq!(html.matches("<table>").count(), 6);
    for tile in dashboard().tiles {
        let heading = format!(r#"<h2 id="t-{0}">"#, tile.id);
        let section = format!(r#"<section aria-labelledby="t-{0}""#, tile.id);
        assert!(
            html.contains(&heading) && html.contains(&section),
            "{}",
            tile.id
        );
    }
    for said in [
        "€8,700.50",
        "Feb 1, 2026",
        "Europe/Berlin",
        "Spring sale &lt;b&gt;",
        "There are orders in EUR, USD; say which",
        "Advertising &amp; sales",
        r#"<html lang="en">"#,
        r#"scope="col""#,
        r#"scope="row""#,
    ] {
        assert!(html.contains(said), "{said}");
    }
    assert!(!html.contains("<b>") && !html.contains("<script"));
}

#[test]
fn a_good_change_and_a_bad_one_are_told_in_words_and_not_by_colour_alone() {
    let html = page(&dashboard(), Locale::En);
    assert!(html.contains(r#"class="change good""#) && html.contains(r#"class="change bad""#));
    assert!(html.contains("+19.2") && html.contains("-19.4"), "{html}");
}

#[test]
fn the_page_speaks_the_language_that_was_asked_for() {
    let html = page(&dashboard(), Locale::De);
    assert!(
        html.contains(r#"<html lang="de">"#)
            && html.contains("8.700,50")
            && html.contains("Zahlen")
    );
}
