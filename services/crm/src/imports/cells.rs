//! Cells as the values of fields.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use csv::StringRecord;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    mapping::{self, Target},
    plan::Plan,
};
use crate::records::{Kind, RecordType, custom::Definition};

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Fault {
    /// The heading of the column, if it is about one.
    pub column: Option<String>,
    /// What is wrong, for programs.
    pub code: Cow<'static, str>,
    /// What is wrong and what to write instead.
    pub message: Cow<'static, str>,
    /// The cell.
    pub value: Option<String>,
}

impl Fault {
    /// Something about the row as a whole.
    pub(super) fn of_row(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            column: None,
            code: code.into(),
            message: message.into(),
            value: None,
        }
    }
}

/// What a row says.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Fields that clients write, and `id`.
    pub members: Map<String, Value>,
    /// What happened before.
    pub history: Map<String, Value>,
}

/// The columns of a file.
pub(super) struct Sheet {
    width: usize,
    columns: Vec<Column>,
}

struct Column {
    place: usize,
    heading: String,
    name: String,
    target: Target,
}

impl Sheet {
    /// The columns as planned. One whose field was given up meanwhile is left out.
    pub(super) fn new(plan: &Plan, record: &'static RecordType, custom: &[Definition]) -> Self {
        let column = |(place, (heading, name)): (usize, (&String, &Option<String>))| {
            let name = name.clone()?;
            let target = mapping::target(&name, record, custom)?;
            let heading = heading.clone();
            Some(Column {
                place,
                heading,
                name,
                target,
            })
        };
        let columns = plan.header.iter().zip(&plan.columns).enumerate();
        Self {
            width: plan.header.len(),
            columns: columns.filter_map(column).collect(),
        }
    }

    /// Reads a row. Empty cells say nothing.
    pub(super) fn read(&self, row: &StringRecord) -> Result<Read, Vec<Fault>> {
        if row.len() != self.width {
            let text = format!(
                "has {} cells, but the file has {} columns",
                row.len(),
                self.width
            );
            return Err(vec![Fault::of_row("wrong_column_count", text)]);
        }
        let (mut read, mut faults) = (Read::default(), Vec::new());
        for column in &self.columns {
            let cell = bz_tabular::safe::bare(row.get(column.place).unwrap_or_default().trim());
            if cell.is_empty() {
                continue;
            }
            if let Err(message) = column.take(cell, &mut read) {
                faults.push(column.fault("invalid_value", message, cell));
            }
        }
        // A currency without an amount says nothing either.
        read.members
            .retain(|_, value| value.get("currency").is_none() || value.get("amount").is_some());
        if faults.is_empty() {
            Ok(read)
        } else {
            Err(faults)
        }
    }

    /// A fault of the field at a JSON pointer, with its column and cell.
    pub(super) fn fault(
        &self,
        pointer: &str,
        code: Cow<'static, str>,
        message: Cow<'static, str>,
        row: &StringRecord,
    ) -> Fault {
        let path = pointer.trim_start_matches('/');
        let mut parts = path.split('/');
        let name = match (parts.next(), parts.next()) {
            (Some("custom"), Some(key)) => format!("custom.{key}"),
            (name, _) => name.unwrap_or_default().to_owned(),
        };
        let column = self.columns.iter().find(|column| column.name == name);
        Fault {
            column: column
                .map(|column| column.heading.clone())
                .or_else(|| (!name.is_empty()).then_some(name)),
            code,
            message,
            value: column.and_then(|column| row.get(column.place)).map(short),
        }
    }
}

impl Column {
    fn fault(&self, code: &'static str, message: String, cell: &str) -> Fault {
        Fault {
            column: Some(self.heading.clone()),
            code: code.into(),
            message: message.into(),
            value: Some(short(cell)),
        }
    }

