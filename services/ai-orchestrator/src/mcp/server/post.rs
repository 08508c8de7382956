use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_http::{Json, Problem};
use http::{HeaderMap, StatusCode};
use rmcp::model::{
    ErrorCode, ErrorData, JsonRpcError, JsonRpcResponse, JsonRpcVersion2_0, RequestId,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{call::call, caller::McpCaller, hello, offer};
use crate::{
    app::AppState,
    mcp::message::{Era, Failure, McpAnswer, McpMessage, era},
};

/// The Model Context Protocol: the tools that the caller may use, for any client of the protocol (streamable HTTP).
///
/// Each request is answered by itself, with JSON: there are no sessions and no streams. `tools/list` has the tools that the
/// caller's permissions allow; `tools/call` calls one with the caller's own token. A tool that takes something away answers
/// first with a token and does nothing; a second call with the same arguments and `confirm` does it. `_meta` may have
/// `bizosaas/idempotency-key`, with which a call can be sent again without a second effect. An error of the protocol comes
/// with status 200, or with 400 and 404 where the protocol's version wants that.
#[utoipa::path(
    post, path = "/mcp", tag = "mcp",
    security(("bearer" = ["tools:read"])),
    request_body = McpMessage,
    responses(
        (status = 200, description = "The answer", body = McpAnswer),
        (status = 202, description = "A notification was taken"),
        (status = 404, description = "There is no such method", body = McpAnswer),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn send_mcp_message(
    State(app): State<AppState>,
    caller: McpCaller,
    headers: HeaderMap,
    Json(message): Json<McpMessage>,
) -> Result<Response, Problem> {
    let Some(id) = message.id.clone() else {
        return Ok(StatusCode::ACCEPTED.into_response());
    };
    let era = match era(&headers, &message) {
        Ok(era) => era,
        Err(error) => return Ok(refused(StatusCode::BAD_REQUEST, id, error)),
    };
    match answer(&app, &caller, era, message).await {
        Ok(result) => {
            let answer = JsonRpcResponse {
                jsonrpc: JsonRpcVersion2_0,
                id,
                result: worded(era, result),
            };
            Ok(Json(answer).into_response())
        }
        Err(Failure::Told(error)) => Ok(refused(status(era, error.code), id, error)),
        Err(Failure::Problem(problem)) => Err(problem),
    }
}

/// What a method answers.
async fn answer(
    app: &AppState,
    caller: &McpCaller,
    era: Era,
    message: McpMessage,
) -> Result<Value, Failure> {
    match (message.method.as_str(), era) {
        ("initialize", Era::Handshake) => value(&hello::initialize(&message.params)?),
        ("server/discover", Era::Stateless) => value(&hello::discover()),
        ("ping", _) => Ok(json!({})),
        ("tools/list", _) => value(&offer::list(app, &caller.user, message.params).await?),
        ("tools/call", _) => value(&call(app, caller, message.params).await?),
        (method, _) => {
            let text = format!("there is no method {method:.100}");
            Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, text, None).into())
        }
    }
}

fn value(result: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(result).map_err(|error| Problem::internal(error).into())
}

/// A result as the version of the client has it: older ones know no kinds of results and no caching.
fn worded(era: Era, mut result: Value) -> Value {
    if let Some(members) = result.as_object_mut() {
        match era {
            Era::Handshake => {
                members.retain(|name, _| {
                    !["resultType", "ttlMs", "cacheScope"].contains(&name.as_str())
                });
            }
            Era::Stateless => {
                members
                    .entry("resultType")
                    .or_insert_with(|| json!("complete"));
            }
        }
    }
    result
}

/// The status of an error, which clients without handshake are told by HTTP too.
fn status(era: Era, code: ErrorCode) -> StatusCode {
    if era == Era::Stateless && code == ErrorCode::METHOD_NOT_FOUND {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    }
}

fn refused(status: StatusCode, id: RequestId, error: ErrorData) -> Response {
    (status, Json(JsonRpcError::new(Some(id), error))).into_response()
}
