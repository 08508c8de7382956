//! Crews: how they are kept, whether they can run, and how they do.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    play::{World, call, events, model, say, start_with, text_of, turn_of, until},
    provider::Provider,
};

pub(crate) fn crew(name: &str) -> Value {
    json!({
        "name": name, "title": "Launch", "process": "sequential",
        "tasks": [
            { "name": "draft", "description": "draft {topic}", "agent": "social-writer" },
            { "name": "check", "description": "check it", "agent": "support-answerer", "expected_output": "the post" },
        ],
    })
}

fn without_name(mut crew: Value) -> Value {
    crew.as_object_mut().unwrap().remove("name");
    crew
}

#[tokio::test]
async fn a_crew_is_made_changed_with_its_versions_kept_and_deleted() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let made = member
        .post("/api/crews", crew("launch"))
        .await
        .assert_status(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/crews/{id}");
    let mut changed = without_name(crew("launch"));
    changed["title"] = json!("Relaunch");
    let stale = member
        .put(&path, &changed)
        .header("if-match", "\"7\"")
        .await;
    stale.assert_problem(412, "precondition_failed");
    let put = member
        .put(&path, &changed)
        .header("if-match", "\"1\"")
        .await;
    assert_eq!(put.assert_status(200).json()["version"], 2);
    assert_eq!(
        member
            .get("/api/crews/launch")
            .await
            .assert_status(200)
            .json()["title"],
        "Relaunch"
    );
    let versions = member
        .get(&format!("{path}/versions"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &versions["items"][0]["title"],
            &versions["items"][1]["title"]
        ),
        (&json!("Relaunch"), &json!("Launch"))
    );
    member
        .delete(&path)
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    member.delete(&path).await.assert_status(204);
    member.get(&path).await.assert_problem(404, "not_found");
    member.delete(&path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_crew_is_made_once_and_its_name_is_taken_then() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let send = || {
        member
            .post("/api/crews", crew("launch"))
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    member
        .post("/api/crews", crew("launch"))
        .await
        .assert_problem(409, "name_taken");
    app.globex
        .member
        .post("/api/crews", crew("launch"))
        .await
        .assert_status(201);
    let list = app
        .globex
        .viewer
        .get("/api/crews")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_ne!(list["items"][0]["id"], first["id"]);
    app.acme
        .viewer
        .post("/api/crews", crew("other"))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_wrong_with_a_crew_is_told_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let with = |pointer: &str, value: Value| {
        let mut crew = crew("launch");
        *crew.pointer_mut(pointer).unwrap() = value;
        crew
    };
    let mut surplus = crew("launch");
    surplus["colour"] = json!("red");
    for (body, pointer) in [
        (with("/name", json!("Not A Name")), "/name"),
        (with("/title", json!("")), "/title"),
        (with("/tasks", json!([])), "/tasks"),
        (with("/process", json!("hierarchical")), "/manager"),
        (with("/tasks/1/name", json!("draft")), "/tasks/1/name"),
        (surplus, "/colour"),
    ] {
        let answer = app.acme.owner.post("/api/crews", &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[tokio::test]
async fn validation_finds_circles_and_what_is_not_there_and_estimates_the_rest() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    let mut bad = crew("bad");
    bad["process"] = json!("parallel");
    bad["tasks"][0]["depends_on"] = json!(["check"]);
    bad["tasks"][1]["depends_on"] = json!(["draft"]);
    bad["tasks"][1]["agent"] = json!("nobody");
    owner.post("/api/crews", bad).await.assert_status(201);
    let found = owner
        .post("/api/crews/bad/validate", json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(found["valid"], false);
    let codes: Vec<&str> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["circle", "unknown_agent"]);
    owner
        .post("/api/runs", json!({ "crew": "bad" }))
        .await
        .assert_problem(422, "validation_failed");

    owner
        .post("/api/crews", crew("good"))
        .await
        .assert_status(201);
    let found = owner
        .post("/api/crews/good/validate", json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&found["valid"], &found["problems"]),
        (&json!(true), &json!([]))
    );
    assert!(found["estimate"]["tokens"].as_i64().unwrap() > 500);
    app.globex
        .owner
        .post("/api/crews/good/validate", json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_tool_that_was_deleted_is_found_missing() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    owner
        .post("/api/tools", crate::tools::tool("fetch"))
        .await
        .assert_status(201);
    let agent =
        json!({ "name": "fetcher", "title": "F", "role": "r", "goal": "g", "tools": ["fetch"] });
    owner.post("/api/agents", agent).await.assert_status(201);
    let mut crew = crew("fetching");
    crew["tasks"][0]["agent"] = json!("fetcher");
    owner.post("/api/crews", crew).await.assert_status(201);
    owner.delete("/api/tools/fetch").await.assert_status(204);
    let found = owner
        .post("/api/crews/fetching/validate", json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(found["problems"][0]["code"], "unknown_tool");
}

#[tokio::test]
async fn a_sequential_crew_hands_each_result_to_the_next_task() {
    let provider = Provider::start(|seen| {
        let text = if text_of(seen).contains("Task: draft") {
            "the draft"
        } else {
            "the end"
        };
        say(text).act(turn_of(seen))
    })
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    owner
        .post("/api/crews", crew("launch"))
        .await
        .assert_status(201);
    let id = start_with(
        owner,
        json!({ "crew": "launch", "inputs": { "topic": "tea" } }),
    )
    .await;
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(run["output"]["text"], "the end");
    assert_eq!(run["output"]["tasks"][0]["text"], "the draft");
    let last = provider.last().body["messages"].to_string();
    assert!(last.contains("[draft]\\nthe draft") && last.contains("The result: the post"));
    let told = events(owner, &id).await;
    assert_eq!(
        told.iter().filter(|kind| *kind == "task.completed").count(),
        2
    );
}

#[tokio::test]
async fn a_run_keeps_the_version_of_the_crew_that_it_was_made_with() {
    let provider = model(vec![say("x")]).await;
    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    owner
        .post("/api/crews", crew("launch"))
        .await
        .assert_status(201);
    let id = start_with(
        &owner,
        json!({ "crew": "launch", "inputs": { "topic": "tea" } }),
    )
    .await;
    let mut changed = without_name(crew("launch"));
    changed["tasks"] =
        json!([{ "name": "other", "description": "other", "agent": "social-writer" }]);
    owner
        .put("/api/crews/launch", changed)
        .await
        .assert_status(200);
    owner.delete("/api/crews/launch").await.assert_status(204);
    world.app.start_jobs();
    let run = until(&owner, &id, "succeeded").await;
    assert_eq!(run["subject"]["version"], 1);
    assert_eq!(run["output"]["tasks"][1]["task"], "check");
}

#[tokio::test]
async fn tasks_that_need_nothing_of_each_other_are_done_at_the_same_time() {
    let provider = Provider::start(|seen| {
        if text_of(seen).contains("Task: part") {
            let answer = say("part").answer(0).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
            return crate::provider::Act::Later(std::time::Duration::from_millis(700), head.into_bytes());
        }
        say("sum").act(0)
    })
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let part = |n: usize| json!({ "name": format!("p{n}"), "description": "part", "agent": "social-writer" });
    let mut tasks: Vec<Value> = (0..3).map(part).collect();
    tasks.push(json!({ "name": "sum", "description": "sum", "agent": "social-writer", "depends_on": ["p0", "p1", "p2"] }));
    let crew = json!({ "name": "wide", "title": "Wide", "process": "parallel", "tasks": tasks });
    owner.post("/api/crews", crew).await.assert_status(201);
    let id = start_with(owner, json!({ "crew": "wide" })).await;
    let run = until(owner, &id, "succeeded").await;
    let told = events(owner, &id).await;
    let first_answer = told.iter().position(|kind| kind == "llm.completed");
    let asked = told[..first_answer.unwrap()].iter();
    assert_eq!(asked.filter(|kind| *kind == "llm.started").count(), 3);
    assert_eq!(run["output"]["text"], "sum");
    assert_eq!(run["output"]["tasks"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_manager_hands_out_work_by_a_schema_and_only_to_agents_that_are_there() {
    let provider = Provider::start(|seen| {
        let turn = turn_of(seen);
        if !text_of(seen).contains("handing them to the agents") {
            return say("a post about tea").act(turn);
        }
        let hand = |agent: &str| {
            call(
                "delegate",
                json!({ "agent": agent, "task": "write", "expected_output": "a post" }),
            )
        };
        match turn {
            0 => hand("nobody").act(turn),
            1 => hand("social-writer").act(turn),
            _ => say("a post about tea, corrected").act(turn),
        }
    })
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let mut led = crew("led");
    led["process"] = json!("hierarchical");
    led["manager"] = json!("report-writer");
    owner.post("/api/crews", led).await.assert_status(201);
    let id = start_with(owner, json!({ "crew": "led" })).await;
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(run["output"]["text"], "a post about tea, corrected");
    let read = provider.last().body;
    assert!(
        read["messages"]
            .to_string()
            .contains("there is no such agent")
    );
    let offered = read["tools"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tool| tool["function"]["name"] == "delegate")
        .unwrap();
    assert_eq!(
        offered["function"]["parameters"]["properties"]["agent"]["enum"],
        json!(["social-writer", "support-answerer"])
    );
}
