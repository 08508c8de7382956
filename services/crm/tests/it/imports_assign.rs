//! New leads of a file get their owners by the assignment rules, when that is asked for.

use axum::http::Method;
use bz_testkit::{Tenant, TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};

use crate::support::{PATIENCE, arrange, counts, imported, number, over, upload};

fn user(n: u8) -> String {
    format!("0199fa3e-0000-7000-8000-0000000000{n:02x}")
}

async fn rule(app: &TestApp<Crm>, body: Value) {
    let made = app.acme.owner.post("/api/assignment-rules", body).await;
    made.assert_status(201);
}

async fn round_robin(app: &TestApp<Crm>) {
    let members = json!([{ "user_id": user(1), "weight": 2 }, { "user_id": user(2) }]);
    let all = json!({ "name": "All", "position": 9, "assign": { "method": "round_robin", "members": members } });
    rule(app, all).await;
}

async fn owned(app: &TestApp<Crm>, n: u8) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM crm.leads WHERE owner_id = '{}'",
        user(n)
    );
    number(app, &sql).await
}

async fn start() -> TestApp<Crm> {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn every_new_lead_of_a_file_gets_its_owner_by_the_first_rule_that_fits() {
    let app = start().await;
    let owned_by = |n: u8| json!({ "user_id": user(n) });
    let territory = json!({
        "name": "Germany", "position": 1,
        "assign": { "method": "territory", "cases": [{ "countries": ["Germany"], "user_id": user(7) }] }
    });
    rule(&app, territory).await;
    let load = json!({
        "name": "Fair", "position": 2, "filter": { "field": "source", "value": "fair" },
        "assign": { "method": "least_loaded", "members": [owned_by(4), owned_by(5)] }
    });
    rule(&app, load).await;
    round_robin(&app).await;
    // One is busy already; the lead that is there keeps its owner, whatever the file says of it.
    let busy = json!({ "email": "old@engines.example", "owner_id": user(4), "country": "Germany" });
    let member = &app.acme.member;
    member.post("/api/leads", busy).await.assert_status(201);
    let file = format!(
        "email,source,country,owner_id\n\
         old@engines.example,fair,Germany,\n\
         de@engines.example,fair,germany,\n\
         fair1@engines.example,fair,,\n\
         fair2@engines.example,fair,,\n\
         fair3@engines.example,fair,,\n\
         mine@engines.example,,,{}\n\
         a@engines.example,,,\nb@engines.example,,,\nc@engines.example,,,\n\
         nonsense,,,\n",
        user(9)
    );
    let import = imported(&app, "?mode=upsert&assign=true", file).await;
    assert_eq!(
        (counts(&import), &import["assign"]),
        ([8, 1, 0, 1], &json!(true))
    );
    let mut found = Vec::new();
    for n in [1, 2, 4, 5, 7, 9] {
        found.push((n, owned(&app, n).await));
    }
    // Of the fair's three the idle one gets two: one against two, two against two and the first of equals.
    assert_eq!(found, [(1, 2), (2, 1), (4, 2), (5, 2), (7, 1), (9, 1)]);
    let reasons = "SELECT count(*) FROM crm.record_changes WHERE action = 'assigned' AND reason = 'rule: Fair'";
    assert_eq!(number(&app, reasons).await, 3);
    // Nobody has seen them before: they are as new as those without an owner.
    let changed =
        "SELECT count(*) FROM crm.leads WHERE version > 1 AND email <> 'old@engines.example'";
    assert_eq!(number(&app, changed).await, 0);
    // The next one that comes by itself takes the next turn.
    let next = json!({ "email": "next@engines.example" });
    let next = member.post("/api/leads", next).await.assert_status(201);
    assert_eq!(next.json()["owner_id"], json!(user(1)));
}

#[tokio::test]
async fn nobody_gets_a_lead_of_a_file_unless_that_is_asked_for() {
    let app = start().await;
    round_robin(&app).await;
    let import = imported(&app, "", "email\na@engines.example\n").await;
    assert_eq!(import["assign"], json!(false));
    imported(
        &app,
        "?assign=true&dry_run=true",
        "email\nb@engines.example\n",
    )
    .await;
    let owned = "SELECT count(*) FROM crm.leads WHERE owner_id IS NOT NULL";
    assert_eq!(number(&app, owned).await, 0);
    assert_eq!(
        number(&app, "SELECT sum(turn)::bigint FROM crm.assignment_rules").await,
        0
    );
    // Rules of one tenant give nobody the leads of another.
    let foreign = upload(
        &app.globex.member,
        "?assign=true",
        "email\nc@globex.example\n",
    )
    .await;
    let path = foreign
        .assert_status(202)
        .header("location")
        .unwrap()
        .to_owned();
    over(&app.globex.member, &path).await;
    assert_eq!(number(&app, owned).await, 0);
}

#[tokio::test]
async fn only_leads_have_rules_to_ask_and_only_true_or_false_is_said() {
    let app = TestApp::<Crm>::start().await;
    let contacts = app
        .acme
        .member
        .request(Method::POST, "/api/contacts/import?assign=true");
    let refused = contacts
        .body("text/csv", "first_name\nAda\n")
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["parameter"], json!("assign"));
    upload(
        &app.acme.member,
        "?assign=perhaps",
        "email\na@engines.example\n",
    )
    .await
    .assert_problem(422, "validation_failed");
    upload(
        &app.acme.viewer,
        "?assign=true",
        "email\na@engines.example\n",
    )
    .await
    .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_rule_is_asked_once_for_all_rows_and_an_undo_takes_the_leads_back() {
    let app = start().await;
    let team = "INSERT INTO crm.teams (tenant_id, id, name, created_at, updated_at) \
         VALUES ('{tenant}', '0199fa3e-0000-7000-8000-00000000aaaa', 'Sales', now(), now()); \
         INSERT INTO crm.team_members (tenant_id, user_id, team_id) \
         SELECT '{tenant}', ('0199fa3e-0000-7000-8000-00000000000' || n)::uuid, '0199fa3e-0000-7000-8000-00000000aaaa' \
         FROM generate_series(5, 6) AS n";
    arrange(&app, team).await;
    let sales = json!({ "method": "team", "team_id": "0199fa3e-0000-7000-8000-00000000aaaa" });
    rule(
        &app,
        json!({ "name": "Team", "position": 1, "assign": sales }),
    )
    .await;
    let rows: String = (0..1_000)
        .map(|n| format!("lead{n}@engines.example\n"))
        .collect();
    let import = imported(&app, "?assign=true", format!("email\n{rows}")).await;
    assert_eq!(counts(&import), [1_000, 0, 0, 0]);
    assert_eq!((owned(&app, 5).await, owned(&app, 6).await), (500, 500));
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE team_id IS NOT NULL"
        )
        .await,
        1_000
    );
    let turns = "SELECT turn FROM crm.assignment_rules";
    assert_eq!(number(&app, turns).await, 1_000);
    // A transaction tells of all its updates at once: one of the rule, however many turns it took.
    let updates =
        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relid = 'crm.assignment_rules'::regclass";
    wait_until(async || number(&app, updates).await > 0, PATIENCE).await;
    assert_eq!(number(&app, updates).await, 1);

    let undo = format!("/api/imports/{}/undo", import["id"].as_str().unwrap());
    let begun = app.acme.member.post(&undo, json!({})).await;
    let path = begun
        .assert_status(202)
        .header("location")
        .unwrap()
        .to_owned();
    let job = over(&app.acme.member, &path).await;
    assert_eq!(
        (&job["result"]["deleted"], &job["result"]["left"]),
        (&json!(1_000), &json!(0))
    );
    let left = format!(
        "SELECT count(*) FROM crm.leads WHERE deleted_at IS NULL AND tenant_id = '{}'",
        Tenant::Acme.id()
    );
    assert_eq!(number(&app, &left).await, 0);
}
