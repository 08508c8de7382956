//! Who gets a new lead.

use std::collections::BTreeMap;

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};

use crate::merges::made;

fn user(n: u8) -> String {
    format!("0199fa3e-0000-7000-8000-0000000000{n:02x}")
}

async fn rule(owner: &Client, body: Value) -> Value {
    owner
        .post("/api/assignment-rules", body)
        .await
        .assert_status(201)
        .json()
}

async fn owner_of_new(client: &Client, body: Value) -> Value {
    let lead = client
        .post("/api/leads?on_duplicate=create", body)
        .await
        .assert_status(201);
    assert_eq!(lead.header("etag"), Some("\"1\""));
    lead.json()["owner_id"].clone()
}

#[tokio::test]
async fn the_first_rule_that_fits_gives_a_new_lead_its_owner() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let first = json!({
        "name": "Referrals", "position": 1, "filter": { "field": "source", "value": "referral" },
        "assign": { "method": "user", "user_id": user(1) }
    });
    let first = rule(owner, first).await;
    let second = json!({
        "name": "Germany", "position": 2, "assign": { "method": "territory", "cases": [
            { "countries": ["germany", "Austria"], "user_id": user(2) }, { "cities": ["Paris"], "user_id": user(3) }
        ] }
    });
    rule(owner, second).await;
    let member = &app.acme.member;
    for (lead, expected) in [
        (
            json!({ "first_name": "A", "source": "referral", "country": "Germany" }),
            json!(user(1)),
        ),
        (
            json!({ "first_name": "B", "country": "GERMANY" }),
            json!(user(2)),
        ),
        (
            json!({ "first_name": "C", "city": "paris" }),
            json!(user(3)),
        ),
        (
            json!({ "first_name": "D", "country": "Italy" }),
            Value::Null,
        ),
        (
            json!({ "first_name": "E", "country": "Austria", "owner_id": user(9) }),
            json!(user(9)),
        ),
    ] {
        assert_eq!(owner_of_new(member, lead.clone()).await, expected, "{lead}");
    }
    // Why is written down.
    let reasons: Vec<String> = sqlx::query_scalar(
        "SELECT reason FROM crm.record_changes WHERE action = 'assigned' ORDER BY id",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(
        reasons,
        ["rule: Referrals", "rule: Germany", "rule: Germany"]
    );
    // The other tenant's leads are not touched; a rule that is switched off does nothing.
    assert_eq!(
        owner_of_new(
            &app.globex.member,
            json!({ "first_name": "A", "source": "referral" })
        )
        .await,
        Value::Null
    );
    let off = json!({ "name": "Referrals", "enabled": false, "assign": { "method": "user", "user_id": user(1) } });
    let path = format!("/api/assignment-rules/{}", first["id"].as_str().unwrap());
    owner.put(&path, off).await.assert_status(200);
    assert_eq!(
        owner_of_new(member, json!({ "first_name": "A", "source": "referral" })).await,
        Value::Null
    );
}

