//! Servers of the Model Context Protocol that others wrote, and our own, used by agents.

use std::process::Stdio;

use bz_kernel::ExposeSecret;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    mcp_peer::{agent, approve, join, refresh, tool, world},
    play::{asked, call, decide, model, say, start_with, steps, text_of, until},
    programs::{program, python},
};

/// PyPI's `mcp` as a server; gone when dropped.
async fn notes(how: &str) -> Option<(Child, String)> {
    let mut process = Command::new(python("mcp")?)
        .arg(program("mcp_server.py"))
        .arg(how)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = lines.next_line().await.unwrap().unwrap();
    Some((process, format!("http://127.0.0.1:{port}/mcp")))
}

#[tokio::test]
async fn agents_use_the_tools_and_resources_of_pythons_server() {
    for how in ["json", "stream"] {
        let Some((_server, url)) = notes(how).await else {
            return;
        };
        let model = model(vec![
            call("mcp.notes.add_note", json!({ "text": "call Ada" })),
            call("mcp.notes.list_notes", json!({})),
            call("mcp.notes.read_note", json!({ "number": 7 })),
            call("mcp.notes.resources", json!({})),
            call("mcp.notes.resources", json!({ "uri": "notes://all" })),
            call("mcp.notes.clear", json!({})),
            say("done"),
        ])
        .await;
        let world = world(&model).await;
        let owner = &world.app.acme.owner;
        let found = join(owner, "notes", &url).await;
        assert_eq!(found["server"]["peer"]["title"], "Notes");
        let tools = ["add_note", "list_notes", "read_note", "resources", "clear"];
        for name in tools {
            approve(owner, "notes", name).await;
        }
        let names = tools.map(|name| format!("mcp.notes.{name}"));
        let made = owner.post("/api/agents", agent(&names.each_ref().map(String::as_str)));
        made.await.assert_status(201);
        let id = start_with(owner, json!({ "agent": "user" })).await;
        until(owner, &id, "waiting_approval").await;
        assert_eq!(asked(owner, &id).await["subject"], "mcp.notes.clear");
        decide(owner, &id, json!({ "decision": "approve" })).await;
        until(owner, &id, "succeeded").await;
        let told = text_of(&model.last());
        for words in [
            "note 0",
            "call Ada",
            "there is no note 7",
            "notes://all",
            "all gone",
        ] {
            assert!(told.contains(words), "{how}, {words}: {told}");
        }
        let steps = steps(owner, &id).await;
        let failed = steps.iter().filter(|step| step.ends_with(" failed"));
        assert_eq!(failed.collect::<Vec<_>>(), ["task.call2.0 failed"]);
    }
}

#[tokio::test]
async fn a_real_server_that_changes_a_description_loses_the_approval_of_that_tool() {
    let Some((_server, url)) = notes("json").await else {
        return;
    };
    let model = model(vec![call("mcp.notes.rename_tools", json!({})), say("done")]).await;
    let world = world(&model).await;
    let owner = &world.app.acme.owner;
    join(owner, "notes", &url).await;
    for name in ["rename_tools", "read_note"] {
        approve(owner, "notes", name).await;
    }
    let made = owner
        .post("/api/agents", agent(&["mcp.notes.rename_tools"]))
        .await;
    made.assert_status(201);
    let id = start_with(owner, json!({ "agent": "user" })).await;
    until(owner, &id, "succeeded").await;
    let found = refresh(owner, "notes").await;
    assert_eq!(found["changed"], json!(["read_note"]));
    assert_eq!(tool(owner, "notes", "read_note").await["state"], "changed");
    assert_eq!(
        tool(owner, "notes", "rename_tools").await["state"],
        "approved"
    );
}

#[tokio::test]
async fn an_agent_works_through_the_platforms_own_server() {
    let model = model(vec![
        call("mcp.self.crm_todos_create", json!({ "title": "call Ada" })),
        say("done"),
    ])
    .await;
    let world = world(&model).await;
    let owner = &world.app.acme.owner;
    let url = world.app.listen().await;
    let token = owner.token().unwrap().expose_secret().to_owned();
    let own = json!({
        "name": "self", "url": format!("{url}mcp"), "headers": { "authorization": format!("Bearer {token}") },
    });
    owner.post("/api/mcp-servers", own).await.assert_status(201);
    let found = refresh(owner, "self").await;
    // More than a page of the list.
    assert!(found["added"].as_array().unwrap().len() > 30);
    approve(owner, "self", "crm_todos_create").await;
    let made = owner
        .post("/api/agents", agent(&["mcp.self.crm_todos_create"]))
        .await;
    made.assert_status(201);
    let id = start_with(owner, json!({ "agent": "user" })).await;
    until(owner, &id, "succeeded").await;
    assert_eq!(world.todos(), ["call Ada"]);
}
