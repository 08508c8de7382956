//! Answers of SCIM: resources and lists of them.

use axum::response::{IntoResponse, Response};
use bz_http::etag;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{query::ScimQuery, resource::Record};
use crate::app::AppState;

/// RFC 7644 section 8.1.
pub(super) const MEDIA_TYPE: &str = "application/scim+json";

/// Any document.
pub(super) fn document(status: StatusCode, value: &Value) -> Response {
    let mut response = (status, value.to_string()).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// A resource of one version, with what the query wants of it.
pub(super) fn resource(
    status: StatusCode,
    version: i64,
    mut value: Value,
    query: &ScimQuery,
) -> Response {
    let location = value["meta"]["location"]
        .as_str()
        .map(HeaderValue::from_str);
    query.project(&mut value);
    let mut response = document(status, &value);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag(version));
    if let (StatusCode::CREATED, Some(Ok(location))) = (status, location) {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// One page of a list (RFC 7644 section 3.4.2).
pub(super) fn list(total: i64, start: i64, mut items: Vec<Value>, query: &ScimQuery) -> Response {
    for item in &mut items {
        query.project(item);
    }
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": items.len(),
        "Resources": items,
    });
    document(StatusCode::OK, &list)
}

/// The address of a resource.
pub(super) fn location(app: &AppState, path: &str) -> String {
    format!("{}/scim/v2/{path}", app.core.issuer.trim_end_matches('/'))
}

/// What a resource says of itself.
pub(super) fn meta(app: &AppState, name: &str, id: &str, record: &Record) -> Value {
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({
        "resourceType": name,
        "created": at(record.created_at),
        "lastModified": at(record.updated_at),
        "location": location(app, &format!("{name}s/{id}")),
        "version": format!("\"{}\"", record.version),
    })
}
