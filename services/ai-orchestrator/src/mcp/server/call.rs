//! Calling a tool for a client.

use std::time::Duration;

use aws_lc_rs::digest;
use bz_auth::Caller;
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, ErrorData, JsonObject};
use serde_json::Value;
use uuid::Uuid;

use super::{
    caller::McpCaller,
    confirm::{self, ARGUMENT, LIFETIME_MINUTES},
    offer,
};
use crate::{
    app::AppState,
    mcp::message::{Failure, IDEMPOTENCY_KEY, read},
    tools::{self, Effect, Invocation, ToolError, ToolSpec, Usable},
};

/// What a request has left, once the tool's time is over, to say so.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// Calls the tool. What goes wrong with it is a result, so that the client's model reads it and can do better; what is wrong
/// with the message is an error.
pub(super) async fn call(
    app: &AppState,
    caller: &McpCaller,
    params: JsonObject,
) -> Result<CallToolResult, Failure> {
    let mut wanted: CallToolRequestParams = read(Value::Object(params))?;
    let user = &caller.user;
    let key = key(app, user, &wanted)?;
    let Some(usable) = offer::find(app, user, &wanted.name).await? else {
        let text = format!("Unknown tool: {:.100}", wanted.name);
        return Err(ErrorData::invalid_params(text, None).into());
    };
    let mut arguments = wanted.arguments.take().unwrap_or_default();
    let destructive = usable.spec.effect == Effect::Destructive;
    let token = destructive
        .then(|| arguments.remove(ARGUMENT))
        .flatten()
        .unwrap_or_default();
    let arguments = Value::Object(arguments);
    if let Some(faults) = faults(&usable.spec, &arguments) {
        return Ok(told_wrong(faults));
    }
    if destructive
        && let Some(question) = unconfirmed(app, user, &usable.spec, &arguments, &token).await?
    {
        return Ok(told_wrong(question));
    }
    send(app, caller, &usable, &arguments, &key).await
}

/// By which the other side tells a repeat: the client's own key, of this user and tool; otherwise a new one, since two equal
/// calls may be meant as two.
fn key(
    app: &AppState,
    caller: &Caller,
    wanted: &CallToolRequestParams,
) -> Result<String, ErrorData> {
    let given = wanted
        .meta
        .as_ref()
        .and_then(|meta| meta.get(IDEMPOTENCY_KEY));
    let Some(given) = given else {
        return Ok(format!("mcp-{}", app.core.sources.id::<Uuid>()));
    };
    let fits = |key: &&str| (1..=255).contains(&key.len()) && !key.contains('\0');
    let Some(given) = given.as_str().filter(fits) else {
        let text = format!("_meta[{IDEMPOTENCY_KEY:?}] must be a text of 1 to 255 bytes");
        return Err(ErrorData::invalid_params(text, None));
    };
    let of = format!("{}\n{}\n{given}", caller.user.as_uuid(), wanted.name);
    let hash = digest::digest(&digest::SHA256, of.as_bytes());
    Ok(format!("mcp-{}", hex::encode(hash.as_ref())))
}

fn faults(tool: &ToolSpec, arguments: &Value) -> Option<String> {
    let faults = tool.faults(arguments).into_iter();
    let faults: Vec<String> = faults
        .map(|(at, fault)| format!("{at} {fault}").trim().to_owned())
        .collect();
    (!faults.is_empty()).then(|| format!("The arguments do not fit: {}", faults.join("; ")))
}

/// What the client is asked, unless its token is good for the call.
async fn unconfirmed(
    app: &AppState,
    caller: &Caller,
    tool: &ToolSpec,
    arguments: &Value,
    token: &Value,
) -> Result<Option<String>, Failure> {
    if let Some(token) = token.as_str()
        && confirm::redeem(app, caller, &tool.name, arguments, token).await?
    {
        return Ok(None);
    }
    let before = if token.is_null() {
        ""
    } else {
        "This token is not, or no longer, good for these arguments. "
    };
    let token = confirm::ask(app, caller, &tool.name, arguments).await?;
    Ok(Some(format!(
        "{before}Nothing was done yet. {} Arguments: {arguments}. Show this to the user. Only if the user agrees, call \
         {} again with the same arguments and \"{ARGUMENT}\": \"{token}\", within {LIFETIME_MINUTES} minutes.",
        tool.description,
        tool.wire_name(),
    )))
}

async fn send(
    app: &AppState,
    caller: &McpCaller,
    usable: &Usable,
    arguments: &Value,
    key: &str,
) -> Result<CallToolResult, Failure> {
    let tool = &usable.spec;
    let patience = Duration::from_secs(tool.timeout_seconds.into());
    bz_http::context::extend_deadline(patience + ANSWER_MARGIN);
    let invocation = Invocation {
        tool,
        arguments,
        token: Some(caller.user.token()),
        caller: Some(&caller.user),
        agent: None,
        key,
        headers: usable.headers(&app.tool_secrets),
    };
    match tools::invoke(app, invocation).await {
        Ok(value) => Ok(told(value)),
        Err(ToolError::Unauthorized) => Err(caller.expired().into()),
        Err(ToolError::Refused { message, .. }) => Ok(told_wrong(message)),
        Err(ToolError::Unavailable { sent, message }) => {
            let then = match (sent, tool.effect) {
                (_, Effect::Read) => "Try again later.",
                (false, _) => "Nothing was done. Try again later.",
                (true, _) => "It is not known whether it was done: look before you do it again.",
            };
            Ok(told_wrong(format!("{message}. {then}")))
        }
    }
}

/// A result as text, and as data where it is an object, which all versions of the protocol take.
fn told(value: Value) -> CallToolResult {
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(value).filter(Value::is_object);
    result
}

fn told_wrong(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}
