//! Lead scoring, from the rules of a new tenant to a model that learned from its outcomes.

mod converted;
mod model;
mod nightly;
mod outcomes;
mod real;
mod rules;
mod scores;

use std::time::Duration;

use bz_testkit::{TestApp, wait_until};
use chrono::{DateTime, Utc};
use crm::Crm;
use serde_json::{Value, json};
use uuid::Uuid;

pub const NOBODY: &str = "0199fa3e-0000-7000-8000-000000000000";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A lead that is created through the API.
pub async fn created(app: &TestApp<Crm>, body: Value) -> Value {
    let made = app.acme.member.post("/api/leads", body).await;
    made.assert_status(201).json()
}

pub fn path(lead: &Value, rest: &str) -> String {
    format!("/api/leads/{}{rest}", lead["id"].as_str().unwrap())
}

/// Fields of the tenant's own: key, label, type, whether the score learns from it.
pub async fn define(app: &TestApp<Crm>, fields: &[(&str, &str, &str, &str)]) {
    let mut admin = app.database.admin().await;
    for (position, (key, label, kind, scoring)) in (0_i32..).zip(fields) {
        sqlx::query(
            "INSERT INTO crm.custom_fields (tenant_id, id, record_type, key, label, type, filterable, scoring, position, created_at, \
             updated_at) VALUES ($1, gen_random_uuid(), 'lead', $2, $3, $4, false, $5, $6, now(), now())",
        )
        .bind(app.acme.id().as_uuid())
        .bind(*key)
        .bind(*label)
        .bind(*kind)
        .bind(*scoring)
        .bind(position)
        .execute(&mut admin)
        .await
        .unwrap();
    }
}

/// Many leads at once, as an import writes them: each with its external id and its values of the tenant's own fields.
pub async fn inserted(app: &TestApp<Crm>, at: DateTime<Utc>, leads: &[(String, Value)]) {
    let mut admin = app.database.admin().await;
    sqlx::query("SELECT set_config('app.tenant_id', $1, false)")
        .bind(app.acme.id().to_string())
        .execute(&mut admin)
        .await
        .unwrap();
    for leads in leads.chunks(5_000) {
        let names: Vec<&str> = leads.iter().map(|(name, _)| name.as_str()).collect();
        let custom: Vec<&Value> = leads.iter().map(|(_, custom)| custom).collect();
        // Ids are ordered by time, to the millisecond: in the order of the list, as one after the other is written.
        let id = |_| {
            app.clock.advance(chrono::TimeDelta::milliseconds(1));
            app.core.sources.id()
        };
        let ids: Vec<Uuid> = leads.iter().map(id).collect();
        sqlx::query(
            "INSERT INTO crm.leads (tenant_id, id, external_id, first_name, custom, created_by, created_at, updated_at) \
             SELECT $1, id, name, 'x', custom, $1, $2, $2 FROM unnest($3::uuid[], $4::text[], $5::jsonb[]) AS t (id, name, custom)",
        )
        .bind(app.acme.id().as_uuid())
        .bind(at)
        .bind(ids)
        .bind(names)
        .bind(custom)
        .execute(&mut admin)
        .await
        .unwrap();
    }
}

/// Outcomes through the API.
pub async fn ended(app: &TestApp<Crm>, outcomes: &[(String, bool)]) {
    for outcomes in outcomes.chunks(1_000) {
        let list: Vec<Value> = outcomes
            .iter()
            .map(|(name, won)| json!({ "external_id": name, "outcome": if *won { "won" } else { "lost" } }))
            .collect();
        let answer = app
            .acme
            .member
            .post("/api/scoring/outcomes", json!({ "outcomes": list }))
            .await
            .assert_status(200);
        assert_eq!(answer.json()["recorded"], json!(outcomes.len()));
    }
}

/// Orders a training and waits for its end; the service's jobs must run.
pub async fn trained(app: &TestApp<Crm>) -> Value {
    let ordered = app
        .acme
        .owner
        .post("/api/scoring/model/train", json!({}))
        .await;
    let id = ordered.assert_status(202).json()["id"].clone();
    let path = format!("/api/scoring/trainings/{}", id.as_str().unwrap());
    let training = async || app.acme.viewer.get(&path).await.assert_status(200).json();
    let over =
        async || !["queued", "running"].contains(&training().await["status"].as_str().unwrap());
    wait_until(over, PATIENCE * 5).await;
    training().await
}

/// 400 leads of which those on the plan `pro` are mostly won; `age` goes along with it exactly.
pub async fn lessons(app: &TestApp<Crm>) {
    define(
        app,
        &[
            ("plan", "Plan", "text", "auto"),
            ("seats", "Seats", "number", "auto"),
            ("age", "Age", "number", "auto"),
            ("late", "Set later", "text", "auto"),
        ],
    )
    .await;
    let now = bz_testkit::NOW;
    let pro = |n: usize| n.is_multiple_of(4);
    let won = |n: usize| {
        if pro(n) {
            !n.is_multiple_of(5)
        } else {
            n.is_multiple_of(17)
        }
    };
    let leads: Vec<(String, Value)> = (0..400)
        .map(|n| {
            let plan = if pro(n) { "pro" } else { "basic" };
            (
                n.to_string(),
                json!({ "plan": plan, "seats": n % 7, "age": if won(n) { 50 } else { 20 } }),
            )
        })
        .collect();
    inserted(app, now, &leads).await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    let outcomes: Vec<(String, bool)> = (0..400).map(|n| (n.to_string(), won(n))).collect();
    ended(app, &outcomes).await;
}
