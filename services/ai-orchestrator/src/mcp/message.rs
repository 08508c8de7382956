//! What client and server say to each other, and in which of the protocol's two forms a client speaks.

use bz_http::{Errors, Problem, Validate};
use bz_tenant::DbError;
use http::HeaderMap;
use rmcp::model::{ErrorData, JsonObject, ProtocolVersion, RequestId};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

/// The versions that are spoken here, oldest first.
pub(super) const VERSIONS: [ProtocolVersion; 4] = [
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// The header with the version that both agreed on.
pub(super) const VERSION_HEADER: &str = "mcp-protocol-version";
/// The header by which a server knows the session.
pub(super) const SESSION_HEADER: &str = "mcp-session-id";
/// The key of `_meta` by which a call is made repeatable.
pub(super) const IDEMPOTENCY_KEY: &str = "bizosaas/idempotency-key";
const METHOD_HEADER: &str = "mcp-method";
const NAME_HEADER: &str = "mcp-name";
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// A message of JSON-RPC 2.0: a request, or a notification, which has no `id`.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct McpMessage {
    /// Always `2.0`.
    #[schema(example = "2.0")]
    jsonrpc: String,
    /// By which the answer is known: a text or a number.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<McpId>, example = 1)]
    pub id: Option<RequestId>,
    /// `initialize`, `server/discover`, `ping`, `tools/list`, `tools/call`, or the name of a notification.
    #[schema(example = "ping")]
    pub method: String,
    /// What the method wants.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub params: JsonObject,
}

/// The id of a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the library's type")]
pub(super) enum McpId {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The answer to a request (JSON-RPC 2.0): `result` or `error`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct McpAnswer {
    /// Always `2.0`.
    jsonrpc: String,
    /// That of the request.
    id: McpId,
    /// What the method answers.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Why it answers nothing: `code` and `message`.
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
}

/// An id that is there is no `null`.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RequestId>, D::Error> {
    RequestId::deserialize(from).map(Some)
}

impl Validate for McpMessage {
    fn validate(&self, errors: &mut Errors) {
        if self.jsonrpc != "2.0" {
            errors.add("/jsonrpc", "invalid_value", "must be 2.0");
        }
    }
}

impl McpMessage {
    fn meta(&self, key: &str) -> Option<&Value> {
        self.params.get("_meta")?.get(key)
    }
}

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client is told by the protocol.
    Told(ErrorData),
    /// The client is told by HTTP.
    Problem(Problem),
}

impl From<ErrorData> for Failure {
    fn from(error: ErrorData) -> Self {
        Self::Told(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Problem(error.into())
    }
}

/// The two forms of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// A client and a server agree on a version first.
    Handshake,
    /// Every request says by itself what it is.
    Stateless,
}

/// In which form the client speaks.
///
/// # Errors
/// When the message and its headers do not go together; the answer is 400 then.
pub(super) fn era(headers: &HeaderMap, message: &McpMessage) -> Result<Era, ErrorData> {
    if message.method == "initialize" {
        return Ok(Era::Handshake);
    }
    let told = only(headers, VERSION_HEADER)?;
    let within = message.meta(VERSION_KEY);
    if within.is_some_and(|version| version.as_str() != told) {
        return Err(mismatch(VERSION_HEADER));
    }
    let Some(told) = told else {
        return Ok(Era::Handshake);
    };
    let Some(version) = VERSIONS.iter().find(|version| version.as_str() == told) else {
        let asked: ProtocolVersion = read(Value::from(told))?;
        return Err(ErrorData::unsupported_protocol_version(asked, &VERSIONS));
    };
    if version.has_initialize() {
        return Ok(Era::Handshake);
    }
    for key in [VERSION_KEY, CAPABILITIES_KEY] {
        if message.meta(key).is_none() {
            let text = format!("params._meta must have {key}");
            return Err(ErrorData::invalid_params(text, None));
        }
    }
    if only(headers, METHOD_HEADER)? != Some(message.method.as_str()) {
        return Err(mismatch(METHOD_HEADER));
    }
    let name = message.params.get("name").and_then(Value::as_str);
    if message.method == "tools/call" && only(headers, NAME_HEADER)? != name {
        return Err(mismatch(NAME_HEADER));
    }
    Ok(Era::Stateless)
}

/// A header that stands there once at most: others who read the second one would see another request.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ErrorData> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match (first.map(|value| value.to_str()), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(mismatch(name)),
    }
}

fn mismatch(header: &str) -> ErrorData {
    let text = format!("the header {header} does not say what the message says");
    ErrorData::header_mismatch(text, None)
}

/// Reads what a method wants.
///
/// # Errors
/// `invalid_params`, with what does not fit.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::invalid_params(format!("params do not fit: {error}"), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rmcp::model::ErrorCode;
    use serde_json::json;

    fn told(headers: &[(&'static str, &'static str)], message: Value) -> Result<Era, i32> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let message: McpMessage = serde_json::from_value(message).unwrap();
        era(&map, &message).map_err(|error| error.code.0)
    }

    fn list(meta: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta } })
    }

    #[test]
    fn the_form_follows_from_version_and_method_and_contradictions_are_refused() {
        const NEW: (&str, &str) = (VERSION_HEADER, "2026-07-28");
        const LIST: (&str, &str) = (METHOD_HEADER, "tools/list");
        let whole = json!({ VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {} });
        let mismatch = Err(ErrorCode::HEADER_MISMATCH.0);
        for (headers, message, expected) in [
            (&[][..], list(&json!({})), Ok(Era::Handshake)),
            (
                &[(VERSION_HEADER, "2025-06-18")],
                list(&json!({})),
                Ok(Era::Handshake),
            ),
            (&[NEW, LIST], list(&whole), Ok(Era::Stateless)),
            (&[NEW], list(&whole), mismatch),
            (&[NEW, (METHOD_HEADER, "ping")], list(&whole), mismatch),
            (&[NEW, NEW, LIST], list(&whole), mismatch),
            (&[], list(&whole), mismatch),
            (&[(VERSION_HEADER, "2025-06-18")], list(&whole), mismatch),
            (
                &[NEW, LIST],
                list(&json!({})),
                Err(ErrorCode::INVALID_PARAMS.0),
            ),
            (
                &[(VERSION_HEADER, "1999-01-01")],
                list(&json!({})),
                Err(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION.0),
            ),
        ] {
            assert_eq!(told(headers, message), expected, "{headers:?}");
        }
        let mut call = list(&whole);
        call["method"] = json!("tools/call");
        call["params"]["name"] = json!("fetch");
        let call_header = (METHOD_HEADER, "tools/call");
        assert_eq!(told(&[NEW, call_header], call.clone()), mismatch);
        let named = &[NEW, call_header, (NAME_HEADER, "fetch")];
        assert_eq!(told(named, call), Ok(Era::Stateless));
    }

    #[test]
    fn an_id_is_a_text_or_a_number_and_a_message_without_one_is_a_notification() {
        let read = |id: Value| {
            serde_json::from_value::<McpMessage>(
                json!({ "jsonrpc": "2.0", "id": id, "method": "x" }),
            )
        };
        assert!(read(json!("a")).unwrap().id.is_some() && read(json!(7)).unwrap().id.is_some());
        assert!(read(json!(null)).is_err() && read(json!({})).is_err());
        let none = json!({ "jsonrpc": "2.0", "method": "x" });
        assert!(
            serde_json::from_value::<McpMessage>(none)
                .unwrap()
                .id
                .is_none()
        );
    }
}
