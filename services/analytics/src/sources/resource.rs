//! Data sources as a resource: what clients write and see of them.

use std::collections::BTreeMap;

use bz_http::{Errors, Patch, Validate};
use bz_kernel::UserId;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::Reading;
use crate::catalogue::Catalogue;

const LONGEST_NAME: usize = 200;
const MOST_HEADERS: usize = 20;
const LONGEST_HEADER: usize = 8_192;

bz_kernel::typed_id!(
    /// Where numbers come from.
    DataSourceId
);

/// How tables of a source get here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    /// Somebody brings files: `POST /api/analytics/imports`.
    Upload,
    /// An address is asked for them.
    Http,
}

impl SourceKind {
    /// As text, as in JSON and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Http => "http",
        }
    }
}

/// Which address is asked, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://example.com/ads.csv?from={from}&to={to}", "every_minutes": 1440 }))]
pub(crate) struct Pull {
    /// The address, with https. `{from}` and `{to}` become the first and the last day that is asked for.
    #[schema(max_length = 2048)]
    pub url: String,
    /// Of JSON: where in the answer the list of objects is (JSON pointer), as `/data/rows`.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub items: Option<String>,
    /// How often it is asked by itself, 15 to 44,640 minutes; never when not given.
    #[serde(default)]
    #[schema(minimum = 15, maximum = 44_640)]
    pub every_minutes: Option<u32>,
    /// How many days before the last one are asked for again, 0 to 90: platforms restate them. 3 when not given.
    #[serde(default = "three")]
    #[schema(minimum = 0, maximum = 90)]
    pub restate_days: u16,
    /// The first day that is asked for; 30 days ago when not given.
    #[serde(default)]
    pub start: Option<NaiveDate>,
}

const fn three() -> u16 {
    3
}

/// Where numbers come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DataSource {
    /// Its id.
    pub id: DataSourceId,
    /// Its name.
    pub name: String,
    /// How its tables get here.
    pub kind: SourceKind,
    /// The dataset that they go to.
    pub dataset: String,
    /// How they are read.
    pub reading: Reading,
    /// Which address is asked.
    pub pull: Option<Pull>,
    /// The names of the headers that are sent along. What they hold is not shown.
    pub header_names: Vec<String>,
    /// Whether it is asked by itself.
    pub enabled: bool,
    /// The last day that was asked for with success.
    pub cursor: Option<NaiveDate>,
    /// When it is asked next.
    pub next_sync_at: Option<DateTime<Utc>>,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A source to set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Shop", "kind": "upload", "dataset": "orders", "reading": { "currency": "GBP" } }))]
pub(crate) struct CreateDataSource {
    /// Its name, which no other source has, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// How its tables get here.
    pub kind: SourceKind,
    /// The dataset that they go to, as `google-ads`, `orders` or `deals`.
    #[schema(max_length = 100)]
    pub dataset: String,
    /// How they are read.
    #[serde(default)]
    pub reading: Reading,
    /// Which address is asked; needed with `http`.
    #[serde(default)]
    pub pull: Option<Pull>,
    /// Headers that are sent along, as `authorization`; at most 20. They are kept sealed and never shown.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// What is to be changed of a source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchDataSource {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// How its tables are read; replaced as a whole.
    pub reading: Option<Reading>,
    /// Which address is asked; replaced as a whole.
    pub pull: Option<Pull>,
    /// Headers that are sent along; replaced as a whole, `null` for none.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    #[serde(default)]
    pub headers: Patch<BTreeMap<String, String>>,
    /// Whether it is asked by itself.
    pub enabled: Option<bool>,
}

