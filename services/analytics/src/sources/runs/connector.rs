//! Where the tables of a source come from. A connector gives a table in pieces of whole rows; what is done with them is
//! the same for all.

use bytes::Bytes;
use bz_http::{Problem, egress::Egress};
use bz_tabular::{Blanks, Piece, Splitter, Text};
use bz_tenant::{Db, TenantScope};
use chrono::{Days, NaiveDate};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::store;
use crate::sources::{read::Reading, resource::Pull};

/// A table that a connector gave.
pub(crate) struct Pulled {
    /// Its headings, and the character between cells.
    pub header: (Vec<String>, u8),
    /// Its rows.
    pub pieces: Vec<Piece>,
    /// Up to which day the source was asked.
    pub cursor: Option<NaiveDate>,
}

/// Something that can be asked for a table.
pub(crate) trait Connector {
    /// Asks for what there is since the cursor.
    ///
    /// # Errors
    /// A client's problem when asking again will not help; a server's when it may.
    fn pull(
        &self,
        cursor: Option<NaiveDate>,
    ) -> impl Future<Output = Result<Pulled, Problem>> + Send;
}

/// A file that was brought, and lies here in pieces already.
pub(crate) struct Upload<'a> {
    pub db: &'a Db,
    pub scope: &'a TenantScope,
    pub run: Uuid,
}

impl Upload<'_> {
    /// Its `n`th piece. Pieces are read one by one: a file does not have to fit into memory.
    pub(crate) async fn piece(&self, n: i32) -> Result<Option<Piece>, Problem> {
        let mut tx = self.db.read(self.scope).await?;
        Ok(store::piece(&mut tx, self.run, n).await?)
    }
}

/// An address that answers CSV or JSON.
pub(crate) struct HttpPull<'a> {
    pub egress: &'a Egress,
    pub pull: &'a Pull,
    pub reading: &'a Reading,
    pub headers: HeaderMap,
    pub today: NaiveDate,
    /// The most bytes that an answer may have.
    pub most: usize,
}

/// How far back a source is asked the first time.
const FIRST_DAYS: u64 = 30;

impl Connector for HttpPull<'_> {
    async fn pull(&self, cursor: Option<NaiveDate>) -> Result<Pulled, Problem> {
        let url = self.pull.url(self.from(cursor), self.today);
        let answer = self
            .egress
            .send(Method::GET, &url, self.headers.clone(), Bytes::new())
            .await;
        let answer = answer.map_err(|error| refused(error.code(), error.to_string()))?;
        if !answer.status.is_success() {
            return Err(refused(
                "unexpected_status",
                format!("the address answered {}", answer.status),
            ));
        }
        if answer.body.len() >= self.most {
            return Err(refused(
                "answer_too_large",
                "the answer is too large; ask for fewer days or columns".to_owned(),
            ));
        }
        let json = answer
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let json = json.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let (header, pieces) = if json {
            from_json(&answer.body, self.pull.items.as_deref())?
        } else {
            split(self.reading, &answer.body)?
        };
        Ok(Pulled {
            header,
            pieces,
            cursor: Some(self.today),
        })
    }
}

impl HttpPull<'_> {
    /// The first day that is asked for: some days before the last one, since platforms restate them.
    fn from(&self, cursor: Option<NaiveDate>) -> NaiveDate {
        let first = self
            .pull
            .start
            .or_else(|| self.today.checked_sub_days(Days::new(FIRST_DAYS)));
        let again =
            cursor.and_then(|day| day.checked_sub_days(Days::new(self.pull.restate_days.into())));
        again.or(first).unwrap_or(self.today).min(self.today)
    }
}

fn refused(code: &'static str, detail: String) -> Problem {
    Problem::new(
        http::StatusCode::BAD_GATEWAY,
        code,
        "The source could not be read",
    )
    .detail(detail)
}

