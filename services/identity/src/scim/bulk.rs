//! Several operations in one request (RFC 7644 section 3.7). Each is done as if it had come alone, in a transaction of its own
//! and by the same handler; what fails leaves the others as they are.

use std::collections::{BTreeMap, VecDeque};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request, State},
    response::Response,
};
use bz_auth::Can;
use bz_http::Problem;
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::{
    BODY_LIMIT, ScimManage,
    answer::{self, MEDIA_TYPE},
    body::{ScimBody, member},
    error::bad_request,
};
use crate::app::AppState;

/// The most operations in one request.
pub(super) const MOST_OPERATIONS: usize = 100;
const RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// How a resource is named that an operation of the same request makes.
const REFERENCE: &str = "bulkId:";

/// An operation that was asked for.
struct Operation {
    method: Method,
    bulk_id: Option<String>,
    path: String,
    version: Option<String>,
    data: Option<Value>,
}

/// `POST /scim/v2/Bulk`.
pub(super) async fn bulk(
    State(app): State<AppState>,
    _: Can<ScimManage>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let ScimBody(members) = ScimBody::from_request(request, &()).await?;
    let operations = operations(&members)?;
    let most_errors = match member(&members, "failOnErrors").map(Value::as_u64) {
        None => u64::MAX,
        Some(Some(most)) if most > 0 => most,
        Some(_) => {
            return Err(bad_request(
                "invalidValue",
                "failOnErrors must be a number from 1.",
            ));
        }
    };
    let mut run = Run {
        app,
        parts,
        made: BTreeMap::new(),
        errors: 0,
    };
    let results = run.all(operations, most_errors).await?;
    let answer = json!({ "schemas": [RESPONSE_SCHEMA], "Operations": results });
    Ok(answer::document(StatusCode::OK, &answer))
}

fn operations(members: &Map<String, Value>) -> Result<Vec<Operation>, Problem> {
    let Some(all) = member(members, "Operations").and_then(Value::as_array) else {
        return Err(bad_request("invalidSyntax", "Operations must be a list."));
    };
    if all.len() > MOST_OPERATIONS {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Problem::new(status, "tooMany", "Too many operations")
            .detail("There may be 100 operations at most."));
    }
    all.iter().map(Operation::read).collect()
}

impl Operation {
    fn read(value: &Value) -> Result<Self, Problem> {
        let wrong = |detail: &str| bad_request("invalidSyntax", detail);
        let members = value
            .as_object()
            .ok_or_else(|| wrong("An operation must be an object."))?;
        let text = |name| {
            member(members, name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let method = match text("method")
            .unwrap_or_default()
            .to_ascii_uppercase()
            .as_str()
        {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => return Err(wrong("method must be POST, PUT, PATCH or DELETE.")),
        };
        let path = text("path").unwrap_or_default();
        let is_resource = path.starts_with("/Users") || path.starts_with("/Groups");
        let is_plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/-_.:".contains(&b));
        if !is_resource || !is_plain {
            return Err(wrong(
                "path must be that of a user, a group, or all of them.",
            ));
        }
        let bulk_id = text("bulkId");
        if method == Method::POST && bulk_id.is_none() {
            return Err(wrong("A POST needs a bulkId."));
        }
        Ok(Self {
            method,
            bulk_id,
            path,
            version: text("version"),
            data: member(members, "data").cloned(),
        })
    }
}

struct Run {
    app: AppState,
    /// Of the whole request: whose it is, and where it comes from.
    parts: Parts,
    /// The ids of what was made, by the names that the request gives them.
    made: BTreeMap<String, String>,
    errors: u64,
}

impl Run {
    /// Does all operations, those that name others' results after those. Stops after so many errors.
    async fn all(&mut self, all: Vec<Operation>, most_errors: u64) -> Result<Vec<Value>, Problem> {
        let mut waiting: VecDeque<(usize, Operation)> = all.into_iter().enumerate().collect();
        let mut results = BTreeMap::new();
        let mut put_off = 0;
        while let Some((at, operation)) = waiting.pop_front() {
            let resolved = self.resolved(&operation);
            if resolved.is_none() && put_off < waiting.len() {
                put_off += 1;
                waiting.push_back((at, operation));
                continue;
            }
            put_off = 0;
            let result = match resolved {
                Some((path, data)) => self.one(&operation, &path, data).await?,
                None => self.unresolved(&operation),
            };
            results.insert(at, result);
            if self.errors >= most_errors {
                break;
            }
        }
        Ok(results.into_values().collect())
    }

    /// Path and data with ids in the places of names; `None` while one is not known.
    fn resolved(&self, operation: &Operation) -> Option<(String, Option<Value>)> {
        let path = match operation.path.split_once(REFERENCE) {
            None => operation.path.clone(),
            Some((before, name)) => format!("{before}{}", self.made.get(name)?),
        };
        let mut data = operation.data.clone();
        if let Some(data) = &mut data {
            self.resolve(data)?;
        }
        Some((path, data))
    }

    fn resolve(&self, value: &mut Value) -> Option<()> {
        match value {
            Value::String(text) => {
                if let Some(name) = text.strip_prefix(REFERENCE) {
                    *text = self.made.get(name)?.clone();
                }
                Some(())
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.resolve(item)),
            Value::Object(members) => members
                .values_mut()
                .try_for_each(|value| self.resolve(value)),
            _ => Some(()),
        }
    }

    fn unresolved(&mut self, operation: &Operation) -> Value {
        self.errors += 1;
        let detail = "It names a bulkId that no operation of the request has made.";
        let response = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "409", "detail": detail,
        });
        operation.result(409, None, None, Some(response))
    }