    fn take(&self, cell: &str, read: &mut Read) -> Result<(), String> {
        match &self.target {
            Target::Field(name, Kind::Money) => money(name, cell, &mut read.members),
            Target::Field(name, kind) => {
                let value = value(*kind, cell)?;
                read.members.insert((*name).to_owned(), value);
                Ok(())
            }
            Target::Currency(name) => {
                with_amount(name, &mut read.members, "currency", cell.to_uppercase());
                Ok(())
            }
            Target::Tags => {
                read.members.insert("tags".to_owned(), texts(cell));
                Ok(())
            }
            Target::Custom(field) => {
                let value = own(field, cell)?;
                let custom = read.members.entry("custom").or_insert_with(|| json!({}));
                if let Value::Object(custom) = custom {
                    custom.insert(field.key.clone(), value);
                }
                Ok(())
            }
            Target::History(name, kind) => {
                read.history
                    .insert((*name).to_owned(), history(*kind, cell)?);
                Ok(())
            }
            Target::Id => {
                let id: uuid::Uuid = cell.parse().map_err(|_| "must be an id".to_owned())?;
                read.members.insert("id".to_owned(), id.to_string().into());
                Ok(())
            }
        }
    }
}

fn short(cell: &str) -> String {
    cell.chars().take(200).collect()
}

/// A cell as a value of a kind.
fn value(kind: Kind, cell: &str) -> Result<Value, String> {
    Ok(match kind {
        Kind::Text | Kind::Money => cell.into(),
        Kind::Choice(texts) => choice(texts, cell)?.into(),
        Kind::Integer => integer(cell)?.into(),
        Kind::Number => number(cell)?.into(),
        Kind::Boolean => flag(cell)?.into(),
        Kind::Date => day(cell)?.to_string().into(),
        Kind::Instant => json!(instant(cell)?),
        Kind::Id => {
            let id: uuid::Uuid = cell.parse().map_err(|_| "must be an id".to_owned())?;
            id.to_string().into()
        }
        Kind::Texts => texts(cell),
        Kind::Json => serde_json::from_str(cell).map_err(|_| "must be JSON".to_owned())?,
    })
}

/// How something ended is written in many ways; everything else as any value.
fn history(kind: Kind, cell: &str) -> Result<Value, String> {
    match kind {
        Kind::Choice(texts) if texts.contains(&"won") => match flag(cell) {
            Ok(won) => Ok(if won { "won" } else { "lost" }.into()),
            Err(_) => Ok(choice(texts, cell)?.into()),
        },
        _ => value(kind, cell),
    }
}

/// A cell as a value of a field of the tenant's own.
fn own(field: &Definition, cell: &str) -> Result<Value, String> {
    Ok(match field.kind.as_str() {
        "number" => {
            let number = number(cell)?;
            let whole = number.fract() == 0.0 && number.abs() < 9e15;
            if whole {
                (number as i64).into()
            } else {
                number.into()
            }
        }
        "boolean" => flag(cell)?.into(),
        "date" => day(cell)?.to_string().into(),
        "datetime" => json!(instant(cell)?),
        "multi_select" => texts(cell),
        _ => cell.into(),
    })
}

