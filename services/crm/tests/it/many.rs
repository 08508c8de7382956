//! Many to-dos and activities at once.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, made, support::over};

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|it| it["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn many_todos_are_completed_assigned_and_exported_by_the_rules_of_one() {
    let mut app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let mut ids = Vec::new();
    for title in ["Call", "Write"] {
        let todo = made(member, "/api/todos", json!({ "title": title })).await;
        ids.push(todo["id"].clone());
    }
    let done = json!({ "action": "update", "ids": ids, "patch": { "completed": true } });
    let viewer = app.acme.viewer.post("/api/todos/bulk", &done).await;
    viewer.assert_problem(403, "forbidden");
    let foreign = app.globex.member.post("/api/todos/bulk", &done).await;
    assert_eq!(statuses(&foreign.assert_status(207).json()), [404, 404]);
    let answer = member
        .post("/api/todos/bulk", &done)
        .await
        .assert_status(207);
    assert_eq!(statuses(&answer.json()), [200, 200]);
    let told = events(&app).await;
    let completed = told.iter().filter(|kind| *kind == "todo.completed");
    assert_eq!(completed.count(), 2);
    // Once more changes nothing.
    member
        .post("/api/todos/bulk", &done)
        .await
        .assert_status(207);
    assert_eq!(events(&app).await.len(), told.len());
    let wrong = json!({ "action": "update", "ids": ids, "patch": { "priority": "whenever" } });
    let wrong = member
        .post("/api/todos/bulk", wrong)
        .await
        .assert_status(207);
    assert_eq!(statuses(&wrong.json()), [422, 422]);
    member
        .post(
            "/api/todos/bulk",
            json!({ "action": "explode", "ids": ids }),
        )
        .await
        .assert_problem(422, "validation_failed");

    let order = json!({ "format": "csv", "columns": ["title", "status"], "filter": { "field": "status", "value": "done" } });
    let export = app
        .acme
        .viewer
        .post("/api/todos/export", order)
        .await
        .assert_status(202);
    let content = export.json()["content"].as_str().unwrap().to_owned();
    let file = app.acme.viewer.get(&content).await.assert_status(200);
    let mut lines: Vec<&str> = file.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["Call,done", "Write,done", "title,status"]);
    app.globex
        .viewer
        .get(&content)
        .await
        .assert_problem(404, "not_found");

    let begun = json!({ "action": "delete", "filter": { "all": [] }, "expected_count": 2 });
    let begun = member
        .post("/api/todos/bulk", begun)
        .await
        .assert_status(202);
    let path = begun.header("location").unwrap().to_owned();
    app.start_jobs();
    let job = over(&app.acme.member, &path).await;
    assert_eq!(
        (&job["record_type"], &job["result"]["succeeded"]),
        (&json!("todo"), &json!(2))
    );
}

#[tokio::test]
async fn many_activities_are_tagged_and_exported() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let call = json!({ "type": "call", "subject": "Hello" });
    let call = made(member, "/api/activities", call).await;
    let tag = json!({ "action": "tag", "ids": [call["id"]], "tags": ["fair"] });
    app.acme
        .viewer
        .post("/api/activities/bulk", &tag)
        .await
        .assert_problem(403, "forbidden");
    let tagged = member.post("/api/activities/bulk", &tag).await;
    assert_eq!(statuses(&tagged.assert_status(207).json()), [200]);
    let fair = json!({ "field": "tags", "op": "any", "value": ["fair"] });
    let order = json!({ "format": "ndjson", "filter": fair });
    let export = app.acme.viewer.post("/api/activities/export", order).await;
    let content = export.assert_status(202).json()["content"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = app.acme.viewer.get(&content).await.assert_status(200);
    let line: Value = serde_json::from_str(file.text().trim()).unwrap();
    assert_eq!(
        (&line["id"], &line["subject"]),
        (&call["id"], &json!("Hello"))
    );
}
