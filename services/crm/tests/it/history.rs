//! What happened: timelines, the audit trail, and how it ends with the emptied trash.

use bz_testkit::{Role, Tenant, TestApp};
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::kit::{all_pages, column, faults, made, text};

async fn lead(app: &TestApp<Crm>, name: &str) -> String {
    let lead = made(
        app,
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": name }),
    )
    .await;
    format!("/api/leads/{}", text(&lead, "id"))
}

/// Rows that other parts of the service write: an activity, a note and a to-do about a record.
async fn linked(app: &TestApp<Crm>, path: &str) {
    let mut admin = app.database.admin().await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    for (table, kind, columns) in [
        ("activities", "activity", "type, subject, occurred_at"),
        ("activities", "activity", "type, subject, occurred_at"),
        ("todos", "todo", "title, status, priority"),
    ]
    .iter()
    .zip([
        "'call', 'Hello', now() + interval '1 day'",
        "'note', 'Nice', now() + interval '2 days'",
        "'Call', 'open', 'normal'",
    ])
    .map(|((table, kind, columns), values)| (table, kind, (columns, values)))
    {
        let (names, values) = columns;
        let sql = format!(
            "WITH made AS (INSERT INTO crm.{table} (tenant_id, id, created_by, created_at, updated_at, {names}) \
             SELECT $1, gen_random_uuid(), $1, now(), now(), {values} RETURNING id) \
             INSERT INTO crm.record_links (tenant_id, to_type, to_id, from_type, from_id) \
             SELECT $1, 'lead', $2::text::uuid, '{kind}', id FROM made"
        );
        let insert = sqlx::query(&sql).bind(app.acme.id().as_uuid()).bind(&id);
        insert.execute(&mut admin).await.unwrap();
    }
}

#[tokio::test]
async fn a_deal_has_a_timeline_like_the_others() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let deal = made(&app, member, "/api/deals", json!({ "name": "Engine" })).await;
    let path = format!("/api/deals/{}", text(&deal, "id"));
    app.clock.advance(TimeDelta::seconds(1));
    let change = json!({ "description": "Analytical" });
    member.patch(&path, change).await.assert_status(200);
    let links = json!([{ "type": "deal", "id": deal["id"] }]);
    let note = json!({ "body": "Nice", "links": links });
    made(&app, member, "/api/notes", note).await;
    let timeline = format!("{path}/timeline");
    let kinds = all_pages(&app.acme.viewer, &timeline, "kind").await;
    assert_eq!(kinds, ["note", "updated", "created"]);
    let foreign = app.globex.viewer.get(&timeline).await;
    foreign.assert_problem(404, "not_found");
    let bad = app.acme.viewer.get(&format!("{timeline}?limit=0")).await;
    bad.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_timeline_has_everything_newest_first_and_changes_with_before_and_after() {
    let app = TestApp::<Crm>::start().await;
    let path = lead(&app, "Ada").await;
    app.clock.advance(TimeDelta::seconds(1));
    let change = json!({ "city": "Oslo", "status": "working" });
    app.acme
        .member
        .patch(&path, change)
        .await
        .assert_status(200);
    linked(&app, &path).await;
    let timeline = format!("{path}/timeline");
    let kinds = all_pages(&app.acme.viewer, &timeline, "kind").await;
    assert_eq!(kinds, ["note", "activity", "todo", "updated", "created"]);
    let page = app.acme.viewer.get(&timeline).await.json();
    assert_eq!(
        page["items"][3]["changes"],
        json!({ "city": [null, "Oslo"], "status": ["new", "working"] })
    );
    assert_eq!(
        page["items"][3]["actor"],
        json!(Tenant::Acme.user(Role::Member))
    );
    assert_eq!(page["items"][1]["record"]["subject"], "Hello");
    // Without the permission for them, activities and to-dos are left out.
    let mut claims =
        app.tokens
            .user_claims(Tenant::Acme, Tenant::Acme.user(Role::Viewer), &["staff"]);
    claims.entitlements = vec!["leads:read".into()];
    let staff = app.acme.owner.with_token(app.tokens.sign(&claims));
    assert_eq!(
        column(&staff, &timeline, "kind").await,
        ["updated", "created"]
    );
    app.globex
        .owner
        .get(&timeline)
        .await
        .assert_problem(404, "not_found");
    let none = "/api/leads/0199fa3e-0000-7000-8000-000000000000/timeline";
    app.acme
        .owner
        .get(none)
        .await
        .assert_problem(404, "not_found");
    let bad = app.acme.owner.get(&format!("{timeline}?limit=0")).await;
    assert_eq!(
        faults(&bad.assert_problem(422, "validation_failed")),
        ["limit out_of_range"]
    );
    // What is in the trash keeps its timeline.
    app.acme.member.delete(&path).await.assert_status(204);
    assert!(
        column(&app.acme.viewer, &timeline, "kind")
            .await
            .contains(&json!("deleted"))
    );
}

