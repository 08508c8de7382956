//! Teams, and whose records a role sees and changes: every width, in every way to a record.

use bz_testkit::{Client, Tenant, TestApp};
use crm::Crm;
use serde_json::{Value, json};

use crate::kit::{column, faults, made, text, user};

const TEAMS: &str = "/api/teams";

async fn narrow(app: &TestApp<Crm>, of: &str, reads: &str, writes: &str) {
    let path = format!("/api/record-access/sales/{of}");
    let body = json!({ "reads": reads, "writes": writes });
    app.acme.owner.put(&path, body).await.assert_status(200);
}

/// A user of the role `sales`, which may read and write by entitlement.
fn seller(app: &TestApp<Crm>, number: u128) -> (bz_kernel::UserId, Client) {
    let (user, _) = user(app, number, "sales");
    let mut claims = app.tokens.user_claims(Tenant::Acme, user, &["sales"]);
    claims.entitlements = vec!["*:read".into(), "*:write".into()];
    (user, app.acme.owner.with_token(app.tokens.sign(&claims)))
}

struct Scene {
    app: TestApp<Crm>,
    ann: Client,
    /// Leads of Ann, of her team, and of somebody else, by name.
    leads: [String; 3],
}

/// Ann sees a lead of her own, one of her team's and one of nobody she knows.
async fn scene() -> Scene {
    let app = TestApp::<Crm>::start().await;
    let (ann_id, ann) = seller(&app, 1);
    let team = json!({ "name": "North", "members": [ann_id] });
    let team = made(&app, &app.acme.owner, TEAMS, team).await;
    let owner = app.acme.owner.clone();
    let mut leads = Vec::new();
    for (name, more) in [
        ("own", json!({ "owner_id": ann_id })),
        ("team", json!({ "team_id": team["id"] })),
        ("other", json!({})),
    ] {
        let mut lead = json!({ "first_name": name });
        lead.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let lead = made(&app, &owner, "/api/leads", lead).await;
        leads.push(format!("/api/leads/{}", text(&lead, "id")));
    }
    let leads = leads.try_into().unwrap();
    Scene { app, ann, leads }
}

#[tokio::test]
async fn every_width_of_reading_holds_for_one_lists_queries_and_timelines() {
    let Scene { app, ann, leads } = scene().await;
    for (width, names) in [
        ("all", vec!["other", "team", "own"]),
        ("team", vec!["team", "own"]),
        ("own", vec!["own"]),
        ("none", vec![]),
    ] {
        narrow(&app, "lead", width, "none").await;
        assert_eq!(
            column(&ann, "/api/leads", "first_name").await,
            names,
            "{width}"
        );
        let count = ann.get("/api/leads?count=exact&sort=name").await.json();
        assert_eq!(count["count"], names.len(), "{width}");
        let query = ann
            .post("/api/leads/query", json!({ "count": "estimate" }))
            .await
            .json();
        assert_eq!(
            query["items"].as_array().unwrap().len(),
            names.len(),
            "{width}"
        );
        for (path, name) in leads.iter().zip(["own", "team", "other"]) {
            let status = if names.contains(&name) { 200 } else { 404 };
            ann.get(path).await.assert_status(status);
            ann.get(&format!("{path}/timeline"))
                .await
                .assert_status(status);
        }
    }
    // Owners see everything, whatever is said of other roles.
    assert_eq!(column(&app.acme.owner, "/api/leads", "id").await.len(), 3);
}

#[tokio::test]
async fn every_width_of_writing_holds_and_what_is_seen_but_not_ones_own_is_403() {
    let Scene { app, ann, leads } = scene().await;
    for (reads, writes, statuses) in [
        ("all", "all", [200, 200, 200]),
        ("all", "team", [200, 200, 403]),
        ("all", "own", [200, 403, 403]),
        ("all", "none", [403, 403, 403]),
        ("team", "own", [200, 403, 404]),
        ("own", "own", [200, 404, 404]),
        ("own", "none", [403, 404, 404]),
        ("none", "none", [404, 404, 404]),
    ] {
        narrow(&app, "lead", reads, writes).await;
        for (path, status) in leads.iter().zip(statuses) {
            let change = ann
                .patch(path, json!({ "city": format!("{reads} {writes}") }))
                .await;
            change.assert_status(status);
            if status != 200 {
                ann.delete(path).await.assert_status(status);
                ann.put(path, json!({ "first_name": "x" }))
                    .await
                    .assert_status(status);
                ann.post(&format!("{path}/restore"), json!({}))
                    .await
                    .assert_status(status);
            }
        }
        let status = if writes == "none" { 403 } else { 201 };
        ann.post("/api/leads", json!({ "first_name": "new" }))
            .await
            .assert_status(status);
    }
}

