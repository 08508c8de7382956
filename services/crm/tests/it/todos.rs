use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::events;

async fn created(app: &TestApp<Crm>, body: Value) -> (String, Value) {
    let todo = app
        .acme
        .member
        .post("/api/todos/", body)
        .await
        .assert_status(201)
        .json();
    (
        format!("/api/todos/{}/", todo["id"].as_str().unwrap()),
        todo,
    )
}

#[tokio::test]
async fn both_slash_forms_answer_the_same() {
    let app = TestApp::<Crm>::start().await;
    let (path, todo) = created(
        &app,
        json!({ "title": "Call Ada", "due_at": "2026-03-03T15:00:00Z" }),
    )
    .await;
    for path in [path.as_str(), path.trim_end_matches('/')] {
        assert_eq!(
            app.acme.viewer.get(path).await.assert_status(200).json(),
            todo
        );
    }
    for path in [
        "/api/todos",
        "/api/todos/",
        "/api/todos/?completed=false",
        "/api/todos?limit=1",
    ] {
        assert_eq!(
            app.acme.viewer.get(path).await.assert_status(200).json()["items"][0],
            todo,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_new_todo_is_open_and_normal() {
    let app = TestApp::<Crm>::start().await;
    let (_, todo) = created(
        &app,
        json!({ "title": "Call Ada", "due_date": "2026-03-03" }),
    )
    .await;
    assert_eq!(
        (&todo["status"], &todo["completed"], &todo["priority"]),
        (&json!("open"), &json!(false), &json!("normal"))
    );
    assert_eq!(
        (&todo["due_date"], &todo["due_at"]),
        (&json!("2026-03-03"), &Value::Null)
    );
    assert_eq!(
        todo["created_by"],
        json!(app.acme.tenant.user(bz_testkit::Role::Member))
    );
}

#[tokio::test]
async fn completing_is_told_once_and_keeps_its_time() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, json!({ "title": "Call Ada" })).await;
    let done = app
        .acme
        .member
        .patch(&path, json!({ "completed": true }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&done["status"], &done["completed_at"]),
        (&json!("done"), &json!("2026-03-02T09:00:00Z"))
    );
    app.clock.advance(TimeDelta::hours(1));
    let again = app
        .acme
        .member
        .patch(&path, json!({ "status": "done", "priority": "high" }))
        .await
        .json();
    assert_eq!(again["completed_at"], done["completed_at"]);
    let open = app
        .acme
        .member
        .patch(&path, json!({ "completed": false }))
        .await
        .json();
    assert_eq!(
        (&open["status"], &open["completed_at"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(
        events(&app).await,
        [
            "todo.created",
            "todo.completed",
            "todo.updated",
            "todo.updated"
        ]
    );
}

#[tokio::test]
async fn a_patch_of_one_due_clears_the_other() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, json!({ "title": "Call", "due_date": "2026-03-03" })).await;
    let todo = app
        .acme
        .member
        .patch(&path, json!({ "due_at": "2026-03-04T08:00:00Z" }))
        .await
        .json();
    assert_eq!(
        (&todo["due_at"], &todo["due_date"]),
        (&json!("2026-03-04T08:00:00Z"), &Value::Null)
    );
    let todo = app
        .acme
        .member
        .patch(&path, json!({ "due_at": null }))
        .await
        .json();
    assert_eq!(
        (&todo["due_at"], &todo["due_date"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_put_replaces_everything() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(
        &app,
        json!({ "title": "Call", "description": "Bring cake", "priority": "high" }),
    )
    .await;
    let todo = app
        .acme
        .member
        .put(&path, json!({ "title": "Write" }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&todo["title"], &todo["description"], &todo["priority"]),
        (&json!("Write"), &Value::Null, &json!("normal"))
    );
    app.acme
        .member
        .put(&path, json!({}))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn contradictions_are_refused() {
    let app = TestApp::<Crm>::start().await;
    for bad in [
        json!({ "title": "" }),
        json!({ "title": "x".repeat(501) }),
        json!({ "title": "x", "status": "done", "completed": false }),
        json!({ "title": "x", "due_at": "2026-03-03T15:00:00Z", "due_date": "2026-03-03" }),
        json!({ "title": "x", "due_date": "tomorrow" }),
        json!({ "title": "x", "priority": "medium" }),
        json!({ "title": "nul \u{0}" }),
    ] {
        app.acme
            .member
            .post("/api/todos", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn lists_filter_by_being_done() {
    let app = TestApp::<Crm>::start().await;
    created(&app, json!({ "title": "open one" })).await;
    app.clock.advance(TimeDelta::seconds(1));
    created(&app, json!({ "title": "done one", "completed": true })).await;
    let titles = async |query: &str| {
        let page = app
            .acme
            .viewer
            .get(&format!("/api/todos?{query}"))
            .await
            .assert_status(200)
            .json();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|todo| todo["title"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(titles("completed=true").await, ["done one"]);
    assert_eq!(titles("completed=false").await, ["open one"]);
    assert_eq!(titles("status=cancelled").await, Vec::<Value>::new());
    assert_eq!(titles("").await, ["done one", "open one"]);
}

#[tokio::test]
async fn a_deleted_todo_is_gone() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, json!({ "title": "Call" })).await;
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme.member.delete(&path).await.assert_status(204);
    app.acme
        .member
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_same_key_creates_one_todo() {
    let app = TestApp::<Crm>::start().await;
    let send = async || {
        let request = app
            .acme
            .member
            .post("/api/todos", json!({ "title": "Call" }));
        request
            .header("idempotency-key", "k")
            .await
            .assert_status(201)
            .json()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(
        app.acme.member.get("/api/todos").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
