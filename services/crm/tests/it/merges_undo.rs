//! A merge is taken back.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};
use sqlx::{query_as, query_scalar};
use uuid::Uuid;

use crate::merges::{linked, links_of, made, two};

/// A deal of a company with these people.
pub(crate) async fn deal(app: &TestApp<Crm>, company: &str, people: &[&str]) -> Uuid {
    let mut admin = app.database.admin().await;
    query_scalar(
        "WITH pipeline AS (INSERT INTO crm.pipelines (tenant_id, id, name, created_by, created_at, updated_at) \
           VALUES ($1, gen_random_uuid(), 'Sales', $1, now(), now()) RETURNING id), \
         stage AS (INSERT INTO crm.stages (tenant_id, id, pipeline_id, name, position, probability) \
           SELECT $1, gen_random_uuid(), id, 'New', 1, 10 FROM pipeline RETURNING id, pipeline_id), \
         deal AS (INSERT INTO crm.deals (tenant_id, id, name, pipeline_id, stage_id, company_id, contact_ids, \
           stage_entered_at, created_by, created_at, updated_at) \
           SELECT $1, gen_random_uuid(), 'Sale', pipeline_id, id, $2::uuid, $3::uuid[], now(), $1, now(), now() FROM stage \
           RETURNING id, contact_ids), \
         people AS (INSERT INTO crm.deal_contacts (tenant_id, contact_id, deal_id) \
           SELECT $1, c, deal.id FROM deal, unnest(contact_ids) AS c) \
         SELECT id FROM deal",
    )
    .bind(app.acme.id().as_uuid())
    .bind(company.parse::<Uuid>().unwrap())
    .bind(people.iter().map(|id| id.parse::<Uuid>().unwrap()).collect::<Vec<_>>())
    .fetch_one(&mut admin)
    .await
    .unwrap()
}

/// The people of a deal, by its column and by the table of pairs.
pub(crate) async fn people(app: &TestApp<Crm>, deal: Uuid) -> (Vec<String>, Vec<String>) {
    query_as(
        "SELECT contact_ids::text[], ARRAY(SELECT contact_id::text FROM crm.deal_contacts WHERE deal_id = $1 ORDER BY 1) \
         FROM crm.deals WHERE id = $1",
    )
    .bind(deal)
    .fetch_one(&mut app.database.admin().await)
    .await
    .unwrap()
}

/// A record without what every change moves.
fn plain(mut record: Value) -> Value {
    let members = record.as_object_mut().unwrap();
    members.retain(|name, _| name != "version" && name != "updated_at");
    record
}

#[tokio::test]
async fn an_undone_merge_leaves_everything_as_it_was_and_twice_is_once() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let read = async |id: &str| {
        plain(
            member
                .get(&format!("/api/leads/{id}"))
                .await
                .assert_status(200)
                .json(),
        )
    };
    let (one, other) = (read(&first).await, read(&second).await);
    let note = linked(
        &app,
        json!([{ "type": "lead", "id": second }, { "type": "lead", "id": first }]),
    )
    .await;
    let links = links_of(&app, note).await;
    let merged = member
        .post(
            "/api/leads/merge",
            json!({ "primary_id": first, "other_ids": [second] }),
        )
        .await
        .json();
    let path = format!("/api/merges/{}/undo", merged["merge_id"].as_str().unwrap());
    let undone = member
        .post(&path, json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&undone["restored_ids"], &undone["conflicts"]),
        (&json!([second]), &json!([]))
    );
    assert_eq!((read(&first).await, read(&second).await), (one, other));
    assert_eq!(links_of(&app, note).await, links);
    assert_eq!(
        member
            .post(&path, json!({}))
            .await
            .assert_status(200)
            .json(),
        undone
    );
    // And it can be made again.
    let again = member
        .post(
            "/api/leads/merge",
            json!({ "primary_id": first, "other_ids": [second] }),
        )
        .await;
    assert_eq!(again.assert_status(200).json()["repeated"], json!(false));
}

#[tokio::test]
async fn people_and_deals_go_back_to_the_company_and_the_contact_they_came_from() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let stays = made(member, "/api/companies", json!({ "name": "Engines" })).await;
    let goes = made(member, "/api/companies", json!({ "name": "Engines Ltd" })).await;
    let ada = made(
        member,
        "/api/contacts",
        json!({ "first_name": "Ada", "company_id": goes }),
    )
    .await;
    let twin = made(member, "/api/contacts", json!({ "first_name": "Ada B." })).await;
    let deal = deal(&app, &goes, &[&twin, &ada]).await;
    let before = people(&app, deal).await;
    let mut undo = Vec::new();
    for (plural, primary, other) in [("companies", &stays, &goes), ("contacts", &ada, &twin)] {
        let wanted = json!({ "primary_id": primary, "other_ids": [other] });
        let merged = member
            .post(&format!("/api/{plural}/merge"), wanted)
            .await
            .assert_status(200)
            .json();
        undo.push(format!(
            "/api/merges/{}/undo",
            merged["merge_id"].as_str().unwrap()
        ));
    }
    for path in undo {
        assert_eq!(
            member
                .post(&path, json!({}))
                .await
                .assert_status(200)
                .json()["conflicts"],
            json!([])
        );
    }
    assert_eq!(people(&app, deal).await, before);
    let contact = member.get(&format!("/api/contacts/{ada}")).await.json();
    assert_eq!(contact["company_id"], json!(goes));
}

#[tokio::test]
async fn what_was_changed_since_is_left_alone_and_named() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let merged = member
        .post(
            "/api/leads/merge",
            json!({ "primary_id": first, "other_ids": [second] }),
        )
        .await
        .json();
    let path = format!("/api/leads/{first}");
    member
        .patch(&path, json!({ "last_name": "King" }))
        .await
        .assert_status(200);
    let undo = format!("/api/merges/{}/undo", merged["merge_id"].as_str().unwrap());
    let undone = member
        .post(&undo, json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        undone["conflicts"],
        json!([{ "place": "last_name", "id": first, "reason": "changed_since" }])
    );
    let lead = member.get(&path).await.json();
    assert_eq!(
        (&lead["last_name"], &lead["phone"]),
        (&json!("King"), &Value::Null)
    );
}

#[tokio::test]
async fn a_merge_is_undone_within_30_days_by_who_may_change_the_records() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let merged = member
        .post(
            "/api/leads/merge",
            json!({ "primary_id": first, "other_ids": [second] }),
        )
        .await
        .json();
    let path = format!("/api/merges/{}/undo", merged["merge_id"].as_str().unwrap());
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
    let nobody = "/api/merges/0199fa3e-0000-7000-8000-000000000000/undo";
    member
        .post(nobody, json!({}))
        .await
        .assert_problem(404, "not_found");
    app.clock
        .advance(TimeDelta::days(30) + TimeDelta::seconds(1));
    member
        .post(&path, json!({}))
        .await
        .assert_problem(409, "merge_too_old");
}
