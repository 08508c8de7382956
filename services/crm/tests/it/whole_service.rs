//! Rules that hold for every table and every operation, found by walking the catalogue and the OpenAPI document.

use std::sync::atomic::{AtomicU32, Ordering};

use bz_testkit::{Client, checks};
use crm::Crm;
use serde_json::json;

/// A name that nothing has yet.
fn fresh() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("n{}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// Makes what a path names, and answers its id.
async fn make(owner: &Client, path: &str) -> Option<Vec<String>> {
    let created = match path {
        path if path.starts_with("/api/leads/{id}") => {
            owner.post("/api/leads", json!({ "first_name": "Grace" }))
        }
        path if path.starts_with("/api/contacts/{id}") => {
            owner.post("/api/contacts", json!({ "first_name": "Grace" }))
        }
        path if path.starts_with("/api/companies/{id}") => {
            owner.post("/api/companies", json!({ "name": "Engines" }))
        }
        path if path.starts_with("/api/custom-fields/{id}") => owner.post(
            "/api/custom-fields",
            json!({ "record_type": "lead", "key": fresh(), "label": "K", "type": "text" }),
        ),
        path if path.starts_with("/api/tags/{id}") => {
            owner.post("/api/tags", json!({ "name": fresh() }))
        }
        path if path.starts_with("/api/teams/{id}") => {
            owner.post("/api/teams", json!({ "name": fresh() }))
        }
        path if path.starts_with("/api/views/{id}") => owner.post(
            "/api/views",
            json!({ "record_type": "lead", "name": fresh() }),
        ),
        path if path.starts_with("/api/pipelines/{id}") => {
            owner.post("/api/pipelines", json!({ "name": fresh() }))
        }
        path if path.starts_with("/api/deals/{id}") => {
            owner.post("/api/deals", json!({ "name": "Engines" }))
        }
        path if path.starts_with("/api/activities/{id}") => owner.post(
            "/api/activities",
            json!({ "type": "call", "subject": "Asked" }),
        ),
        path if path.starts_with("/api/notes/{id}") => {
            owner.post("/api/notes", json!({ "body": "Asked" }))
        }
        path if path.starts_with("/api/scoring/trainings/{id}") => {
            let made = owner.post("/api/scoring/model/train", json!({}));
            let made = made.await.assert_status(202).json();
            return Some(vec![made["id"].as_str().unwrap().to_owned()]);
        }
        path if path.starts_with("/api/todos/{id}") => {
            owner.post("/api/todos", json!({ "title": "Call" }))
        }
        path if path.starts_with("/api/imports/{id}") || path.starts_with("/api/jobs/{id}") => {
            owner
                .request(axum::http::Method::POST, "/api/leads/import")
                .body("text/csv", "email\nada@engines.example\n")
        }
        path if path.starts_with("/api/exports/{id}") => {
            owner.post("/api/leads/export", json!({ "format": "csv" }))
        }
        path if path.starts_with("/api/merges/{id}") => return Some(vec![merged(owner).await]),
        path if path.starts_with("/api/assignment-rules/{id}") => {
            let user = "0199fa3e-0000-7000-8000-000000000001";
            let assign = json!({ "method": "user", "user_id": user });
            owner.post(
                "/api/assignment-rules",
                json!({ "name": fresh(), "assign": assign }),
            )
        }
        path if path.starts_with("/api/capture-forms/{id}") => {
            let fields = json!([{ "input": "mail", "field": "email" }]);
            let settings = json!({ "origins": ["https://www.example.com"], "fields": fields });
            owner.post(
                "/api/capture-forms",
                json!({ "name": fresh(), "settings": settings }),
            )
        }
        path if path.starts_with("/api/automations/{id}") => owner.post(
            "/api/automations",
            json!({
                "name": fresh(), "record_type": "lead", "when": ["lead.created"],
                "actions": [{ "type": "add_tag", "tag": "x" }]
            }),
        ),
        path if path.starts_with("/api/crm/webhooks/{id}") => owner.post(
            "/api/crm/webhooks",
            json!({ "url": "https://example.com/hook", "events": ["*"] }),
        ),
        "/api/crm/webhooks/deliveries/{id}/replay" => {
            let hook = json!({ "url": "https://example.com/hook", "events": ["*"] });
            let hook = owner.post("/api/crm/webhooks", hook).await.json();
            let test = format!("/api/crm/webhooks/{}/test", hook["id"].as_str().unwrap());
            let queued = owner.post(&test, json!({})).await.assert_status(202).json();
            return Some(vec![queued["id"].as_str().unwrap().to_owned()]);
        }
        _ => return None,
    };
    let created = created.await;
    assert!(created.status.is_success(), "{}", created.describe());
    let id = created.json()["id"].as_str().unwrap().to_owned();
    if path.contains("/members/") {
        return Some(vec![id.clone(), id]);
    }
    Some(vec![id])
}

/// Merges two leads; answers the merge's id.
async fn merged(owner: &Client) -> String {
    let mut ids = Vec::new();
    for name in ["Grace", "Gracie"] {
        let lead = owner.post("/api/leads", json!({ "first_name": name }));
        ids.push(lead.await.assert_status(201).json()["id"].clone());
    }
    let wanted = json!({ "primary_id": ids[0], "other_ids": [ids[1]] });
    let merge = owner.post("/api/leads/merge", wanted).await;
    let merge = merge.assert_status(200).json();
    merge["merge_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_schema_follows_the_rules_of_tenancy() {
    checks::catalog::<Crm>().await;
}

#[tokio::test]
async fn no_table_shows_a_row_to_another_tenant() {
    checks::isolation::<Crm>().await;
}

#[tokio::test]
async fn another_tenants_object_is_answered_like_one_that_does_not_exist() {
    checks::foreign_ids::<Crm>(make).await;
}

#[tokio::test]
async fn every_operation_needs_a_token_and_its_permission() {
    checks::access::<Crm>().await;
}

#[tokio::test]
async fn nonsense_is_answered_with_a_problem() {
    checks::problems::<Crm>().await;
}

#[test]
fn the_openapi_document_is_committed() {
    checks::openapi_is_committed::<Crm>();
}
