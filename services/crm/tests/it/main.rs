//! The CRM through its real routes, on a real database, with the weak login.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod activities;
mod assignment;
mod automations;
mod bulk;
mod bulk_rescore;
mod convert;
mod crm_webhooks;
mod custom_fields;
mod deal_board;
mod deal_moves;
mod deals;
mod duplicates;
mod duplicates_plan;
mod erasure;
mod exports;
mod forecast;
mod forms;
mod history;
mod imports;
mod imports_assign;
mod imports_faults;
mod imports_process;
mod imports_undo;
mod jobs;
mod kit;
mod leads;
mod list_plans;
mod lists;
mod many;
mod merges;
mod merges_undo;
mod performance;
mod pipelines;
mod privacy;
mod scoring;
mod search;
mod search_filter;
mod search_meaning;
mod search_performance;
mod search_sight;
mod search_words;
mod support;
mod tags;
mod todo_series;
mod todos;
mod views;
mod whole_service;

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::Value;

/// What the outbox says happened, oldest first.
async fn events(app: &TestApp<Crm>) -> Vec<String> {
    let mut admin = app.database.admin().await;
    sqlx::query_scalar("SELECT kind FROM crm.events ORDER BY txid, seq")
        .fetch_all(&mut admin)
        .await
        .unwrap()
}

/// What was created.
async fn made(client: &Client, path: &str, body: Value) -> Value {
    client.post(path, body).await.assert_status(201).json()
}

/// The items of a list.
async fn list(client: &Client, path: &str) -> Vec<Value> {
    let page = client.get(path).await.assert_status(200).json();
    page["items"].as_array().unwrap().clone()
}

/// Where something that was created stands.
fn path_of(list: &str, made: &Value) -> String {
    format!("{list}/{}", made["id"].as_str().unwrap())
}