fn choice(texts: &[&'static str], cell: &str) -> Result<&'static str, String> {
    let plain = cell.to_lowercase().replace([' ', '-'], "_");
    let found = texts.iter().find(|text| **text == plain);
    found
        .copied()
        .ok_or_else(|| format!("must be one of: {}", texts.join(", ")))
}

fn flag(cell: &str) -> Result<bool, String> {
    match cell.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

/// `1234.5`, `1,234.50`, `1234,5`.
fn plain_number(cell: &str) -> String {
    let cell = cell.replace([' ', '\u{a0}', '\''], "");
    match (cell.rfind(','), cell.rfind('.')) {
        (Some(comma), Some(point)) if comma < point => cell.replace(',', ""),
        (Some(_), Some(_)) => cell.replace('.', "").replace(',', "."),
        (Some(_), None) if cell.matches(',').count() == 1 => cell.replace(',', "."),
        _ => cell,
    }
}

fn number(cell: &str) -> Result<f64, String> {
    let number = plain_number(cell)
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "must be a number".to_owned())
}

fn integer(cell: &str) -> Result<i64, String> {
    let cell = cell.trim_end_matches(".0");
    cell.parse()
        .map_err(|_| "must be a whole number".to_owned())
}

fn day(cell: &str) -> Result<NaiveDate, String> {
    let read = |form: &&str| NaiveDate::parse_from_str(cell, form).ok();
    let day = ["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"].iter().find_map(read);
    day.filter(sensible)
        .ok_or_else(|| "must be a day such as 2026-05-31".to_owned())
}

fn instant(cell: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(cell) {
        return Ok(at.to_utc());
    }
    let forms = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%d.%m.%Y %H:%M",
    ];
    let read = |form: &&str| NaiveDateTime::parse_from_str(cell, form).ok();
    if let Some(at) = forms
        .iter()
        .find_map(read)
        .filter(|at| sensible(&at.date()))
    {
        return Ok(at.and_utc());
    }
    let day = day(cell)
        .map_err(|_| "must be a time such as 2026-05-31T09:30:00Z, or a day".to_owned())?;
    Ok(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// A year of four digits: what databases and people take for a day.
fn sensible(day: &NaiveDate) -> bool {
    (1..=9999).contains(&chrono::Datelike::year(day))
}

/// `a; b` or `a, b`.
fn texts(cell: &str) -> Value {
    let by = if cell.contains(';') { ';' } else { ',' };
    let mut texts: Vec<&str> = Vec::new();
    for text in cell.split(by).map(str::trim) {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.into()
}

/// `1234.50`, with the currency in another column, or `1234.50 EUR`.
fn money(name: &str, cell: &str, members: &mut Map<String, Value>) -> Result<(), String> {
    let letters: String = cell.chars().filter(char::is_ascii_alphabetic).collect();
    let digits: String = cell.chars().filter(|c| !c.is_ascii_alphabetic()).collect();
    let amount = plain_number(&digits);
    if amount.parse::<rust_decimal::Decimal>().is_err() {
        return Err("must be an amount such as 1234.50, with its currency in a column of its own, or 1234.50 EUR".to_owned());
    }
    with_amount(name, members, "amount", amount);
    if !letters.is_empty() {
        with_amount(name, members, "currency", letters.to_uppercase());
    }
    Ok(())
}

/// Adds to an amount that may have its other half already.
fn with_amount(name: &str, members: &mut Map<String, Value>, half: &str, value: String) {
    let entry = members.entry(name).or_insert_with(|| json!({}));
    if let Value::Object(money) = entry {
        money.insert(half.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_days_and_times_are_read_as_people_write_them() {
        let numbers = [
            ("1234.5", 1234.5),
            ("1,234.50", 1234.5),
            ("1.234,50", 1234.5),
            ("1234,5", 1234.5),
            ("-3", -3.0),
        ];
        for (cell, number) in numbers {
            assert_eq!(self::number(cell), Ok(number), "{cell}");
        }
        assert!(number("NaN").is_err() && number("1,2,3.4.5").is_err());
        assert_eq!(day("31.05.2026"), day("2026-05-31"));
        assert!(day("31/05/2026").is_err() && day("99999-01-01").is_err());
        assert_eq!(instant("2026-05-31 09:30"), instant("2026-05-31T09:30:00Z"));
        assert_eq!(instant("2026-05-31"), instant("2026-05-31T00:00:00Z"));
        assert_eq!((flag("Yes"), flag("0")), (Ok(true), Ok(false)));
        assert_eq!(texts("a; b ;a;"), json!(["a", "b"]));
    }

    #[test]
    fn amounts_have_their_currency_in_the_cell_or_in_another() {
        let mut members = Map::new();
        money("amount", "1,234.50 eur", &mut members).unwrap();
        assert_eq!(
            members["amount"],
            json!({ "amount": "1234.50", "currency": "EUR" })
        );
        assert!(money("amount", "much", &mut members).is_err());
    }
}
