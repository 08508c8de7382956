//! Servers of the Model Context Protocol that a tenant names: a scripted one, and what the tests do with servers.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::{
    play::World,
    provider::{Act, Provider, Seen},
};

/// The service allowed to call servers of this machine, beside a model.
pub(crate) async fn world(model: &Provider) -> World {
    let crm = crate::ledger::Ledger::start().await;
    let app = crm.of(model.app()).env("EGRESS_ALLOW", "127.0.0.1");
    let mut app = app.start().await;
    app.start_jobs();
    World { app, crm }
}

/// The service allowed to call servers of this machine.
pub(crate) async fn alone() -> TestApp<AiOrchestrator> {
    let app = TestApp::builder().env("EGRESS_ALLOW", "127.0.0.1");
    app.start().await
}

/// A server as a tenant names it.
pub(crate) fn server(name: &str, url: &str) -> Value {
    json!({ "name": name, "url": url, "headers": { "authorization": "Bearer s3cret" } })
}

/// Names a server and reads its tools.
pub(crate) async fn join(owner: &Client, name: &str, url: &str) -> Value {
    let made = owner.post("/api/mcp-servers", server(name, url)).await;
    made.assert_status(201);
    refresh(owner, name).await
}

/// Reads a server's tools anew.
pub(crate) async fn refresh(owner: &Client, name: &str) -> Value {
    let path = format!("/api/mcp-servers/{name}/refresh");
    owner.post(&path, json!({})).await.assert_status(200).json()
}

/// A tool of a server.
pub(crate) async fn tool(client: &Client, server: &str, name: &str) -> Value {
    let path = format!("/api/mcp-servers/{server}/tools?limit=100");
    let tools = client.get(&path).await.assert_status(200).json();
    let tools = tools["items"].as_array().unwrap();
    let found = tools.iter().find(|tool| tool["name"] == name);
    found
        .unwrap_or_else(|| panic!("{name}: {tools:#?}"))
        .clone()
}

/// Approves a tool as it is.
pub(crate) async fn approve(owner: &Client, server: &str, name: &str) -> Value {
    let fingerprint = tool(owner, server, name).await["fingerprint"].clone();
    let path = format!("/api/mcp-servers/{server}/tools/{name}/approve");
    let approved = owner
        .post(&path, json!({ "fingerprint": fingerprint }))
        .await;
    approved.assert_status(200).json()
}

/// An agent with these tools.
pub(crate) fn agent(tools: &[&str]) -> Value {
    json!({ "name": "user", "title": "U", "role": "r", "goal": "g", "tools": tools })
}

/// The answer to a request.
pub(crate) fn result(seen: &Seen, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": seen.body["id"], "result": result })
}

/// What a server that has one tool answers before the tool is called; none for calls.
pub(crate) fn greeting(seen: &Seen, hints: &Value) -> Option<Act> {
    let answer = match seen.body["method"].as_str().unwrap_or_default() {
        "initialize" => {
            let hello = json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": { "name": "scripted", "version": "1" },
            });
            let body = result(seen, &hello).to_string();
            let headers = "content-type: application/json\r\nmcp-session-id: s-1\r\n";
            return Some(Act::answer(200, headers, &body));
        }
        "tools/list" => {
            let schema = json!({ "type": "object", "properties": { "id": { "type": "string" } } });
            let tool = json!({ "name": "do.it", "description": "Does it", "inputSchema": schema, "annotations": hints });
            result(seen, &json!({ "tools": [tool] }))
        }
        "tools/call" => return None,
        _ => return Some(Act::answer(202, "", "")),
    };
    Some(Act::json(200, &answer))
}

/// The result of a tool as text.
pub(crate) fn said(seen: &Seen, text: &str) -> Value {
    result(
        seen,
        &json!({ "content": [{ "type": "text", "text": text }] }),
    )
}