#[tokio::test]
async fn leads_that_come_at_once_go_round_exactly() {
    let app = TestApp::<Crm>::start().await;
    let members = json!([{ "user_id": user(1), "weight": 2 }, { "user_id": user(2) }]);
    let wanted =
        json!({ "name": "All", "assign": { "method": "round_robin", "members": members } });
    rule(&app.acme.owner, wanted).await;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..3 {
        let mut sending = tokio::task::JoinSet::new();
        for n in 0..4 {
            let member = app.acme.member.clone();
            sending.spawn(async move {
                owner_of_new(&member, json!({ "first_name": format!("Lead {n}") })).await
            });
        }
        for owner in sending.join_all().await {
            *counts
                .entry(owner.as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    assert_eq!(counts, BTreeMap::from([(user(1), 8), (user(2), 4)]));
}

#[tokio::test]
async fn who_has_least_to_do_and_a_team_in_turn_get_the_next_lead() {
    let app = TestApp::<Crm>::start().await;
    let (owner, member) = (&app.acme.owner, &app.acme.member);
    for _ in 0..2 {
        made(
            member,
            "/api/leads",
            json!({ "first_name": "Old", "owner_id": user(1) }),
        )
        .await;
    }
    let members = json!([{ "user_id": user(1) }, { "user_id": user(2) }]);
    let wanted = json!({
        "name": "Load", "position": 2, "filter": { "field": "source", "value": "web" },
        "assign": { "method": "least_loaded", "members": members }
    });
    rule(owner, wanted).await;
    let team = "0199fa3e-0000-7000-8000-00000000aaaa";
    sqlx::query(
        "WITH team AS (INSERT INTO crm.teams (tenant_id, id, name, created_at, updated_at) \
         VALUES ($1, $2::uuid, 'Sales', now(), now())) \
         INSERT INTO crm.team_members (tenant_id, user_id, team_id) SELECT $1, u, $2::uuid FROM unnest($3::uuid[]) AS u",
    )
    .bind(app.acme.id().as_uuid())
    .bind(team.parse::<uuid::Uuid>().unwrap())
    .bind([user(5), user(6)].iter().map(|id| id.parse().unwrap()).collect::<Vec<uuid::Uuid>>())
    .execute(&mut app.database.admin().await)
    .await
    .unwrap();
    rule(
        owner,
        json!({ "name": "Team", "position": 3, "assign": { "method": "team", "team_id": team } }),
    )
    .await;
    let mut owners = Vec::new();
    for _ in 0..3 {
        owners.push(owner_of_new(member, json!({ "first_name": "New", "source": "web" })).await);
    }
    assert_eq!(owners, [json!(user(2)), json!(user(2)), json!(user(1))]);
    let lead = member
        .post("/api/leads", json!({ "first_name": "Other" }))
        .await
        .json();
    assert_eq!(
        (&lead["owner_id"], &lead["team_id"]),
        (&json!(user(5)), &json!(team))
    );
    assert_eq!(
        owner_of_new(member, json!({ "first_name": "Other" })).await,
        json!(user(6))
    );
}

#[tokio::test]
async fn a_lead_is_given_to_somebody_with_a_reason() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = made(member, "/api/leads", json!({ "first_name": "Ada" })).await;
    let path = format!("/api/leads/{lead}/assign");
    let dry = member
        .post(&path, json!({ "user_id": user(1), "dry_run": true }))
        .await
        .assert_status(200);
    assert_eq!(dry.json()["owner_id"], json!(user(1)));
    assert_eq!(
        member.get(&format!("/api/leads/{lead}")).await.json()["owner_id"],
        Value::Null
    );
    let given = member
        .post(&path, json!({ "user_id": user(1), "reason": "knows her" }))
        .await
        .assert_status(200);
    assert_eq!(
        (&given.json()["owner_id"], &given.json()["reason"]),
        (&json!(user(1)), &json!("given: knows her"))
    );
    let again = member
        .post(&path, json!({ "user_id": user(1) }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(again["lead"]["version"], json!(2));
    let wanted = json!({ "name": "All", "assign": { "method": "user", "user_id": user(2) } });
    let by = rule(&app.acme.owner, wanted).await;
    let by_rule = member
        .post(&path, json!({ "rule_id": by["id"] }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&by_rule["owner_id"], &by_rule["rule_id"]),
        (&json!(user(2)), &by["id"])
    );
    let both = json!({ "rule_id": by["id"], "user_id": user(1) });
    member
        .post(&path, both)
        .await
        .assert_problem(422, "validation_failed");
    member
        .post(&path, json!({ "rule_id": user(1) }))
        .await
        .assert_problem(422, "validation_failed");
    let stale = member.post(&path, json!({})).header("if-match", "\"9\"");
    stale.await.assert_problem(412, "precondition_failed");
    app.acme
        .viewer
        .post(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .member
        .post(&path, json!({}))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_dry_run_says_what_every_rule_would_do_and_uses_up_no_turn() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let lead = made(
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": "Ada", "country": "Italy" }),
    )
    .await;
    let members = json!([{ "user_id": user(1) }, { "user_id": user(2) }]);
    let no = json!({
        "name": "No", "position": 1, "filter": { "field": "country", "value": "Spain" },
        "assign": { "method": "user", "user_id": user(9) }
    });
    rule(owner, no).await;
    let wanted = json!({ "name": "Turn", "position": 2, "assign": { "method": "round_robin", "members": members } });
    let turn = rule(owner, wanted).await;
    for _ in 0..2 {
        let tried = app
            .acme
            .viewer
            .post("/api/assignment-rules/dry-run", json!({ "lead_id": lead }))
            .await;
        let tried = tried.assert_status(200).json();
        assert_eq!(
            (&tried["rule_id"], &tried["owner_id"]),
            (&turn["id"], &json!(user(1)))
        );
        let matches: Vec<_> = tried["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["matches"].clone())
            .collect();
        assert_eq!(matches, [json!(false), json!(true)]);
    }
    let foreign = app
        .globex
        .owner
        .post("/api/assignment-rules/dry-run", json!({ "lead_id": lead }));
    foreign.await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_rule_is_made_read_changed_and_deleted_by_administrators() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let wanted = json!({ "name": "All", "assign": { "method": "user", "user_id": user(1) } });
    let send = async || {
        owner
            .post("/api/assignment-rules", &wanted)
            .header("idempotency-key", "once")
            .await
    };
    let (first, again) = (
        send().await.assert_status(201),
        send().await.assert_status(201),
    );
    assert_eq!(first.json(), again.json());
    owner
        .post("/api/assignment-rules", &wanted)
        .await
        .assert_problem(409, "name_taken");
    let path = format!(
        "/api/assignment-rules/{}",
        first.json()["id"].as_str().unwrap()
    );
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        first.json()
    );
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .member
        .put(&path, &wanted)
        .await
        .assert_problem(403, "forbidden");
    owner
        .put(&path, &wanted)
        .header("if-match", "\"7\"")
        .await
        .assert_problem(412, "precondition_failed");
    for bad in [
        json!({ "name": " ", "assign": { "method": "user", "user_id": user(1) } }),
        json!({ "name": "x", "assign": { "method": "round_robin", "members": [] } }),
        json!({ "name": "x", "assign": { "method": "round_robin", "members": [{ "user_id": user(1), "weight": 0 }] } }),
        json!({ "name": "x", "assign": { "method": "score", "cases": [{ "min": 50, "max": 10, "user_id": user(1) }] } }),
        json!({ "name": "x", "assign": { "method": "territory", "cases": [{ "user_id": user(1) }] } }),
        json!({ "name": "x", "assign": { "method": "dice" } }),
        json!({ "name": "x", "filter": { "field": "nothing", "value": 1 }, "assign": { "method": "user", "user_id": user(1) } }),
    ] {
        owner
            .post("/api/assignment-rules", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    owner.delete(&path).await.assert_status(204);
    owner.delete(&path).await.assert_problem(404, "not_found");
    let list = app
        .acme
        .viewer
        .get("/api/assignment-rules")
        .await
        .assert_status(200);
    assert_eq!(list.json(), json!({ "items": [], "next_cursor": null }));
}