#[tokio::test]
async fn related_records_and_the_trash_are_shown_as_far_as_they_are_seen() {
    let app = TestApp::<Crm>::start().await;
    let (ann_id, ann) = seller(&app, 1);
    let owner = &app.acme.owner;
    let mut contacts = Vec::new();
    for (name, whose) in [("Mine", Some(ann_id)), ("Theirs", None)] {
        let company = json!({ "name": name, "owner_id": whose });
        let company = made(&app, owner, "/api/companies", company).await;
        let contact = json!({ "first_name": name, "company_id": company["id"] });
        contacts.push(made(&app, owner, "/api/contacts", contact).await);
    }
    narrow(&app, "company", "own", "own").await;
    let page = ann
        .get("/api/contacts?include=company&sort=name")
        .await
        .assert_status(200)
        .json();
    assert_eq!(page["items"][0]["company"]["name"], "Mine");
    assert_eq!(page["items"][1]["company"], Value::Null);
    narrow(&app, "contact", "own", "own").await;
    for contact in &contacts {
        let path = format!("/api/contacts/{}", text(contact, "id"));
        owner.delete(&path).await.assert_status(204);
    }
    assert!(
        column(&ann, "/api/contacts?deleted=only", "id")
            .await
            .is_empty()
    );
    assert_eq!(
        column(owner, "/api/contacts?deleted=only", "id")
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_team_is_made_changed_and_its_records_are_nobodys_when_it_goes() {
    let Scene { app, ann, leads } = scene().await;
    let owner = &app.acme.owner;
    narrow(&app, "lead", "team", "team").await;
    let page = app.acme.viewer.get(TEAMS).await.assert_status(200).json();
    let team = format!("{TEAMS}/{}", text(&page["items"][0], "id"));
    let (bob, _) = user(&app, 2, "sales");
    let member = format!("{team}/members/{bob}");
    for _ in 0..2 {
        let after = owner
            .put(&member, json!({}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (
                after["members"].as_array().unwrap().len(),
                &after["version"]
            ),
            (2, &json!(2))
        );
    }
    for _ in 0..2 {
        let after = owner.delete(&member).await.assert_status(200).json();
        assert_eq!(
            (
                after["members"].as_array().unwrap().len(),
                &after["version"]
            ),
            (1, &json!(3))
        );
    }
    let taken = json!({ "name": "South" });
    made(&app, owner, TEAMS, taken.clone()).await;
    let refused = owner
        .patch(&team, &taken)
        .await
        .assert_problem(409, "team_exists");
    assert_eq!(faults(&refused), ["/name not_unique"]);
    let late = owner
        .patch(&team, json!({ "name": "x" }))
        .header("if-match", "\"1\"")
        .await;
    late.assert_problem(412, "precondition_failed");
    let after = owner
        .patch(&team, json!({ "members": [] }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(after["members"], json!([]));
    ann.get(&leads[1]).await.assert_problem(404, "not_found");
    app.acme
        .member
        .delete(&team)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .delete(&team)
        .await
        .assert_problem(404, "not_found");
    owner.delete(&team).await.assert_status(204);
    owner.get(&team).await.assert_problem(404, "not_found");
    assert_eq!(owner.get(&leads[1]).await.json()["team_id"], Value::Null);
    owner
        .post(TEAMS, json!({ "name": " " }))
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn what_a_role_sees_is_said_by_an_admin_and_makes_sense() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let put = async |path: &str, reads: &str, writes: &str| {
        owner
            .put(
                &format!("/api/record-access/{path}"),
                json!({ "reads": reads, "writes": writes }),
            )
            .await
    };
    let wider = put("member/lead", "own", "all")
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(faults(&wider), ["/writes wider_than_reads"]);
    put("owner/lead", "own", "own")
        .await
        .assert_problem(422, "validation_failed");
    put("member/shoe", "own", "own")
        .await
        .assert_problem(422, "validation_failed");
    put("member/lead", "some", "own")
        .await
        .assert_problem(422, "validation_failed");
    for width in ["own", "team"] {
        put("member/lead", width, "own").await.assert_status(200);
    }
    put("viewer/contact", "own", "none")
        .await
        .assert_status(200);
    let page = "/api/record-access?limit=1";
    assert_eq!(column(owner, page, "reads").await, ["team"]);
    assert_eq!(
        crate::kit::all_pages(owner, "/api/record-access", "role").await,
        ["member", "viewer"]
    );
    assert!(
        column(&app.globex.owner, "/api/record-access", "role")
            .await
            .is_empty()
    );
    app.acme
        .member
        .get(page)
        .await
        .assert_problem(403, "forbidden");
    let member = app
        .acme
        .member
        .put(
            "/api/record-access/member/lead",
            json!({ "reads": "all", "writes": "all" }),
        )
        .await;
    member.assert_problem(403, "forbidden");
    // The member of the other tenant is not narrowed.
    app.globex
        .member
        .post("/api/leads", json!({ "first_name": "x" }))
        .await
        .assert_status(201);
    assert_eq!(
        column(&app.globex.viewer, "/api/leads", "first_name").await,
        ["x"]
    );
}