/// The headers that were sealed.
pub(crate) fn headers(plain: &[u8]) -> Result<HeaderMap, Problem> {
    let named: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(plain).map_err(Problem::internal)?;
    let pair = |(name, value): (String, String)| {
        let name = HeaderName::try_from(name).ok()?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    Ok(named.into_iter().filter_map(pair).collect())
}

type Table = ((Vec<String>, u8), Vec<Piece>);

/// A splitter for the tables of a source.
pub(crate) fn splitter(reading: &Reading) -> Result<(Splitter, Option<Blanks>), Problem> {
    let blanks = reading.delimiter.as_deref() == Some("blanks");
    let delimiter = if blanks {
        Some(Blanks::DELIMITER)
    } else {
        bz_tabular::delimiter(reading.delimiter.as_deref())?
    };
    let splitter = if reading.columns.is_empty() {
        Splitter::new(delimiter)
    } else {
        Splitter::without_heading(delimiter, reading.columns.clone())
    };
    Ok((splitter, blanks.then(Blanks::default)))
}

/// A text as a table.
fn split(reading: &Reading, bytes: &[u8]) -> Result<Table, Problem> {
    let (mut splitter, mut blanks) = splitter(reading)?;
    let (mut text, mut plain) = (Text::new(reading.encoding.as_deref())?, Vec::new());
    text.push(bytes, &mut plain)?;
    text.end(&mut plain)?;
    if let Some(blanks) = &mut blanks {
        plain = blanks.push(&plain);
    }
    splitter.push(&plain)?;
    splitter.end()?;
    let header = splitter
        .header()
        .ok_or_else(|| Problem::invalid("", "no_rows", "has no headings"))?;
    Ok((header, splitter.pieces))
}

/// A list of objects as a table: a column for each member; what is in objects within them is `outer.inner`.
fn from_json(bytes: &[u8], items: Option<&str>) -> Result<Table, Problem> {
    let not_json = |_| {
        Problem::invalid(
            "",
            "not_json",
            "is no JSON, though its content type says so",
        )
    };
    let document: Value = serde_json::from_slice(bytes).map_err(not_json)?;
    let list = items.map_or(Some(&document), |pointer| document.pointer(pointer));
    let list = list.and_then(Value::as_array).ok_or_else(|| {
        Problem::invalid(
            "",
            "no_list",
            "has no list of objects there; say in pull.items where it is, as /data/rows",
        )
    })?;
    let mut header: Vec<String> = Vec::new();
    let mut rows = Vec::with_capacity(list.len());
    for item in list {
        let mut flat = Map::new();
        flatten("", item, &mut flat);
        let new = flat
            .keys()
            .filter(|name| !header.contains(name))
            .cloned()
            .collect::<Vec<_>>();
        header.extend(new);
        rows.push(flat);
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(&header).map_err(Problem::internal)?;
    for row in &rows {
        let cells = header
            .iter()
            .map(|name| row.get(name).map_or_else(String::new, cell));
        csv.write_record(cells).map_err(Problem::internal)?;
    }
    let text = csv
        .into_inner()
        .map_err(|error| Problem::internal(error.to_string()))?;
    let reading = Reading {
        delimiter: Some(",".into()),
        ..Reading::default()
    };
    split(&reading, &text)
}

fn flatten(before: &str, value: &Value, out: &mut Map<String, Value>) {
    let Value::Object(members) = value else {
        out.insert(
            if before.is_empty() {
                "value".into()
            } else {
                before.into()
            },
            value.clone(),
        );
        return;
    };
    for (name, value) in members {
        let name = if before.is_empty() {
            name.clone()
        } else {
            format!("{before}.{name}")
        };
        flatten(&name, value, out);
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_a_table_with_a_column_for_each_member() {
        let json = br#"{"data": {"rows": [
            {"date": "2026-03-01", "metrics": {"clicks": 3, "cost": 1.25}},
            {"date": "2026-03-02", "campaign": "a, b", "metrics": {"clicks": null}}]}}"#;
        let ((header, delimiter), pieces) = from_json(json, Some("/data/rows")).unwrap();
        assert_eq!(
            header,
            ["date", "metrics.clicks", "metrics.cost", "campaign"]
        );
        let rows = bz_tabular::cells(&pieces[0].content, delimiter);
        let rows: Vec<Vec<String>> = rows
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            rows,
            [
                ["2026-03-01", "3", "1.25", ""],
                ["2026-03-02", "", "", "a, b"]
            ]
        );
        assert!(from_json(json, None).is_err());
        assert!(from_json(b"<html>", None).is_err());
    }
}
