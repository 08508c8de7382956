//! PDFs of reports that are made here. With `PDF_FOLDER` they are written there, to be looked at.

use super::{
    samples::{by_campaign, frame, key, part, report, whole},
    *,
};
use crate::charts::{ChartKind, Locale};

#[expect(
    clippy::disallowed_methods,
    reason = "no configuration: who runs the test says where reports are kept"
)]
fn keep(name: &str, pdf: &Pdf) {
    if let Ok(folder) = std::env::var("PDF_FOLDER") {
        std::fs::write(format!("{folder}/{name}.pdf"), &pdf.bytes).unwrap();
    }
}

#[test]
fn a_report_is_the_same_bytes_each_time_in_every_language() {
    for locale in [Locale::En, Locale::De, Locale::Es, Locale::Fr] {
        let document = whole(locale);
        let made = pdf(&document).unwrap();
        keep(locale.tag(), &made);
        assert!(made.bytes.starts_with(b"%PDF-"));
        assert!(made.pages > 4, "{} pages", made.pages);
        assert!(made.missing_glyphs.is_empty());
        assert_eq!(
            made.bytes,
            pdf(&document).unwrap().bytes,
            "{}",
            locale.tag()
        );
    }
}

#[test]
fn characters_without_a_glyph_are_told_and_not_drawn_as_boxes() {
    let mut document = whole(Locale::En);
    document.title = "Report for 東京 office".to_owned();
    let made = pdf(&document).unwrap();
    keep("missing", &made);
    assert_eq!(made.missing_glyphs, ['京', '東']);
}

#[test]
fn every_page_of_a_long_table_has_its_heading_and_nothing_leaves_a_page() {
    let document = report(
        Locale::En,
        vec![part("Campaigns", ChartKind::Table, 12, by_campaign(400))],
    );
    let pages = layout::pages(&document);
    assert!(pages.len() > 6, "{} pages", pages.len());
    let mut rows = 0;
    for page in &pages {
        let texts: Vec<&str> = page
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { text, .. } => Some(text.as_str()),
                Shape::Path { .. } => None,
            })
            .collect();
        assert!(texts.contains(&"Impressions"), "{texts:?}");
        rows += texts
            .iter()
            .filter(|text| text.starts_with("Brand") || text.starts_with("Shopping "))
            .count();
        for shape in &page.shapes {
            if let Shape::Text { x, y, text, .. } = shape {
                let inside = (0.0..=page.size.width).contains(x)
                    && (0.0..=page.size.height - 30.0).contains(y);
                assert!(inside, "{text} stands at {x}, {y}");
            }
        }
    }
    assert_eq!(rows, 160, "each row stands on one page");
}

#[test]
fn a_table_that_is_cut_says_so() {
    let document = report(
        Locale::En,
        vec![part("Campaigns", ChartKind::Table, 12, by_campaign(2_100))],
    );
    let pages = layout::pages(&document);
    let said = pages.iter().flat_map(|page| &page.shapes).any(|shape| {
        matches!(shape, Shape::Text { text, .. } if text.ends_with("Rows shown: 2,000 of 2,100"))
    });
    assert!(said);
}

#[test]
fn a_report_without_numbers_is_a_page_that_says_so() {
    let document = report(
        Locale::De,
        vec![part(
            "Kampagnen",
            ChartKind::Table,
            12,
            frame(vec![key("Kampagne")], Vec::new(), None),
        )],
    );
    let made = pdf(&document).unwrap();
    assert_eq!(made.pages, 1);
}

/// Run with `--release -- --ignored` to measure.
#[test]
#[ignore = "a measurement"]
fn two_thousand_rows_take_less_than_300_ms_and_64_mb() {
    let document = report(
        Locale::En,
        vec![part("Campaigns", ChartKind::Table, 12, by_campaign(2_000))],
    );
    pdf(&whole(Locale::En)).unwrap();
    let small = std::time::Instant::now();
    let pages = pdf(&whole(Locale::En)).unwrap().pages;
    let small = small.elapsed();
    let began = std::time::Instant::now();
    let made = pdf(&document).unwrap();
    let took = began.elapsed();
    keep("long", &made);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    eprintln!(
        "{pages} pages with charts: {small:?}; 2,000 rows, {} pages, {} bytes: {took:?}; {peak}",
        made.pages,
        made.bytes.len()
    );
    assert!(took.as_millis() <= 300, "{took:?}");
}
