//! A lead becomes a contact and a company.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{
    events,
    merges::{linked, links_of, made},
};

fn ada() -> Value {
    json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "ada@engines.example", "company_name": "Engines",
        "title": "Countess", "phone": "+49 30 1234567", "tags": ["vip"], "employees": 7
    })
}

#[tokio::test]
async fn a_converted_lead_is_a_contact_and_a_company_once() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = made(member, "/api/leads", ada()).await;
    let note = linked(&app, json!([{ "type": "lead", "id": lead }])).await;
    let path = format!("/api/leads/{lead}/convert");
    let converted = member
        .post(&path, json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&converted["created"], &converted["repeated"]),
        (&json!(["company", "contact"]), &json!(false))
    );
    assert_eq!(
        (&converted["lead"]["status"], &converted["lead"]["outcome"]),
        (&json!("converted"), &Value::Null)
    );
    let contact_id = converted["contact_id"].as_str().unwrap().to_owned();
    let contact = member
        .get(&format!("/api/contacts/{contact_id}"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &contact["email"],
            &contact["title"],
            &contact["tags"],
            &contact["company_id"]
        ),
        (
            &json!("ada@engines.example"),
            &json!("Countess"),
            &json!(["vip"]),
            &converted["company_id"]
        )
    );
    let company = member
        .get(&format!(
            "/api/companies/{}",
            converted["company_id"].as_str().unwrap()
        ))
        .await
        .json();
    assert_eq!(
        (&company["name"], &company["domain"], &company["employees"]),
        (&json!("Engines"), &json!("engines.example"), &json!(7))
    );
    let (links, back) = links_of(&app, note).await;
    assert_eq!((links.as_array().unwrap().len(), back.len()), (3, 3));
    assert!(back.contains(&contact_id));
    // Once more, whatever it says: the first result.
    let again = member
        .post(&path, json!({ "company": null }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&again["contact_id"], &again["company_id"]),
        (&converted["contact_id"], &converted["company_id"])
    );
    assert_eq!(
        (&again["repeated"], &again["created"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        events(&app).await,
        [
            "lead.created",
            "company.created",
            "contact.created",
            "lead.converted"
        ]
    );
}

#[tokio::test]
async fn what_is_there_already_is_used() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let company = made(
        member,
        "/api/companies",
        json!({ "name": "Engines Ltd", "domain": "engines.example" }),
    )
    .await;
    let contact = made(
        member,
        "/api/contacts",
        json!({ "email": "ADA@engines.example", "first_name": "Ada" }),
    )
    .await;
    let lead = made(member, "/api/leads", ada()).await;
    let converted = member
        .post(&format!("/api/leads/{lead}/convert"), json!({}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&converted["contact_id"], &converted["company_id"]),
        (&json!(contact), &json!(company))
    );
    assert_eq!(converted["created"], json!([]));
    let contact = member.get(&format!("/api/contacts/{contact}")).await.json();
    assert_eq!(
        (&contact["company_id"], &contact["tags"]),
        (&json!(company), &json!(["vip"]))
    );
}

#[tokio::test]
async fn the_client_says_what_it_becomes_and_a_dry_run_changes_nothing() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let contact = made(member, "/api/contacts", json!({ "first_name": "Grace" })).await;
    let lead = made(member, "/api/leads", ada()).await;
    let path = format!("/api/leads/{lead}/convert");
    let wanted = json!({ "contact": { "title": "CTO" }, "company": null, "dry_run": true });
    let dry = member.post(&path, wanted).await.assert_status(200).json();
    assert_eq!(
        (&dry["created"], &dry["company_id"]),
        (&json!(["contact"]), &Value::Null)
    );
    assert_eq!(events(&app).await.len(), 2);
    let wanted = json!({ "contact": { "id": contact }, "company": { "name": "Engines of Ada" } });
    let converted = member.post(&path, wanted).await.assert_status(200).json();
    assert_eq!(
        (&converted["contact_id"], &converted["created"]),
        (&json!(contact), &json!(["company"]))
    );
}

#[tokio::test]
async fn a_conversion_says_what_is_wrong_and_who_may_not() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = made(member, "/api/leads", ada()).await;
    let path = format!("/api/leads/{lead}/convert");
    let wrong = member
        .post(&path, json!({ "contact": { "email": "nowhere" } }))
        .await;
    let wrong = wrong.assert_problem(422, "validation_failed");
    assert_eq!(
        wrong.json()["errors"][0]["pointer"],
        json!("/contact/email")
    );
    let nobody = "0199fa3e-0000-7000-8000-000000000000";
    for bad in [
        json!({ "contact": null, "company": null }),
        json!({ "contact": { "id": nobody } }),
        json!({ "contact": { "id": nobody, "title": "x" } }),
        json!({ "contact": { "nickname": "x" } }),
    ] {
        member
            .post(&path, bad)
            .await
            .assert_problem(422, "validation_failed");
    }
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
    member
        .post(&format!("/api/leads/{nobody}/convert"), json!({}))
        .await
        .assert_problem(404, "not_found");
    assert_eq!(events(&app).await, ["lead.created"]);
}
