//! Every kind of chart, from answers that are made here.

use chrono::{NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;

use super::{format::number, *};
use crate::query::{
    ChangeKind, Column, ColumnKind, FrameMeta, Polarity, Row, Source, Unit, change,
};

fn column(key: &str, label: &str, kind: ColumnKind, unit: Option<Unit>) -> Column {
    Column {
        key: key.to_owned(),
        label: label.to_owned(),
        kind,
        unit,
        currency: (unit == Some(Unit::Money)).then(|| "EUR".to_owned()),
        polarity: unit.map(|_| Polarity::UpIsGood),
    }
}

fn row(keys: &[&str], values: &[i64]) -> Row {
    let of = |value: i64| {
        let [now, before] = [value, value * 4 / 5].map(|value| Some(Decimal::from(value)));
        change(now, before, ChangeKind::Count, Polarity::UpIsGood)
    };
    Row {
        keys: keys.iter().map(|key| Some((*key).to_owned())).collect(),
        values: values
            .iter()
            .map(|value| Some(Decimal::from(*value)))
            .collect(),
        previous: Some(
            values
                .iter()
                .map(|value| Some(Decimal::from(value * 4 / 5)))
                .collect(),
        ),
        change: Some(values.iter().map(|value| of(*value)).collect()),
    }
}

fn frame(columns: Vec<Column>, rows: Vec<Row>, totals: Option<Row>) -> Frame {
    let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
    let at = Utc.with_ymd_and_hms(2026, 3, 20, 9, 0, 0).unwrap();
    Frame {
        columns,
        rows,
        totals,
        compared: None,
        meta: FrameMeta {
            from: day(1),
            to: day(20),
            timezone: "Europe/Berlin".to_owned(),
            as_of: at,
            complete_until: at,
            partial_period: true,
            approximate: Vec::new(),
            source: Source::RollupDay,
            truncated: false,
            data_version: 7,
            cached: false,
        },
    }
}

fn days() -> Frame {
    let columns = vec![
        column("time", "Day", ColumnKind::Time, None),
        column("cost", "Cost", ColumnKind::Metric, Some(Unit::Money)),
        column("clicks", "Clicks", ColumnKind::Metric, Some(Unit::Count)),
    ];
    let day = |n: i64| {
        row(
            &[&format!("2026-03-{n:02}")],
            &[900 + n * n * 7 % 400, 40 + n * 13 % 37],
        )
    };
    frame(
        columns,
        (1..=20).map(day).collect(),
        Some(row(&[], &[20_000, 1_130])),
    )
}

fn campaigns() -> Frame {
    let columns = vec![
        column("campaign", "Campaign", ColumnKind::Dimension, None),
        column("clicks", "Clicks", ColumnKind::Metric, Some(Unit::Count)),
    ];
    let names = [
        "Brand & <search>",
        "Spring sale",
        "Retargeting",
        "Video",
        "Display",
        "Shopping",
        "Lookalike",
        "Partner",
        "Test",
    ];
    let rows = names
        .iter()
        .enumerate()
        .map(|(n, name)| row(&[name], &[9_000 / (n as i64 + 1)]));
    frame(columns, rows.collect(), None)
}

fn cohorts() -> Frame {
    let columns = vec![
        column("cohort", "Cohort", ColumnKind::Time, None),
        column("month", "Month", ColumnKind::Dimension, None),
        column(
            "customers",
            "Customers",
            ColumnKind::Metric,
            Some(Unit::Count),
        ),
    ];
    let cell = |c: i64, m: i64| {
        row(
            &[&format!("2026-{:02}-01", c + 1), &m.to_string()],
            &[1_000 / (m + 1) + c * 10],
        )
    };
    let rows = (0..6)
        .flat_map(|c| (0..6 - c).map(move |m| cell(c, m)))
        .collect();
    frame(columns, rows, None)
}

const KINDS: [(ChartKind, &str); 9] = [
    (ChartKind::ScoreCard, "score_card"),
    (ChartKind::Line, "line"),
    (ChartKind::Bar, "bar"),
    (ChartKind::Area, "area"),
    (ChartKind::Donut, "donut"),
    (ChartKind::Table, "table"),
    (ChartKind::Funnel, "funnel"),
    (ChartKind::CohortGrid, "cohort_grid"),
    (ChartKind::Sparkline, "sparkline"),
];

#[test]
fn every_kind_draws_every_answer_inside_its_size_and_the_same_each_time() {
    let empty = frame(days().columns, Vec::new(), None);
    let size = Size {
        width: 420.0,
        height: 200.0,
    };
    for (answer, what) in [
        (days(), "days"),
        (campaigns(), "campaigns"),
        (cohorts(), "cohorts"),
        (empty, "nothing"),
    ] {
        for (kind, name) in KINDS {
            let spec = ChartSpec {
                kind,
                title: "A \"title\" & more",
                frame: &answer,
                locale: Locale::En,
            };
            let svg = spec.svg(size);
            assert_eq!(svg, spec.svg(size), "{name} of {what}");
            assert!(
                !svg.contains("NaN") && !svg.contains("inf"),
                "{name} of {what}: {svg}"
            );
            assert!(svg.contains("A &quot;title&quot; &amp; more"));
            let shapes = spec.shapes(size);
            assert!(!shapes.is_empty(), "{name} of {what}");
            for shape in &shapes {
                let (x, y) = corner(shape);
                assert!(
                    (-1.0..=421.0).contains(&x) && (-1.0..=216.0).contains(&y),
                    "{name} of {what}: {shape:?}"
                );
            }
            keep(&format!("{name}-{what}"), &svg);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no configuration: who runs the test says where charts are kept"
)]
fn keep(name: &str, svg: &str) {
    if let Ok(folder) = std::env::var("CHARTS_FOLDER") {
        std::fs::write(format!("{folder}/{name}.svg"), svg).unwrap();
    }
}

/// The last point of a shape.
fn corner(shape: &Shape) -> (f32, f32) {
    match shape {
        Shape::Text { x, y, .. } => (*x, *y),
        Shape::Path { outline, .. } => outline
            .iter()
            .rev()
            .find_map(|segment| match *segment {
                Segment::Move(x, y) | Segment::Line(x, y) | Segment::Cubic(_, _, _, _, x, y) => {
                    Some((x, y))
                }
                Segment::Close => None,
            })
            .unwrap_or_default(),
    }
}

#[test]
fn what_a_text_says_cannot_become_markup() {
    let svg = ChartSpec {
        kind: ChartKind::Bar,
        title: "</title><script>",
        frame: &campaigns(),
        locale: Locale::En,
    }
    .svg(Size {
        width: 400.0,
        height: 200.0,
    });
    assert!(svg.contains("Brand &amp; &lt;search&gt;"));
    assert!(!svg.contains("<script"));
}

#[test]
fn numbers_are_written_as_each_language_writes_them() {
    let of = |unit, value: &str, locale| {
        number(
            value.parse().unwrap(),
            &column("x", "X", ColumnKind::Metric, Some(unit)),
            locale,
        )
    };
    let table = [
        (
            Unit::Count,
            "1234567",
            "1,234,567",
            "1.234.567",
            "1.234.567",
            "1\u{202f}234\u{202f}567",
        ),
        (
            Unit::Count,
            "1234",
            "1,234",
            "1.234",
            "1234",
            "1\u{202f}234",
        ),
        (
            Unit::Money,
            "-1234.5",
            "-€1,234.50",
            "-1.234,50\u{a0}€",
            "-1234,50\u{a0}€",
            "-1\u{202f}234,50\u{a0}€",
        ),
        (
            Unit::Percent,
            "0.0235",
            "2.35%",
            "2,35\u{a0}%",
            "2,35\u{a0}%",
            "2,35\u{202f}%",
        ),
        (
            Unit::Percent,
            "0.5",
            "50.0%",
            "50,0\u{a0}%",
            "50,0\u{a0}%",
            "50,0\u{202f}%",
        ),
        (Unit::Ratio, "1.402031", "1.40", "1,40", "1,40", "1,40"),
        (
            Unit::Seconds,
            "95",
            "1:35\u{a0}min",
            "1:35\u{a0}min",
            "1:35\u{a0}min",
            "1:35\u{a0}min",
        ),
        (Unit::Count, "-0.001", "0.00", "0,00", "0,00", "0,00"),
    ];
    for (unit, value, en, de, es, fr) in table {
        for (locale, wanted) in [
            (Locale::En, en),
            (Locale::De, de),
            (Locale::Es, es),
            (Locale::Fr, fr),
        ] {
            assert_eq!(of(unit, value, locale), wanted, "{value} {}", locale.tag());
        }
    }
}

const NONE: [char; 0] = [];

#[test]
fn every_sign_of_our_own_has_a_glyph_and_what_has_none_is_told() {
    for locale in [Locale::En, Locale::De, Locale::Es, Locale::Fr] {
        let words = format!("{:?}", locale.words());
        assert_eq!(missing_glyphs([words.as_str()]), NONE, "{}", locale.tag());
    }
    assert_eq!(missing_glyphs(["…–·€£¥₹\u{a0}\u{202f}", "Ωж"]), NONE);
    assert_eq!(missing_glyphs(["東京", "京 a"]), ['京', '東']);
}

#[test]
fn a_text_without_room_ends_in_an_ellipsis_and_is_as_wide_as_said() {
    let text = "Brand campaign for the spring sale";
    let cut = fit(text, 8.0, Weight::Regular, 60.0);
    assert!(cut.ends_with('…') && text.starts_with(cut.trim_end_matches('…')));
    assert!(text_width(&cut, 8.0, Weight::Regular) <= 60.0);
    assert_eq!(fit(text, 8.0, Weight::Regular, 600.0), text);
    // Figures are as wide with the short way as with the shaper.
    assert!(
        (text_width("1,234", 10.0, Weight::Bold) - text_width("1,234é", 10.0, Weight::Bold)
            + text_width("é", 10.0, Weight::Bold))
        .abs()
            < 0.01
    );
}
