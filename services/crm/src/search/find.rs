use std::collections::BTreeMap;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Query, Validate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    SearchRead,
    fragments::Matched,
    narrow::{self, Filters},
    run,
    sent::Sent,
};
use crate::{
    app::AppState,
    records::{RecordType, filter::Filter},
};

/// What a query must be.
const QUERY_LENGTH: &str = "must be 1 to 200 characters, with a letter or a digit";

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// Words, a part of a word, an e-mail address, a domain, the end of a phone number, the id of another system or a
    /// record's own; `"two words"` next to each other, `-word` without it. 1 to 200 characters.
    #[param(max_length = 200)]
    q: String,
    /// Only these types, with commas between them: `lead,company`. All when not given, or those that `filter` names.
    types: Option<String>,
    /// What must hold of the records, by type, as JSON: `{"lead": {"field": "status", "value": "new"}}`. The filters are those
    /// of `POST /api/leads/query` and of the other lists.
    filter: Option<String>,
    /// How to look; `auto` when not given.
    mode: Option<Mode>,
    /// Records a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Whether the records are answered in groups, one a type.
    group: Option<bool>,
}

/// The same as a body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "q": "ada lovelace", "filter": { "lead": { "field": "status", "value": "new" }, "contact": { "all": [] } } }))]
pub(super) struct Search {
    /// What to look for, as the parameter `q`. 1 to 200 characters.
    #[schema(max_length = 200)]
    q: String,
    /// Only these types. All when not given, or those that `filter` names.
    #[serde(default)]
    types: Vec<String>,
    /// What must hold of the records, by type; the filters are those of `POST /api/leads/query` and of the other lists.
    #[serde(default)]
    filter: BTreeMap<String, Filter>,
    /// How to look.
    #[serde(default)]
    mode: Mode,
    /// Records a page, 1 to 100; 20 when not given.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Whether the records are answered in groups, one a type.
    #[serde(default)]
    group: bool,
}

impl Validate for Search {
    fn validate(&self, errors: &mut Errors) {
        if !is_query(&self.q) {
            errors.add("/q", "invalid_length", QUERY_LENGTH);
        }
    }
}

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SearchMode)]
pub(super) enum Mode {
    /// By text, and by meaning too when the text finds little.
    #[default]
    Auto,
    /// By text only.
    Text,
    /// By meaning only.
    Semantic,
    /// Both.
    Hybrid,
}

/// What was found, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchResults {
    /// The records of this page; empty when they are in groups.
    pub items: Vec<Hit>,
    /// The records of this page by type, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Group>>,
    /// Opaque cursor of the next page; `null` when there is none.
    pub next_cursor: Option<String>,
    /// How it was looked: `text`, `semantic` or `hybrid`.
    pub mode_used: Mode,
    /// Whether it should have been looked by meaning, which is not possible right now.
    pub degraded: bool,
}

/// Records of one type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchGroup)]
pub(super) struct Group {
    /// The type: `lead`.
    pub r#type: String,
    /// Its records.
    pub items: Vec<Hit>,
}

/// A record that was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Hit {
    /// Its type: `lead`.
    pub r#type: String,
    /// Its id.
    pub id: Uuid,
    /// Its name or title.
    pub title: String,
    /// What tells it from others of the same name.
    pub subtitle: Option<String>,
    /// How well it fits, to compare with others of the same answer.
    pub score: f64,
    /// Where it was found; empty when it was found by meaning or with typing errors.
    pub matched: Vec<Matched>,
}

/// A search that was checked.
pub(super) struct Wanted {
    pub q: String,
    pub types: Vec<&'static RecordType>,
    pub filters: Filters,
    pub sent: Sent,
    pub mode: Mode,
    pub limit: u16,
    pub cursor: Option<String>,
    pub group: bool,
}

/// Search in all records.
#[utoipa::path(
    get, path = "/api/search", tag = "search",
    security(("bearer" = ["search:read"])),
    params(SearchQuery),
    responses((status = 200, description = "What was found", body = SearchResults), bz_http::openapi::ListProblems),
)]
pub(super) async fn search_records(
    State(app): State<AppState>,
    caller: Can<SearchRead>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchResults>, Problem> {
    check_query(&query.q)?;
    let names = split(query.types.as_deref());
    let (types, filters) = narrow::scope(Sent::Query, &names, read(query.filter.as_deref())?)?;
    let wanted = Wanted {
        types,
        filters,
        sent: Sent::Query,
        q: query.q,
        mode: query.mode.unwrap_or_default(),
        limit: check_limit(query.limit.unwrap_or(20))?,
        cursor: query.cursor,
        group: query.group.unwrap_or(false),
    };
    run::run(&app, &caller, wanted).await.map(Json)
}

/// Search in all records, with a body, for queries that should not stand in logs of addresses.
#[utoipa::path(
    post, path = "/api/search", tag = "search",
    security(("bearer" = ["search:read"])),
    request_body = Search,
    responses((status = 200, description = "What was found", body = SearchResults), bz_http::openapi::WriteProblems),
)]
pub(super) async fn post_search(
    State(app): State<AppState>,
    caller: Can<SearchRead>,
    Json(search): Json<Search>,
) -> Result<Json<SearchResults>, Problem> {
    let (types, filters) = narrow::scope(Sent::Body, &search.types, search.filter)?;
    let wanted = Wanted {
        types,
        filters,
        sent: Sent::Body,
        q: search.q,
        mode: search.mode,
        limit: check_limit(search.limit.unwrap_or(20))?,
        cursor: search.cursor,
        group: search.group,
    };
    run::run(&app, &caller, wanted).await.map(Json)
}

/// The parts of a list with commas.
pub(super) fn split(list: Option<&str>) -> Vec<String> {
    let parts = list.unwrap_or_default().split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The filters of a query string.
fn read(filter: Option<&str>) -> Result<BTreeMap<String, Filter>, Problem> {
    let text = "must be JSON with a filter for each type: {\"lead\": {\"field\": \"status\", \"value\": \"new\"}}";
    let read = filter.map(serde_json::from_str).transpose();
    let wrong = |_| Problem::invalid_parameter("filter", "invalid_value", text);
    read.map_err(wrong).map(Option::unwrap_or_default)
}

fn is_query(text: &str) -> bool {
    text.chars().count() <= 200 && text.chars().any(char::is_alphanumeric)
}

pub(super) fn check_query(text: &str) -> Result<(), Problem> {
    if is_query(text) {
        return Ok(());
    }
    Err(Problem::invalid_parameter(
        "q",
        "invalid_length",
        QUERY_LENGTH,
    ))
}

pub(super) fn check_limit(limit: u16) -> Result<u16, Problem> {
    if (1..=100).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::invalid_parameter(
        "limit",
        "out_of_range",
        "must be 1 to 100",
    ))
}