    async fn one(
        &mut self,
        operation: &Operation,
        path: &str,
        data: Option<Value>,
    ) -> Result<Value, Problem> {
        let request = self.request(operation, path, data)?;
        let routes = super::routes().with_state(self.app.clone());
        let Ok(response) = routes.oneshot(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), BODY_LIMIT)
            .await
            .unwrap_or_default();
        let body: Option<Value> = serde_json::from_slice(&body).ok();
        let is_error = !status.is_success();
        self.errors += u64::from(is_error);
        let id = body.as_ref().and_then(|body| body["id"].as_str());
        if let (Some(name), Some(id), false) = (&operation.bulk_id, id, is_error) {
            self.made.insert(name.clone(), id.to_owned());
        }
        let own = || Some(answer::location(&self.app, path.trim_start_matches('/')));
        let location = match headers
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok())
        {
            Some(location) => Some(location.to_owned()),
            None if operation.method == Method::POST => None,
            None => own(),
        };
        let version = headers
            .get(header::ETAG)
            .and_then(|value| value.to_str().ok());
        let response = body.filter(|_| is_error);
        Ok(operation.result(status.as_u16(), location, version, response))
    }

    fn request(
        &self,
        operation: &Operation,
        path: &str,
        data: Option<Value>,
    ) -> Result<Request, Problem> {
        let body = data.map_or_else(Body::empty, |data| Body::from(data.to_string()));
        let mut request = Request::new(body);
        *request.method_mut() = operation.method.clone();
        let uri = format!("/scim/v2{path}").parse();
        *request.uri_mut() =
            uri.map_err(|_| bad_request("invalidPath", "The path cannot be read."))?;
        *request.extensions_mut() = self.parts.extensions.clone();
        let headers = request.headers_mut();
        *headers = self.parts.headers.clone();
        for name in [
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::IF_MATCH,
        ] {
            headers.remove(name);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(version) = &operation.version {
            let version = HeaderValue::from_str(version);
            let version =
                version.map_err(|_| bad_request("invalidValue", "version is no ETag."))?;
            headers.insert(header::IF_MATCH, version);
        }
        Ok(request)
    }
}

impl Operation {
    fn result(
        &self,
        status: u16,
        location: Option<String>,
        version: Option<&str>,
        response: Option<Value>,
    ) -> Value {
        let mut result = json!({ "method": self.method.as_str(), "status": status.to_string() });
        let parts = [
            ("bulkId", self.bulk_id.clone().map(Value::from)),
            ("location", location.map(Value::from)),
            ("version", version.map(Value::from)),
            ("response", response),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                result[name] = value;
            }
        }
        result
    }
}
