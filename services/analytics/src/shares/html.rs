//! The page of a shared dashboard. Written out as text: it has no script, and every value in it is escaped here.

use std::fmt::Write as _;

use bz_kernel::html::escaped;

use crate::{
    charts::{
        Align, ChartKind, ChartSpec, Locale, Size, Table, Tone, change_text, day_text, number,
    },
    dashboards::{
        Layout,
        data::{AnsweredTile, DashboardData},
    },
    query::Frame,
};

const CSS: &str = include_str!("page.css");

/// Width of a column and height of a row of the grid, in CSS pixels.
const COLUMN: f32 = 100.0;
const ROW: f32 = 62.0;
/// How much larger than on paper charts are drawn: their letters are those of a report.
const ENLARGED: f32 = 1.5;

/// The most rows of a table.
const MOST_ROWS: usize = 500;

/// The whole page.
pub(super) fn page(data: &DashboardData, locale: Locale) -> String {
    let name = escaped(&data.name);
    let mut out = head(&name, locale);
    let _ = write!(out, "<header><h1>{name}</h1>");
    if !data.description.is_empty() {
        let _ = write!(out, "<p>{}</p>", escaped(&data.description));
    }
    let first = data.tiles.iter().find_map(|tile| tile.frame.as_ref());
    if let Some(frame) = first {
        let _ = write!(out, "<p>{}</p>", escaped(&period(frame, locale)));
    }
    out.push_str("</header><main>");
    let mut tiles: Vec<&AnsweredTile> = data.tiles.iter().collect();
    // The order of reading is that of the grid.
    tiles.sort_by_key(|one| (one.layout.y, one.layout.x));
    for one in tiles {
        tile(&mut out, one, locale);
    }
    out.push_str("</main><footer>");
    let words = locale.words();
    let _ = write!(
        out,
        "<p>{} {} UTC · {} {}</p></footer></body></html>",
        words.data_of,
        data.as_of.format("%Y-%m-%d %H:%M"),
        words.data_version.to_lowercase(),
        data.data_version
    );
    out
}

/// The page of a link that shows nothing.
pub(super) fn refusal(title: &str, detail: &str) -> String {
    let (title, detail) = (escaped(title), escaped(detail));
    let mut out = head(&title, Locale::En);
    let _ = write!(
        out,
        r#"<main class="refusal"><h1>{title}</h1><p>{detail}</p></main></body></html>"#
    );
    out
}

fn head(title: &str, locale: Locale) -> String {
    format!(
        r#"<!doctype html><html lang="{}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>{title}</title><style>{CSS}</style></head><body>"#,
        locale.tag()
    )
}

/// Which days, compared with which.
fn period(frame: &Frame, locale: Locale) -> String {
    let words = locale.words();
    let mut text = format!(
        "{} – {}",
        day_text(frame.meta.from, locale),
        day_text(frame.meta.to, locale)
    );
    if let Some(compared) = &frame.compared {
        let (from, to) = (
            day_text(compared.from, locale),
            day_text(compared.to, locale),
        );
        let _ = write!(text, ", {} {from} – {to}", words.compared_with);
    }
    let _ = write!(text, ". {}: {}", words.time_zone, frame.meta.timezone);
    if frame.meta.partial_period {
        let _ = write!(text, ". {}", words.partial);
    }
    text
}

fn tile(out: &mut String, one: &AnsweredTile, locale: Locale) {
    let Layout { x, y, w, h } = one.layout;
    let (id, title) = (&one.id, escaped(&one.title));
    let _ = write!(
        out,
        r#"<section aria-labelledby="t-{id}" style="grid-column:{}/span {w};grid-row:{}/span {h}"><h2 id="t-{id}">{title}</h2>"#,
        x + 1,
        y + 1
    );
    match &one.frame {
        None => {
            let detail = one.problem.as_ref().and_then(said).unwrap_or_default();
            let _ = write!(
                out,
                r#"<p class="none">{}: {}</p>"#,
                locale.words().no_data,
                escaped(&detail)
            );
        }
        Some(frame) if one.chart == ChartKind::Table => {
            table(out, frame, &one.title, locale);
        }
        Some(frame) if is_plain_card(one.chart, frame) => card(out, frame, locale),
        Some(frame) => {
            let size = Size {
                width: (f32::from(w) * COLUMN - 34.0) / ENLARGED,
                height: (f32::from(h) * ROW + f32::from(h - 1) * 16.0 - 88.0).max(60.0) / ENLARGED,
            };
            let spec = ChartSpec {
                kind: one.chart,
                title: &one.title,
                frame,
                locale,
            };
            out.push_str(&spec.svg(size));
            let numbers = match locale {
                Locale::En => "Numbers",
                Locale::De => "Zahlen",
                Locale::Es => "Cifras",
                Locale::Fr => "Chiffres",
            };
            let _ = write!(out, "<details><summary>{numbers}</summary>");
            table(out, frame, &one.title, locale);
            out.push_str("</details>");
        }
    }
    out.push_str("</section>");
}

