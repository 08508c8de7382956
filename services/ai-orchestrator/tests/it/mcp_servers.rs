//! MCP servers that a tenant names, and the approval of their tools.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    mcp_peer::{agent, alone, approve, greeting, join, refresh, said, server, tool},
    provider::{Act, Provider},
};

/// A server with the tool `do.it`, which reads.
async fn reader() -> Provider {
    let hints = json!({ "readOnlyHint": true });
    Provider::scripted(move |seen| {
        greeting(seen, &hints).unwrap_or_else(|| Act::json(200, &said(seen, "done")))
    })
    .await
}

fn url(server: &Provider) -> String {
    format!("http://{}/mcp", server.address())
}

fn without_name(mut server: Value) -> Value {
    server.as_object_mut().unwrap().remove("name");
    server
}

#[tokio::test]
async fn a_server_is_named_shown_without_its_secrets_changed_and_deleted() {
    let app = alone().await;
    let admin = &app.acme.admin;
    let wanted = server("files", "https://mcp.example.com/mcp");
    let made = admin.post("/api/mcp-servers", &wanted).await;
    let made = made.assert_status(201);
    assert!(!made.text().contains("s3cret"));
    assert_eq!(
        (&made.json()["enabled"], &made.json()["timeout_seconds"]),
        (&json!(true), &json!(30))
    );
    let path = format!("/api/mcp-servers/{}", made.json()["id"].as_str().unwrap());
    for path in [path.as_str(), "/api/mcp-servers/files"] {
        let shown = app.acme.viewer.get(path).await.assert_status(200);
        assert_eq!(shown.json()["header_names"], json!(["authorization"]));
        assert!(!shown.text().contains("s3cret"));
    }
    let mut changed = without_name(wanted);
    changed["timeout_seconds"] = json!(5);
    changed.as_object_mut().unwrap().remove("headers");
    let stale = admin.put(&path, &changed).header("if-match", "\"2\"").await;
    stale.assert_problem(412, "precondition_failed");
    let put = admin.put(&path, &changed).await.assert_status(200).json();
    assert_eq!(
        (
            &put["timeout_seconds"],
            &put["version"],
            &put["header_names"]
        ),
        (&json!(5), &json!(2), &json!(["authorization"]))
    );
    // Secrets of one address are not sent to another.
    changed["url"] = json!("https://mcp.example.org/mcp");
    let moved = admin.put(&path, &changed).await.assert_status(200).json();
    assert_eq!(moved["header_names"], json!([]));
    admin.delete(&path).await.assert_status(204);
    admin.get(&path).await.assert_problem(404, "not_found");
    let put = admin.put(&path, &changed).await;
    put.assert_problem(404, "not_found");
    admin.delete(&path).await.assert_problem(404, "not_found");
    let refreshed = admin.post(&format!("{path}/refresh"), json!({})).await;
    refreshed.assert_problem(404, "not_found");
}

