//! Files of reports that are made here.

use std::io::Read;

use chrono::{NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;

use super::*;
use crate::{
    charts::{ChartKind, Locale},
    dashboards::Layout,
    query::{
        ChangeKind, Column, ColumnKind, Frame, FrameMeta, Polarity, Row, Source, Unit, change,
    },
    reports::document::{Answer, Failure, Part},
};

fn column(label: &str, kind: ColumnKind, unit: Option<Unit>) -> Column {
    Column {
        key: label.to_lowercase(),
        label: label.to_owned(),
        kind,
        unit,
        currency: (unit == Some(Unit::Money)).then(|| "EUR".to_owned()),
        polarity: unit.map(|_| Polarity::UpIsGood),
    }
}

fn frame(columns: Vec<Column>, rows: Vec<Row>, truncated: bool) -> Answer {
    let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
    let at = Utc.with_ymd_and_hms(2026, 4, 1, 6, 30, 0).unwrap();
    Answer::Frame(Frame {
        columns,
        rows,
        totals: None,
        compared: None,
        meta: FrameMeta {
            from: day(1),
            to: day(31),
            timezone: "Europe/Berlin".to_owned(),
            as_of: at,
            complete_until: at,
            partial_period: false,
            approximate: Vec::new(),
            source: Source::RollupDay,
            truncated,
            data_version: 3,
            cached: false,
        },
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn document(answers: Vec<(&str, Answer)>) -> Document {
    let part = |(title, answer): (&str, Answer)| Part {
        id: "p".to_owned(),
        title: title.to_owned(),
        chart: ChartKind::Table,
        layout: Layout {
            x: 0,
            y: 0,
            w: 12,
            h: 4,
        },
        answer,
    };
    Document {
        title: "March".to_owned(),
        locale: Locale::De,
        from: None,
        to: None,
        compared: None,
        timezone: "UTC".to_owned(),
        as_of: Utc.with_ymd_and_hms(2026, 4, 1, 0, 0, 0).unwrap(),
        data_version: 0,
        partial_period: false,
        parts: answers.into_iter().map(part).collect(),
    }
    .described()
}

fn campaigns() -> Document {
    let columns = vec![
        column("Day", ColumnKind::Time, None),
        column("Campaign", ColumnKind::Dimension, None),
        column("Cost", ColumnKind::Metric, Some(Unit::Money)),
        column("CTR", ColumnKind::Metric, Some(Unit::Percent)),
    ];
    let rows = vec![
        Row {
            keys: vec![
                Some("2026-03-02".to_owned()),
                Some("=HYPERLINK(\"http://x\")".to_owned()),
            ],
            values: vec![decimal("-1234.50"), decimal("0.031")],
            previous: Some(vec![decimal("1000"), decimal("0.02")]),
            change: Some(vec![
                change(
                    decimal("-1234.50"),
                    decimal("1000"),
                    ChangeKind::Money,
                    Polarity::UpIsGood,
                ),
                change(
                    decimal("0.031"),
                    decimal("0.02"),
                    ChangeKind::Rate,
                    Polarity::UpIsGood,
                ),
            ]),
        },
        Row {
            keys: vec![Some("2026-03-03".to_owned()), None],
            values: vec![None, decimal("0")],
            previous: Some(vec![None, None]),
            change: None,
        },
    ];
    let failure = Failure {
        code: "unknown_metric".to_owned(),
        detail: "there is no such metric".to_owned(),
    };
    document(vec![
        ("Campaigns", frame(columns, rows, true)),
        ("+Other", Answer::Problem(failure)),
    ])
}

#[test]
fn a_csv_has_exact_numbers_and_no_cell_that_is_taken_for_a_formula() {
    let made = make(&campaigns(), Format::Csv, true).unwrap();
    let text = String::from_utf8(made.bytes).unwrap();
    let wanted = "Campaigns\n\
                  Day,Campaign,Cost (EUR),\"Cost (EUR), previous\",\"Cost (EUR), change\",CTR,\"CTR, previous\",\"CTR, change\"\n\
                  2026-03-02,\"'=HYPERLINK(\"\"http://x\"\")\",-1234.5,1000,-223.45,0.031,0.02,1.1\n\
                  2026-03-03,,,,,0,,\n\
                  truncated: true,2\n\
                  \"\"\n\
                  '+Other\n\
                  unknown_metric,there is no such metric\n";
    assert_eq!(text, wanted);
    let bare = make(&campaigns(), Format::Csv, false).unwrap();
    assert!(
        String::from_utf8(bare.bytes)
            .unwrap()
            .contains("\"=HYPERLINK(\"\"http://x\"\")\"")
    );
}

#[test]
fn a_spreadsheet_has_numbers_as_numbers_and_texts_that_are_no_formulas() {
    let made = make(&campaigns(), Format::Xlsx, true).unwrap();
    assert_eq!(
        made.bytes,
        make(&campaigns(), Format::Xlsx, true).unwrap().bytes
    );
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(made.bytes)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        archive
            .by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    };
    let book = read("xl/workbook.xml");
    assert!(
        book.contains(r#"name="Bericht""#)
            && book.contains(r#"name="Campaigns""#)
            && book.contains(r#"name="+Other""#),
        "{book}"
    );
    let sheet = read("xl/worksheets/sheet2.xml");
    assert!(
        sheet.contains(r#"t="inlineStr"><is><t xml:space="preserve">=HYPERLINK("#),
        "{sheet}"
    );
    assert!(
        sheet.contains(r#"<c r="A2" s="5"><v>46083</v></c>"#),
        "the second of March 2026: {sheet}"
    );
    assert!(
        sheet.contains(r#"<c r="C2" s="3"><v>-1234.5</v></c>"#),
        "{sheet}"
    );
    assert!(
        sheet.contains(r#"<c r="F2" s="4"><v>0.031</v></c>"#),
        "{sheet}"
    );
    assert!(!sheet.contains("<f>"));
}

#[test]
fn json_has_everything_and_can_be_read_again() {
    let made = make(&campaigns(), Format::Json, true).unwrap();
    let read: Document = serde_json::from_slice(&made.bytes).unwrap();
    assert_eq!(read, campaigns());
}

/// Run with `--release -- --ignored` to measure.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_rows_of_eight_columns_take_less_than_two_seconds() {
    let mut columns = vec![
        column("Day", ColumnKind::Time, None),
        column("Campaign", ColumnKind::Dimension, None),
    ];
    columns.extend((0..6).map(|n| {
        column(
            &format!("Metric {n}"),
            ColumnKind::Metric,
            Some(Unit::Count),
        )
    }));
    let row = |n: i64| Row {
        keys: vec![Some("2026-03-02".to_owned()), Some(format!("Campaign {n}"))],
        values: (0..6).map(|k| Some(Decimal::from(n * 7 + k))).collect(),
        previous: None,
        change: None,
    };
    let document = document(vec![(
        "Rows",
        frame(columns, (0..100_000).map(row).collect(), false),
    )]);
    let began = std::time::Instant::now();
    let made = make(&document, Format::Xlsx, true).unwrap();
    let took = began.elapsed();
    let csv = std::time::Instant::now();
    let rows = make(&document, Format::Csv, true).unwrap();
    eprintln!(
        "XLSX 100,000 x 8: {took:?}, {} bytes; CSV: {:?}, {} bytes",
        made.bytes.len(),
        csv.elapsed(),
        rows.bytes.len()
    );
    assert!(took.as_secs_f64() <= 2.0, "{took:?}");
}
