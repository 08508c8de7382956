use bz_testkit::{TestApp, TestResponse};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::events;

const NOBODY: &str = "/api/leads/0199fa3e-0000-7000-8000-000000000000";

async fn created(app: &TestApp<Crm>, body: Value) -> (String, Value) {
    // Ids are ordered by time, to the millisecond.
    app.clock.advance(TimeDelta::seconds(1));
    let lead = app
        .acme
        .member
        .post("/api/leads?on_duplicate=create", body)
        .await
        .assert_status(201)
        .json();
    (format!("/api/leads/{}", lead["id"].as_str().unwrap()), lead)
}

fn ada() -> Value {
    json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Engines.example", "company_name": "Engines",
        "title": "Chief Engineer", "source": "referral", "employees": 80
    })
}

fn pointers(response: &TestResponse) -> Vec<String> {
    let errors = response.json()["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_created_lead_is_there_with_its_fields_and_its_version() {
    let app = TestApp::<Crm>::start().await;
    let response = app
        .acme
        .member
        .post("/api/leads/", ada())
        .await
        .assert_status(201);
    assert_eq!(response.header("etag"), Some("\"1\""));
    let lead = response.json();
    assert_eq!(
        (&lead["email"], &lead["status"]),
        (&json!("Ada@Engines.example"), &json!("new"))
    );
    let path = format!("/api/leads/{}", lead["id"].as_str().unwrap());
    let read = app.acme.viewer.get(&path).await.assert_status(200);
    assert_eq!((read.header("etag"), read.json()), (Some("\"1\""), lead));
    assert_eq!(events(&app).await, ["lead.created"]);
}

#[tokio::test]
async fn the_same_key_creates_one_lead_and_another_body_under_it_is_refused() {
    let app = TestApp::<Crm>::start().await;
    let send = async |body: Value| {
        app.acme
            .member
            .post("/api/leads", body)
            .header("idempotency-key", "once")
            .await
    };
    let first = send(ada()).await.assert_status(201);
    let again = send(ada()).await.assert_status(201);
    assert_eq!(first.json(), again.json());
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    send(json!({ "first_name": "Eve" }))
        .await
        .assert_problem(422, "idempotency_key_reused");
    assert_eq!(events(&app).await, ["lead.created"]);
    // The key is the caller's own: the other tenant may use it too.
    let other = app
        .globex
        .member
        .post("/api/leads", ada())
        .header("idempotency-key", "once")
        .await
        .assert_status(201);
    assert_ne!(other.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn twenty_requests_at_once_with_one_key_create_one_lead() {
    let app = TestApp::<Crm>::start().await;
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let member = app.acme.member.clone();
        sending.spawn(async move {
            let response = member
                .post("/api/leads", ada())
                .header("idempotency-key", "race")
                .await;
            response.assert_status(201).json()["id"].clone()
        });
    }
    let mut ids = sending.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(events(&app).await, ["lead.created"]);
}

#[tokio::test]
async fn everything_wrong_with_a_lead_is_said_at_once() {
    let app = TestApp::<Crm>::start().await;
    let bad =
        json!({ "first_name": " ", "email": "nowhere", "employees": -1, "city": "x".repeat(101) });
    let response = app
        .acme
        .member
        .post("/api/leads", bad)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(
        pointers(&response),
        ["/first_name", "/city", "/email", "/employees"]
    );
    app.acme
        .member
        .post("/api/leads", json!({}))
        .await
        .assert_problem(422, "validation_failed");
    let unknown = app
        .acme
        .member
        .post("/api/leads", json!({ "tenant_id": app.globex.id() }))
        .await;
    assert_eq!(
        pointers(&unknown.assert_problem(422, "validation_failed")),
        ["/tenant_id"]
    );
    assert!(events(&app).await.is_empty());
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_before_ended() {
    let app = TestApp::<Crm>::start().await;
    for n in 0..5 {
        created(&app, json!({ "first_name": format!("Lead {n}") })).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/leads?limit=2".to_owned());
    loop {
        let page = app.acme.viewer.get(&path).await.assert_status(200).json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|lead| lead["first_name"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/leads?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["Lead 4", "Lead 3", "Lead 2", "Lead 1", "Lead 0"]);
}

#[tokio::test]
async fn a_cursor_is_of_no_use_to_another_tenant_or_another_list() {
    let app = TestApp::<Crm>::start().await;
    for _ in 0..2 {
        created(&app, ada()).await;
    }
    let page = app.acme.viewer.get("/api/leads?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    for (client, path) in [
        (&app.globex.viewer, format!("/api/leads?cursor={cursor}")),
        (
            &app.acme.viewer,
            format!("/api/leads?status=new&cursor={cursor}"),
        ),
        (&app.acme.viewer, format!("/api/todos?cursor={cursor}")),
        (&app.acme.viewer, "/api/leads?cursor=nonsense".to_owned()),
        (&app.acme.viewer, "/api/leads?limit=0".to_owned()),
        (&app.acme.viewer, "/api/leads?limit=101".to_owned()),
        (&app.acme.viewer, "/api/leads?status=asleep".to_owned()),
    ] {
        client
            .get(&path)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_list_shows_one_status_and_one_tenant() {
    let app = TestApp::<Crm>::start().await;
    created(&app, ada()).await;
    created(
        &app,
        json!({ "first_name": "Grace", "status": "qualified" }),
    )
    .await;
    let names = async |path: &str| {
        let page = app.acme.viewer.get(path).await.assert_status(200).json();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lead| lead["first_name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/api/leads?status=qualified").await, ["Grace"]);
    assert_eq!(names("/api/leads").await, ["Grace", "Ada"]);
    assert_eq!(
        app.globex.owner.get("/api/leads").await.json(),
        json!({ "items": [], "next_cursor": null })
    );
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_clears() {
    let app = TestApp::<Crm>::start().await;
    let (path, before) = created(&app, ada()).await;
    let patch = json!({ "status": "working", "company_name": null });
    let after = app.acme.member.patch(&path, patch).await.assert_status(200);
    assert_eq!(after.header("etag"), Some("\"2\""));
    let after = after.json();
    assert_eq!(
        (&after["status"], &after["company_name"]),
        (&json!("working"), &Value::Null)
    );
    assert_eq!(
        (&after["title"], &after["version"]),
        (&before["title"], &json!(2))
    );
    assert_eq!(events(&app).await, ["lead.created", "lead.updated"]);
}

#[tokio::test]
async fn a_patch_may_not_leave_a_lead_without_a_name() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, json!({ "first_name": "Ada" })).await;
    app.acme
        .member
        .patch(&path, json!({ "first_name": null }))
        .await
        .assert_problem(422, "validation_failed");
    app.acme
        .member
        .patch(&path, json!({ "email": "x" }))
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(app.acme.member.get(&path).await.json()["first_name"], "Ada");
}

#[tokio::test]
async fn a_change_on_an_old_version_is_refused_with_the_current_one() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, ada()).await;
    let change = async |tag: &str, city: &str| {
        app.acme
            .member
            .patch(&path, json!({ "city": city }))
            .header("if-match", tag)
            .await
    };
    change("\"1\"", "Sofia").await.assert_status(200);
    let late = change("\"1\"", "Oslo")
        .await
        .assert_problem(412, "precondition_failed");
    assert_eq!(late.header("etag"), Some("\"2\""));
    app.acme
        .member
        .delete(&path)
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    assert_eq!(app.acme.member.get(&path).await.json()["city"], "Sofia");
}

#[tokio::test]
async fn a_deleted_lead_is_gone_and_deleting_it_again_is_not_found() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, ada()).await;
    app.acme.member.delete(&path).await.assert_status(204);
    app.acme
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .member
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    assert_eq!(events(&app).await, ["lead.created", "lead.deleted"]);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_another_tenants_is_not_found() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, ada()).await;
    for path in [path.as_str(), NOBODY] {
        for path in [path.to_owned(), format!("{path}/score")] {
            app.globex
                .owner
                .get(&path)
                .await
                .assert_problem(404, "not_found");
        }
        app.globex
            .owner
            .patch(path, json!({ "city": "x" }))
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .delete(path)
            .await
            .assert_problem(404, "not_found");
    }
    assert_eq!(app.acme.viewer.get(&path).await.json()["city"], Value::Null);
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let app = TestApp::<Crm>::start().await;
    let (path, _) = created(&app, ada()).await;
    let viewer = &app.acme.viewer;
    viewer.get(&path).await.assert_status(200);
    viewer
        .post("/api/leads", ada())
        .await
        .assert_problem(403, "forbidden");
    viewer
        .patch(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
    viewer.delete(&path).await.assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_score_explains_itself_and_its_reasons_add_up() {
    let app = TestApp::<Crm>::start().await;
    let (strong, _) = created(&app, ada()).await;
    let (weak, _) = created(&app, json!({ "first_name": "Eve" })).await;
    let score = async |path: &str| {
        app.acme
            .viewer
            .get(&format!("{path}/score"))
            .await
            .assert_status(200)
            .json()
    };
    let (strong, weak) = (score(&strong).await, score(&weak).await);
    assert!(strong["score"].as_u64() > weak["score"].as_u64());
    assert_eq!(strong["mode"], "rules");
    let reasons: f64 = strong["factors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["contribution"].as_f64().unwrap())
        .sum();
    let p = strong["probability"].as_f64().unwrap();
    assert!(
        (strong["base"]["log_odds"].as_f64().unwrap() + reasons - (p / (1.0 - p)).ln()).abs()
            < 1e-6
    );
}