impl Validate for CreateDataSource {
    fn validate(&self, errors: &mut Errors) {
        name(&self.name, errors);
        if Catalogue::builtin().dataset(&self.dataset).is_none() {
            let known = Catalogue::builtin()
                .datasets()
                .iter()
                .map(|dataset| dataset.key.as_str());
            let known: Vec<&str> = known.collect();
            errors.add(
                "/dataset",
                "not_found",
                format!("must be one of {}", known.join(", ")),
            );
        }
        self.reading.validate("/reading", errors);
        match (&self.pull, self.kind) {
            (Some(pull), SourceKind::Http) => pull.validate(errors),
            (None, SourceKind::Http) => errors.add("/pull", "required", "is needed for kind http"),
            (Some(_), SourceKind::Upload) => {
                errors.add("/pull", "not_allowed", "is for kind http only");
            }
            (None, SourceKind::Upload) if !self.headers.is_empty() => {
                errors.add("/headers", "not_allowed", "are for kind http only");
            }
            (None, SourceKind::Upload) => {}
        }
        headers(&self.headers, errors);
    }
}

impl Validate for PatchDataSource {
    fn validate(&self, errors: &mut Errors) {
        if let Some(text) = &self.name {
            name(text, errors);
        }
        if let Some(reading) = &self.reading {
            reading.validate("/reading", errors);
        }
        if let Some(pull) = &self.pull {
            pull.validate(errors);
        }
        if let Patch::Value(map) = &self.headers {
            headers(map, errors);
        }
    }
}

impl Pull {
    fn validate(&self, errors: &mut Errors) {
        if self
            .every_minutes
            .is_some_and(|minutes| !(15..=44_640).contains(&minutes))
        {
            errors.add(
                "/pull/every_minutes",
                "out_of_range",
                "must be 15 to 44,640",
            );
        }
        if self.restate_days > 90 {
            errors.add("/pull/restate_days", "out_of_range", "must be 0 to 90");
        }
        if self
            .items
            .as_deref()
            .is_some_and(|items| !items.starts_with('/') || items.len() > 200)
        {
            errors.add(
                "/pull/items",
                "invalid_value",
                "must be a JSON pointer, as /data/rows",
            );
        }
        if self.url.contains('\0') || self.url.is_empty() {
            errors.add(
                "/pull/url",
                "invalid_value",
                "must be an address, as https://example.com/ads.csv",
            );
        }
    }

    /// The address for these days.
    pub(crate) fn url(&self, from: NaiveDate, to: NaiveDate) -> String {
        self.url
            .replace("{from}", &from.to_string())
            .replace("{to}", &to.to_string())
    }
}

fn name(name: &str, errors: &mut Errors) {
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        errors.add("/name", "invalid_length", "must have 1 to 200 characters");
    }
}

fn headers(headers: &BTreeMap<String, String>, errors: &mut Errors) {
    if headers.len() > MOST_HEADERS {
        errors.add("/headers", "too_many", "must be at most 20");
    }
    for (name, value) in headers {
        let wrong = http::HeaderName::try_from(name.as_str()).is_err()
            || http::HeaderValue::try_from(value.as_str()).is_err()
            || value.len() > LONGEST_HEADER
            || ["host", "content-length", "transfer-encoding", "connection"]
                .contains(&name.to_ascii_lowercase().as_str());
        if wrong {
            errors.add(
                format!("/headers/{name}"),
                "invalid_header",
                "must be a header that a client may set, of at most 8 kB",
            );
        }
    }
}

/// How a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    /// What it needs is being received.
    Preparing,
    /// It waits for its turn.
    Queued,
    /// It is being loaded.
    Running,
    /// It is loaded, as a whole.
    Succeeded,
    /// Nothing of it was loaded: `error`.
    Failed,
}

/// A load of a source: the import of a file, or asking an address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SourceRun {
    /// Its id.
    pub id: Uuid,
    /// The source.
    pub source_id: DataSourceId,
    /// `import` of a file, or `sync` with an address.
    pub kind: String,
    /// How it is doing.
    pub status: RunStatus,
    /// How many rows there are, once that is known.
    pub rows_total: Option<i64>,
    /// How many of them are read.
    pub rows_done: i64,
    /// Why it failed: `code`, `detail`, and `errors` with the first 50 faults of rows.
    #[schema(value_type = Option<Object>)]
    pub error: Option<serde_json::Value>,
    /// Who began it; nobody when its time had come.
    pub created_by: Option<UserId>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When the work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
}
