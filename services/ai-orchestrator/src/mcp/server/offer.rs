//! The tools that a caller is offered: those that their permissions allow.

use std::sync::Arc;

use bz_auth::Caller;
use rmcp::model::{
    CacheScope, ErrorData, JsonObject, ListToolsResult, PaginatedRequestParams, ResultType, Tool,
    ToolAnnotations,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::confirm::{ARGUMENT, LIFETIME_MINUTES};
use crate::{
    app::AppState,
    mcp::message::{Failure, read},
    runs::RunsWrite,
    tools::{self, Effect, Method, Target, ToolSpec, Usable, builtin},
};

/// Tools a page.
const PAGE: usize = 50;
/// How the list is named in cursors.
const LIST: &str = "mcp-tools";

/// Behind which tool a page begins.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    /// How many of the built-in ones were passed.
    built_in: usize,
    /// The last of the tenant's own that was passed.
    name: String,
}

/// One page of what the caller may use: the built-in tools, then the tenant's own by name.
pub(super) async fn list(
    app: &AppState,
    caller: &Caller,
    params: JsonObject,
) -> Result<ListToolsResult, Failure> {
    let wanted: PaginatedRequestParams = read(Value::Object(params))?;
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let from: Position = match &wanted.cursor {
        None => Position::default(),
        Some(cursor) => cursors
            .open(tenant, LIST, cursor)
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?,
    };
    let passed = builtin().iter().enumerate().skip(from.built_in);
    let usable = passed.filter(|(_, tool)| may_use(caller, tool));
    let mut found: Vec<(Position, Tool)> = usable
        .take(PAGE + 1)
        .map(|(n, tool)| (position(n + 1, ""), offered(tool)))
        .collect();
    if found.len() <= PAGE {
        for tool in own(app, caller, &from.name).await? {
            let position = position(builtin().len(), &tool.name);
            found.push((position, offered(&tool)));
        }
    }
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|(position, _)| cursors.seal(tenant, LIST, position));
    Ok(ListToolsResult {
        result_type: Some(ResultType::COMPLETE),
        meta: None,
        next_cursor,
        // What a caller may do, and what a tenant has, can change at any time.
        ttl_ms: Some(0),
        cache_scope: Some(CacheScope::Private),
        tools: found.into_iter().map(|(_, tool)| tool).collect(),
    })
}

/// The tenant's own tools behind a name that the caller may use and this installation can.
async fn own(app: &AppState, caller: &Caller, after: &str) -> Result<Vec<ToolSpec>, Failure> {
    if !caller.permissions.has::<RunsWrite>() {
        return Ok(Vec::new());
    }
    let mut tx = app.core.db.read(&caller.scope).await?;
    let own = tools::own_behind(&mut tx, after).await?;
    let fits = |tool: &ToolSpec| app.toolbox.has(&tool.call) && confirmable(tool);
    Ok(own.into_iter().filter(fits).collect())
}

/// The tool of a name, if the caller is offered it.
pub(super) async fn find(
    app: &AppState,
    caller: &Caller,
    name: &str,
) -> Result<Option<Usable>, Failure> {
    let named = |tool: &&ToolSpec| tool.name == name || tool.wire_name() == name;
    if let Some(tool) = builtin().iter().find(named) {
        let usable = Usable {
            spec: tool.clone(),
            sealed: None,
        };
        return Ok(Some(usable).filter(|usable| may_use(caller, &usable.spec)));
    }
    if !caller.permissions.has::<RunsWrite>() {
        return Ok(None);
    }
    let mut tx = app.core.db.read(&caller.scope).await?;
    let named = tools::own_named(&mut tx, name).await?;
    Ok(named.filter(|usable| app.toolbox.has(&usable.spec.call) && confirmable(&usable.spec)))
}

/// A built-in tool wants its own permission. A tenant's own tools, which use secrets of the tenant, want the one to have
/// agents use them.
fn may_use(caller: &Caller, tool: &ToolSpec) -> bool {
    let needed = tool.permission.as_deref();
    // What belongs to an agent's memory is nothing to a client without one.
    !matches!(tool.call, Target::Here { operation } if operation.is_of_agent())
        && needed.is_none_or(|needed| caller.permissions.allow(needed))
}

/// Whether there is room for the token among its arguments.
fn confirmable(tool: &ToolSpec) -> bool {
    tool.effect != Effect::Destructive || tool.parameters["properties"][ARGUMENT].is_null()
}

fn position(built_in: usize, name: &str) -> Position {
    Position {
        built_in,
        name: name.to_owned(),
    }
}

/// The tool as the protocol describes it.
fn offered(tool: &ToolSpec) -> Tool {
    let reads = tool.effect == Effect::Read;
    let hints = ToolAnnotations::with_title(&tool.title)
        .read_only(reads)
        .destructive(tool.effect == Effect::Destructive)
        .idempotent(reads || repeatable(tool))
        .open_world(!matches!(
            tool.call,
            Target::Sibling { .. } | Target::Here { .. }
        ));
    Tool::new(tool.wire_name(), tool.description.clone(), schema(tool))
        .with_title(&tool.title)
        .with_annotations(hints)
}

/// Whether a second call with the same arguments does nothing more. What makes something makes another one.
fn repeatable(tool: &ToolSpec) -> bool {
    match &tool.call {
        Target::Sibling { method, .. } | Target::Http { method, .. } => {
            tool.idempotent && *method != Method::Post
        }
        Target::Here { .. } => tool.idempotent,
        Target::N8n { .. } | Target::Crewai {} | Target::Mcp { .. } => false,
    }
}

/// The schema of the arguments, which the protocol wants to be one of an object.
fn schema(tool: &ToolSpec) -> Arc<JsonObject> {
    let mut schema = tool.parameters.as_object().cloned().unwrap_or_default();
    schema.insert("type".to_owned(), json!("object"));
    if tool.effect == Effect::Destructive {
        let properties = schema.entry("properties").or_insert_with(|| json!({}));
        properties[ARGUMENT] = json!({
            "type": "string",
            "description": format!(
                "the token that a call without it answers; good once, for the same arguments, within {LIFETIME_MINUTES} minutes"
            ),
        });
    }
    Arc::new(schema)
}