#[tokio::test]
async fn servers_are_named_once_by_administrators_and_listed_newest_first() {
    let app = alone().await;
    let owner = &app.acme.owner;
    let wanted = |name: &str| server(name, "https://mcp.example.com/mcp");
    let send = || {
        let sent = owner.post("/api/mcp-servers", wanted("one"));
        sent.header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    let again = owner.post("/api/mcp-servers", wanted("one")).await;
    again.assert_problem(409, "name_taken");
    let member = app.acme.member.post("/api/mcp-servers", wanted("two"));
    member.await.assert_problem(403, "forbidden");
    let theirs = app.globex.owner.post("/api/mcp-servers", wanted("one"));
    theirs.await.assert_status(201);
    app.clock.advance(TimeDelta::seconds(1));
    let second = owner.post("/api/mcp-servers", wanted("two")).await;
    second.assert_status(201);
    let page = owner.get("/api/mcp-servers?limit=1").await;
    let page = page.assert_status(200).json();
    assert_eq!(page["items"][0]["name"], "two");
    let next = page["next_cursor"].as_str().unwrap();
    let next = owner.get(&format!("/api/mcp-servers?cursor={next}")).await;
    let next = next.assert_status(200).json();
    assert_eq!(next["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&next["items"][0]["id"], &next["next_cursor"]),
        (&first["id"], &json!(null))
    );
}

#[tokio::test]
async fn addresses_inside_wrong_headers_and_unknown_fields_are_refused() {
    let app = bz_testkit::TestApp::<ai_orchestrator::AiOrchestrator>::start().await;
    let with = |field: &str, value: Value| {
        let mut server = server("files", "https://mcp.example.com/mcp");
        server[field] = value;
        server
    };
    for (body, pointer) in [
        (with("url", json!("http://mcp.example.com/")), "/url"),
        (with("url", json!("https://127.0.0.1/mcp")), "/url"),
        (with("url", json!("https://169.254.169.254/")), "/url"),
        (with("name", json!("Files")), "/name"),
        (with("name", json!("a.b")), "/name"),
        (with("timeout_seconds", json!(0)), "/timeout_seconds"),
        (with("headers", json!({ "host": "x" })), "/headers"),
        (with("colour", json!("red")), "/colour"),
    ] {
        let answer = app.acme.owner.post("/api/mcp-servers", &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn a_tool_is_usable_once_somebody_who_may_has_approved_what_they_read() {
    let scripted = reader().await;
    let app = alone().await;
    let owner = &app.acme.owner;
    let found = join(owner, "files", &url(&scripted)).await;
    assert_eq!(found["added"], json!(["do.it"]));
    assert_eq!(found["server"]["peer"]["protocol_version"], "2025-06-18");
    let shown = tool(&app.acme.viewer, "files", "do.it").await;
    assert_eq!(
        (&shown["state"], &shown["effect"], &shown["tool"]),
        (
            &json!("unapproved"),
            &json!("read"),
            &json!("mcp.files.do.it")
        )
    );
    let early = owner.post("/api/agents", agent(&["mcp.files.do.it"])).await;
    let early = early.assert_problem(422, "validation_failed").json();
    assert_eq!(early["errors"][0]["code"], "unknown_tool");
    let path = "/api/mcp-servers/files/tools/do.it/approve";
    let read = json!({ "fingerprint": shown["fingerprint"] });
    let member = app.acme.member.post(path, &read).await;
    member.assert_problem(403, "forbidden");
    let foreign = app.globex.owner.post(path, &read).await;
    foreign.assert_problem(404, "not_found");
    let other = owner.post(path, json!({ "fingerprint": "0" })).await;
    other.assert_problem(409, "tool_changed");
    let wrong = owner.post(path, json!({})).await;
    wrong.assert_problem(422, "validation_failed");
    let nothing = "/api/mcp-servers/files/tools/nothing/approve";
    owner
        .post(nothing, &read)
        .await
        .assert_problem(404, "not_found");
    for _ in 0..2 {
        let approved = owner.post(path, &read).await.assert_status(200).json();
        assert_eq!(approved["state"], "approved");
    }
    let made = owner.post("/api/agents", agent(&["mcp.files.do.it"])).await;
    made.assert_status(201);
    let theirs = app
        .globex
        .owner
        .post("/api/agents", agent(&["mcp.files.do.it"]));
    theirs.await.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_list_of_tools_has_what_is_approved_and_the_trial_shows_what_would_be_sent() {
    let scripted = reader().await;
    let app = alone().await;
    let owner = &app.acme.owner;
    join(owner, "files", &url(&scripted)).await;
    join(owner, "zoo", &url(&scripted)).await;
    let names = async || {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = owner.get(&format!("/api/tools?limit=7{cursor}")).await;
            let page = page.assert_status(200).json();
            let items = page["items"].as_array().unwrap().iter();
            names.extend(items.map(|tool| tool["name"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    let none = names().await;
    assert!(!none.iter().any(|name| name.starts_with("mcp.")));
    for own in ["apple", "zebra"] {
        let made = owner.post("/api/tools", crate::tools::tool(own)).await;
        made.assert_status(201);
    }
    approve(owner, "files", "do.it").await;
    approve(owner, "zoo", "do.it").await;
    let all = names().await;
    assert_eq!(
        all[none.len()..],
        ["apple", "zebra", "mcp.files.do.it", "mcp.zoo.do.it"]
    );
    let path = "/api/tools/mcp.files.do.it";
    let shown = owner.get(path).await.assert_status(200).json();
    assert_eq!(shown["header_names"], json!(["authorization"]));
    let foreign = app.globex.owner.get(path).await;
    foreign.assert_problem(404, "not_found");
    let tried = owner.post(
        &format!("{path}/test"),
        json!({ "arguments": { "id": "7" } }),
    );
    let tried = tried.await.assert_status(200).json();
    assert_eq!(
        tried["would_send"]["body"],
        json!({ "name": "do.it", "arguments": { "id": "7" } })
    );
    let off = json!({ "url": url(&scripted), "enabled": false });
    let off = owner.put("/api/mcp-servers/files", off).await;
    off.assert_status(200);
    let shown = owner.get(path).await.assert_status(200).json();
    assert_eq!(shown["available"], false);
    let made = owner.post("/api/agents", agent(&["mcp.files.do.it"])).await;
    made.assert_problem(422, "validation_failed");
    let revoked = "/api/mcp-servers/files/tools/do.it/revoke";
    for _ in 0..2 {
        let revoked = owner.post(revoked, json!({})).await.assert_status(200);
        assert_eq!(revoked.json()["state"], "unapproved");
    }
    owner.get(path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_server_that_fails_is_told_and_changes_nothing() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let hints = json!({});
    let scripted = Provider::scripted(move |seen| {
        let turn = TURN.load(SeqCst);
        match (turn, seen.body["method"].as_str()) {
            (1, _) => Act::answer(401, "", "who are you?"),
            (2, _) => Act::answer(200, "content-type: text/html\r\n", "<h1>hello</h1>"),
            (3, Some("tools/list")) => {
                let error = json!({ "code": -32603, "message": "out of order" });
                Act::json(200, &json!({ "jsonrpc": "2.0", "id": seen.body["id"], "error": error }))
            }
            (4, _) => {
                let hello = json!({ "protocolVersion": "1999-01-01", "capabilities": {}, "serverInfo": { "name": "x", "version": "1" } });
                Act::json(200, &crate::mcp_peer::result(seen, &hello))
            }
            (5, Some("tools/list")) => {
                let body = format!("{{\"x\":\"{}\"}}", "x".repeat(1_100_000));
                Act::answer(200, "content-type: application/json\r\n", &body)
            }
            _ => greeting(seen, &hints).unwrap(),
        }
    })
    .await;
    let app = alone().await;
    let owner = &app.acme.owner;
    join(owner, "files", &url(&scripted)).await;
    approve(owner, "files", "do.it").await;
    for (turn, words) in [
        (1, "status 401: who are you?"),
        (2, "cannot be read"),
        (3, "error -32603: out of order"),
        (4, "no version of the protocol"),
        (5, "too large"),
    ] {
        TURN.store(turn, SeqCst);
        let failed = owner
            .post("/api/mcp-servers/files/refresh", json!({}))
            .await;
        let failed = failed.assert_problem(502, "mcp_server_failed");
        assert!(failed.text().contains(words), "{}", failed.text());
    }
    assert_eq!(tool(owner, "files", "do.it").await["state"], "approved");
    TURN.store(0, SeqCst);
    let found = refresh(owner, "files").await;
    assert_eq!(
        (&found["added"], &found["changed"]),
        (&json!([]), &json!([]))
    );
    let moved = json!({ "url": "http://127.0.0.1:1/mcp" });
    let moved = owner.put("/api/mcp-servers/files", moved).await;
    moved.assert_status(200);
    let tools = owner.get("/api/mcp-servers/files/tools").await.json();
    assert_eq!(tools["items"], json!([]));
    let gone = owner
        .post("/api/mcp-servers/files/refresh", json!({}))
        .await;
    gone.assert_problem(502, "mcp_server_failed");
}