/// What a problem says to people.
fn said(problem: &serde_json::Value) -> Option<String> {
    let first = &problem["errors"][0]["message"];
    let text = problem["detail"]
        .as_str()
        .or(first.as_str())
        .or(problem["title"].as_str())?;
    Some(text.to_owned())
}

/// Whether a card is one number, which is text and not a picture.
fn is_plain_card(chart: ChartKind, frame: &Frame) -> bool {
    chart == ChartKind::ScoreCard && frame.rows.len() <= 1
}

fn card(out: &mut String, frame: &Frame, locale: Locale) {
    let row = frame.totals.as_ref().or(frame.rows.first());
    let column = frame.columns.last();
    let value = row.and_then(|row| row.values.first().copied().flatten());
    let (Some(value), Some(column)) = (value, column) else {
        let _ = write!(out, r#"<p class="none">{}</p>"#, locale.words().no_data);
        return;
    };
    let _ = write!(
        out,
        r#"<p class="number">{}</p>"#,
        escaped(&number(value, column, locale))
    );
    let change = row.and_then(|row| row.change.as_ref()?.first());
    if let Some((text, tone)) = change.and_then(|change| change_text(change, locale)) {
        let _ = write!(
            out,
            r#"<p class="change{}">{}"#,
            class(tone),
            escaped(&text)
        );
        let before = row.and_then(|row| row.previous.as_ref()?.first().copied().flatten());
        if let Some(before) = before {
            let before = number(before, column, locale);
            let _ = write!(out, " ({} {})", locale.words().versus, escaped(&before));
        }
        out.push_str("</p>");
    }
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => " good",
        Tone::Bad => " bad",
        Tone::Neutral => "",
    }
}

fn table(out: &mut String, frame: &Frame, title: &str, locale: Locale) {
    let table = Table::of(frame, locale, MOST_ROWS);
    let _ = write!(
        out,
        r#"<div class="scroll" tabindex="0" role="region" aria-label="{}"><table>"#,
        escaped(title)
    );
    if table.count > table.rows.len() {
        let more = table.count - table.rows.len();
        let _ = write!(
            out,
            "<caption>+ {more} {}</caption>",
            locale.words().more_rows
        );
    }
    out.push_str("<thead><tr>");
    for column in &table.columns {
        let figure = if column.align == Align::Right {
            r#" class="figure""#
        } else {
            ""
        };
        let _ = write!(
            out,
            r#"<th scope="col"{figure}>{}</th>"#,
            escaped(&column.label)
        );
    }
    out.push_str("</tr></thead><tbody>");
    let rows = table.rows.iter().map(|row| (row, false));
    let totals = table.totals.iter().map(|row| (row, true));
    for (row, is_total) in rows.chain(totals) {
        out.push_str(if is_total {
            "</tbody><tfoot><tr>"
        } else {
            "<tr>"
        });
        for (cell, column) in row.iter().zip(&table.columns) {
            let text = escaped(&cell.text);
            let _ = if column.is_key {
                write!(out, r#"<th scope="row">{text}</th>"#)
            } else {
                write!(out, r#"<td class="figure{}">{text}</td>"#, class(cell.tone))
            };
        }
        out.push_str(if is_total { "</tr></tfoot>" } else { "</tr>" });
    }
    out.push_str(if table.totals.is_some() {
        "</table></div>"
    } else {
        "</tbody></table></div>"
    });
}

#[cfg(test)]
mod tests;
