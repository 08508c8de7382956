//! To-dos that come again, that are completed and opened again, and that remind.

use std::time::Duration;

use bz_testkit::{TestApp, wait_until};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, list, made, path_of};

/// How long a job may take on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn completing_twice_is_told_once_and_reopening_takes_it_back() {
    let app = TestApp::<Crm>::start().await;
    let todo = made(&app.acme.member, "/api/todos", json!({ "title": "Call" })).await;
    let path = path_of("/api/todos", &todo);
    let act = async |what: &str| {
        let act = app.acme.member.post(&format!("{path}/{what}"), json!({}));
        act.await.assert_status(200).json()
    };
    let done = act("complete").await;
    assert_eq!(
        (&done["status"], &done["completed"]),
        (&json!("done"), &json!(true))
    );
    assert_eq!(act("complete").await, done);
    let open = act("reopen").await;
    assert_eq!(
        (&open["status"], &open["completed_at"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(act("reopen").await, open);
    assert_eq!(
        events(&app).await,
        ["todo.created", "todo.completed", "todo.updated"]
    );
}

#[tokio::test]
async fn completing_and_reopening_keep_to_tenant_permission_and_version() {
    let app = TestApp::<Crm>::start().await;
    let todo = made(&app.acme.member, "/api/todos", json!({ "title": "Call" })).await;
    for what in ["complete", "reopen"] {
        let path = format!("{}/{what}", path_of("/api/todos", &todo));
        let nobodys = format!("/api/todos/0199fa3e-0000-7000-8000-000000000000/{what}");
        app.acme
            .viewer
            .post(&path, json!({}))
            .await
            .assert_problem(403, "forbidden");
        app.globex
            .owner
            .post(&path, json!({}))
            .await
            .assert_problem(404, "not_found");
        app.acme
            .owner
            .post(&nobodys, json!({}))
            .await
            .assert_problem(404, "not_found");
        let late = app
            .acme
            .owner
            .post(&path, json!({}))
            .header("if-match", "\"7\"");
        late.await.assert_problem(412, "precondition_failed");
        let bad = app
            .acme
            .owner
            .post(&format!("/api/todos/x/{what}"), json!({}));
        assert!(bad.await.status.is_client_error());
    }
}

#[tokio::test]
async fn a_done_todo_of_a_series_is_followed_by_one_however_often_it_is_completed() {
    let app = TestApp::<Crm>::start().await;
    let ada = made(
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": "Ada" }),
    )
    .await;
    let first = made(
        &app.acme.member,
        "/api/todos",
        json!({
            "title": "Call", "due_at": "2026-03-02T15:00:00Z", "remind_at": "2026-03-02T14:30:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=MO,TH", "priority": "high", "tags": ["calls"],
            "links": [{ "type": "lead", "id": ada["id"] }]
        }),
    )
    .await;
    assert_eq!(first["series_id"], first["id"]);
    let path = path_of("/api/todos", &first);
    for what in ["complete", "complete", "reopen", "complete"] {
        let act = app.acme.member.post(&format!("{path}/{what}"), json!({}));
        act.await.assert_status(200);
    }
    let open = list(&app.acme.viewer, "/api/todos?completed=false").await;
    assert_eq!(open.len(), 1);
    let next = &open[0];
    assert_eq!(next["due_at"], "2026-03-05T15:00:00Z");
    assert_eq!(next["remind_at"], "2026-03-05T14:30:00Z");
    assert_eq!(
        (&next["priority"], &next["tags"]),
        (&json!("high"), &json!(["calls"]))
    );
    assert_eq!(
        (&next["series_id"], &next["links"]),
        (&first["id"], &first["links"])
    );
    let told = events(&app).await;
    assert_eq!(
        told.iter().filter(|kind| *kind == "todo.created").count(),
        2
    );
}

#[tokio::test]
async fn a_series_skips_what_is_past_keeps_the_local_hour_and_ends() {
    let app = TestApp::<Crm>::start().await;
    // Nine o'clock in Berlin: 08:00 UTC in winter, 07:00 in summer.
    let weekly = json!({
        "title": "Report", "due_at": "2026-03-02T08:00:00Z", "time_zone": "Europe/Berlin", "recurrence": "FREQ=WEEKLY"
    });
    let weekly = made(&app.acme.member, "/api/todos", weekly).await;
    let twice =
        json!({ "title": "Twice", "due_date": "2026-03-02", "recurrence": "FREQ=DAILY;COUNT=2" });
    let twice = made(&app.acme.member, "/api/todos", twice).await;
    let complete = async |todo: &Value| {
        let path = format!("{}/complete", path_of("/api/todos", todo));
        app.acme
            .member
            .post(&path, json!({}))
            .await
            .assert_status(200);
    };
    let open = async |text: &str| {
        list(
            &app.acme.viewer,
            &format!("/api/todos?completed=false&q={text}"),
        )
        .await
    };
    complete(&twice).await;
    let second = open("twice").await;
    assert_eq!(second[0]["due_date"], "2026-03-03");
    complete(&second[0]).await;
    assert!(open("twice").await.is_empty(), "two were asked for");
    app.clock.advance(TimeDelta::days(28));
    complete(&weekly).await;
    assert_eq!(open("report").await[0]["due_at"], "2026-04-06T07:00:00Z");
}

#[tokio::test]
async fn moving_one_occurrence_does_not_move_the_series() {
    let app = TestApp::<Crm>::start().await;
    let daily =
        json!({ "title": "Walk", "due_at": "2026-03-02T18:00:00Z", "recurrence": "FREQ=DAILY" });
    let path = path_of(
        "/api/todos",
        &made(&app.acme.member, "/api/todos", daily).await,
    );
    let moved = json!({ "due_at": "2026-03-02T12:00:00Z" });
    app.acme.member.patch(&path, moved).await.assert_status(200);
    app.acme
        .member
        .post(&format!("{path}/complete"), json!({}))
        .await
        .assert_status(200);
    let open = list(&app.acme.viewer, "/api/todos?completed=false").await;
    assert_eq!(open[0]["due_at"], "2026-03-03T18:00:00Z");
}

#[tokio::test]
async fn what_makes_no_series_is_refused_with_the_place() {
    let app = TestApp::<Crm>::start().await;
    for (bad, pointer) in [
        (json!({ "recurrence": "FREQ=DAILY" }), "/recurrence"),
        (
            json!({ "due_date": "2026-03-03", "recurrence": "every day" }),
            "/recurrence",
        ),
        (
            json!({ "due_date": "2026-03-03", "recurrence": "FREQ=SECONDLY" }),
            "/recurrence",
        ),
        (
            json!({ "due_date": "2026-03-03", "time_zone": "Mars/Olympus" }),
            "/time_zone",
        ),
        (
            json!({ "links": [{ "type": "planet", "id": "0199fa3e-0000-7000-8000-000000000000" }] }),
            "/links/0/type",
        ),
        (
            json!({ "links": [{ "type": "lead", "id": "0199fa3e-0000-7000-8000-000000000000" }] }),
            "/links/0/id",
        ),
    ] {
        let mut body = bad.clone();
        body["title"] = json!("x");
        let answer = app.acme.member.post("/api/todos", body).await;
        let answer = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{bad}");
    }
}

#[tokio::test]
async fn an_assignee_is_the_owner_under_another_name() {
    let app = TestApp::<Crm>::start().await;
    let member = app.acme.tenant.user(bz_testkit::Role::Member);
    let owner = app.acme.tenant.user(bz_testkit::Role::Owner);
    let body = json!({ "title": "Call", "assignee_id": member });
    let todo = made(&app.acme.owner, "/api/todos", body).await;
    assert_eq!(
        (&todo["owner_id"], &todo["assignee_id"]),
        (&json!(member), &json!(member))
    );
    let mine =
        async |client: &bz_testkit::Client| list(client, "/api/todos?assignee=me").await.len();
    assert_eq!(
        (mine(&app.acme.member).await, mine(&app.acme.owner).await),
        (1, 0)
    );
    let path = path_of("/api/todos", &todo);
    let todo = app
        .acme
        .member
        .patch(&path, json!({ "assignee_id": owner }))
        .await
        .json();
    assert_eq!(todo["owner_id"], json!(owner));
    let bad = app.acme.member.get("/api/todos?assignee=you").await;
    bad.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn lists_find_by_due_time_being_overdue_and_words() {
    let app = TestApp::<Crm>::start().await;
    for body in [
        json!({ "title": "late", "due_at": "2026-03-02T08:00:00Z" }),
        json!({ "title": "late day", "due_date": "2026-03-01" }),
        json!({ "title": "late but done", "due_date": "2026-03-01", "completed": true }),
        json!({ "title": "today", "due_date": "2026-03-02" }),
        json!({ "title": "later", "due_at": "2026-03-05T08:00:00Z", "description": "Bring CAKE" }),
        json!({ "title": "whenever" }),
    ] {
        made(&app.acme.member, "/api/todos", body).await;
        app.clock.advance(TimeDelta::milliseconds(1));
    }
    let titles = async |query: &str| {
        let todos = list(&app.acme.viewer, &format!("/api/todos?{query}")).await;
        let titles = todos
            .iter()
            .map(|todo| todo["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(titles("overdue=true").await, ["late day", "late"]);
    assert_eq!(
        titles("overdue=false").await,
        ["whenever", "later", "today", "late but done"]
    );
    assert_eq!(
        titles("due[lt]=2026-03-02").await,
        ["late but done", "late day"]
    );
    assert_eq!(
        titles("due[gte]=2026-03-02&completed=false").await,
        ["later", "today", "late"]
    );
    assert_eq!(titles("q=cake").await, ["later"]);
    for bad in ["due[lt]=soon", "overdue=maybe", "status=late", "colour=red"] {
        let answer = app.acme.viewer.get(&format!("/api/todos?{bad}")).await;
        answer.assert_problem(422, "validation_failed");
    }
    // A page of what is overdue goes on although the time does too.
    let page = app
        .acme
        .viewer
        .get("/api/todos?overdue=true&limit=1")
        .await
        .json();
    app.clock.advance(TimeDelta::minutes(1));
    let next = format!(
        "/api/todos?overdue=true&limit=1&cursor={}",
        page["next_cursor"].as_str().unwrap()
    );
    assert_eq!(list(&app.acme.viewer, &next).await[0]["title"], "late");
}

#[tokio::test]
async fn each_reminder_is_told_once_whoever_looks() {
    let mut app = TestApp::<Crm>::start().await;
    for n in 0..20 {
        let client = if n % 2 == 0 {
            &app.acme.member
        } else {
            &app.globex.member
        };
        let body = json!({ "title": format!("{n}"), "remind_at": "2026-03-02T08:59:00Z" });
        made(client, "/api/todos", body).await;
    }
    for body in [
        json!({ "title": "later", "remind_at": "2026-03-02T12:00:00Z" }),
        json!({ "title": "done", "remind_at": "2026-03-02T08:00:00Z", "completed": true }),
    ] {
        made(&app.acme.member, "/api/todos", body).await;
    }
    let mut second = TestApp::<Crm>::builder().beside(&app).start().await;
    app.start_jobs();
    second.start_jobs();
    let told = async |app: &TestApp<Crm>| {
        let kinds = events(app).await;
        kinds.iter().filter(|kind| *kind == "todo.reminder").count()
    };
    wait_until(async || told(&app).await >= 20, PATIENCE).await;
    // Time for another look, at which nothing may be told again.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    app.stop_jobs().await;
    second.stop_jobs().await;
    let mut admin = app.database.admin().await;
    let each: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT count(*), count(DISTINCT data ->> 'id') FROM crm.events WHERE kind = 'todo.reminder' GROUP BY tenant_id",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(each, [(10, 10), (10, 10)]);
}

#[tokio::test]
async fn a_reminder_that_is_moved_is_told_again() {
    let mut app = TestApp::<Crm>::start().await;
    let body = json!({ "title": "Call", "remind_at": "2026-03-02T08:00:00Z" });
    let path = path_of(
        "/api/todos",
        &made(&app.acme.member, "/api/todos", body).await,
    );
    app.start_jobs();
    let reminded = async || !app.acme.viewer.get(&path).await.json()["reminded_at"].is_null();
    wait_until(reminded, PATIENCE).await;
    let moved = json!({ "remind_at": "2026-03-02T08:30:00Z" });
    let todo = app.acme.member.patch(&path, moved).await.json();
    assert_eq!(todo["reminded_at"], Value::Null);
    let twice = async || {
        events(&app)
            .await
            .iter()
            .filter(|kind| *kind == "todo.reminder")
            .count()
            == 2
    };
    wait_until(twice, PATIENCE).await;
    app.stop_jobs().await;
}