#[tokio::test]
async fn the_audit_trail_has_records_and_settings_and_can_be_searched() {
    let app = TestApp::<Crm>::start().await;
    let (owner, member) = (&app.acme.owner, &app.acme.member);
    let ada = lead(&app, "Ada").await;
    app.clock.advance(TimeDelta::seconds(60));
    member
        .patch(&ada, json!({ "city": "Oslo" }))
        .await
        .assert_status(200);
    let team = made(&app, owner, "/api/teams", json!({ "name": "North" })).await;
    lead(&app, "Bob").await;
    let entries = async |query: &str| {
        let path = format!("/api/audit{query}");
        let page = owner.get(&path).await.assert_status(200).json();
        let entry =
            |entry: &Value| format!("{} {}", text(entry, "record_type"), text(entry, "action"));
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(entry)
            .collect::<Vec<_>>()
    };
    let all = [
        "lead created",
        "team created",
        "lead updated",
        "lead created",
    ];
    assert_eq!(entries("").await, all);
    assert_eq!(
        all_pages(owner, "/api/audit", "action").await,
        ["created", "created", "updated", "created"]
    );
    let id = ada.rsplit('/').next().unwrap();
    assert_eq!(
        entries(&format!("?record_id={id}")).await,
        ["lead updated", "lead created"]
    );
    assert_eq!(entries("?record_type=team").await, ["team created"]);
    assert_eq!(entries("?action=updated").await, ["lead updated"]);
    let by = Tenant::Acme.user(Role::Owner);
    assert_eq!(entries(&format!("?actor={by}")).await, ["team created"]);
    assert_eq!(
        entries("?since=2026-03-02T09:00:30Z&until=2026-03-02T09:01:01.500Z").await,
        ["lead updated"]
    );
    let page = owner.get("/api/audit?record_type=team").await.json();
    assert_eq!(page["items"][0]["changes"]["name"], json!([null, "North"]));
    assert_eq!(page["items"][0]["record_id"], team["id"]);
    member
        .get("/api/audit")
        .await
        .assert_problem(403, "forbidden");
    owner
        .get("/api/audit?since=x")
        .await
        .assert_problem(422, "validation_failed");
    assert!(
        column(&app.globex.owner, "/api/audit", "id")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn what_was_long_in_the_trash_goes_with_its_changes_and_the_rest_stays() {
    let app = TestApp::<Crm>::start().await;
    let (old, young, kept) = (
        lead(&app, "Old").await,
        lead(&app, "Young").await,
        lead(&app, "Kept").await,
    );
    let foreign = made(
        &app,
        &app.globex.member,
        "/api/leads",
        json!({ "first_name": "Foreign" }),
    )
    .await;
    let foreign = format!("/api/leads/{}", text(&foreign, "id"));
    app.acme.member.delete(&old).await.assert_status(204);
    app.globex.member.delete(&foreign).await.assert_status(204);
    app.clock.advance(TimeDelta::days(20));
    app.acme.member.delete(&young).await.assert_status(204);
    app.clock.advance(TimeDelta::days(11));
    let before = app.core.sources.now() - TimeDelta::days(30);
    assert_eq!(crm::trash::empty(app.db(), before).await.unwrap(), 1);
    assert_eq!(crm::trash::empty(app.db(), before).await.unwrap(), 0);
    let restore = async |client: &bz_testkit::Client, path: &str| {
        client.post(&format!("{path}/restore"), json!({})).await
    };
    restore(&app.acme.member, &old)
        .await
        .assert_problem(404, "not_found");
    restore(&app.globex.member, &foreign)
        .await
        .assert_problem(404, "not_found");
    restore(&app.acme.member, &young).await.assert_status(200);
    app.acme.viewer.get(&kept).await.assert_status(200);
    let id = old.rsplit('/').next().unwrap();
    let audit = format!("/api/audit?record_id={id}");
    assert!(column(&app.acme.owner, &audit, "id").await.is_empty());
}
