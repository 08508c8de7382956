//! What is known of a person, and to be forgotten.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};
use sqlx::query_scalar;

use crate::merges::{linked, made};

/// Ada as a lead that became a contact, with a note, and somebody else; answers the ids of lead and contact.
async fn ada(app: &TestApp<Crm>) -> (String, String) {
    let member = &app.acme.member;
    let lead = json!({ "first_name": "Ada", "last_name": "Lovelace", "email": "ada@engines.example", "city": "London", "source": "web", "tags": ["vip"] });
    let lead = made(member, "/api/leads", lead).await;
    linked(app, json!([{ "type": "lead", "id": lead }])).await;
    member
        .patch(
            &format!("/api/leads/{lead}"),
            json!({ "title": "Countess" }),
        )
        .await
        .assert_status(200);
    let converted = member
        .post(&format!("/api/leads/{lead}/convert"), json!({}))
        .await
        .assert_status(200)
        .json();
    made(
        member,
        "/api/leads",
        json!({ "first_name": "Grace", "email": "grace@other.example" }),
    )
    .await;
    made(
        &app.globex.member,
        "/api/leads",
        json!({ "first_name": "Ada", "email": "ada@engines.example" }),
    )
    .await;
    let mut admin = app.database.admin().await;
    sqlx::query(
        "UPDATE crm.activities SET subject = 'About Ada Lovelace', body = 'ada@engines.example'",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    (lead, converted["contact_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn everything_that_is_known_of_an_address_is_in_one_document() {
    let app = TestApp::<Crm>::start().await;
    let (lead, contact) = ada(&app).await;
    let owner = &app.acme.owner;
    let export = owner
        .post(
            "/api/privacy/export",
            json!({ "email": "ADA@engines.example" }),
        )
        .await
        .assert_status(200)
        .json();
    let parts = &export["parts"];
    let ids = |part: &str| -> Vec<&str> {
        parts[part]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect()
    };
    assert_eq!(
        (ids("leads"), ids("contacts")),
        (vec![lead.as_str()], vec![contact.as_str()])
    );
    assert_eq!(
        (
            parts["activities"].as_array().unwrap().len(),
            parts["leads"][0]["city"].clone()
        ),
        (1, json!("London"))
    );
    assert!(parts["changes"].as_array().unwrap().len() >= 2);
    assert!(!export.to_string().contains("grace@") && !export.to_string().contains("tenant_id"));
    // By a record it is the same person.
    let by_record = json!({ "record": { "type": "contact", "id": contact } });
    let same = owner
        .post("/api/privacy/export", by_record)
        .await
        .assert_status(200)
        .json();
    assert_eq!(same["parts"], *parts);
}

#[tokio::test]
async fn who_is_erased_leaves_empty_rows_and_no_trace_and_twice_is_nothing() {
    let app = TestApp::<Crm>::start().await;
    let (lead, contact) = ada(&app).await;
    let owner = &app.acme.owner;
    let wanted =
        json!({ "subject": { "email": "ada@engines.example" }, "i_know_this_is_final": true });
    let erased = owner
        .post("/api/privacy/erase", &wanted)
        .await
        .assert_status(200)
        .json();
    let counts = &erased["erased"];
    assert_eq!(
        (&counts["leads"], &counts["contacts"], &counts["activities"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let mut admin = app.database.admin().await;
    // Nothing of her is in any table of the tenant but what the other tenant has of its own.
    let tables: Vec<String> = query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'crm' AND tablename <> '_sqlx_migrations'",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    for table in tables {
        let sql = format!(
            "SELECT count(*) FROM {table} AS t WHERE (to_jsonb(t) ->> 'tenant_id') = $1 AND t::text ~* 'lovelace|ada@|countess|london'"
        );
        let left: i64 = query_scalar(&sql)
            .bind(app.acme.id().to_string())
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let kept: (String, Option<String>, Vec<String>) =
        sqlx::query_as("SELECT source, email, tags FROM crm.leads WHERE id = $1::uuid")
            .bind(&lead)
            .fetch_one(&mut admin)
            .await
            .unwrap();
    assert_eq!(kept, ("web".to_owned(), None, Vec::new()));
    for path in [
        format!("/api/leads/{lead}"),
        format!("/api/contacts/{contact}"),
    ] {
        owner.get(&path).await.assert_problem(404, "not_found");
    }
    let again = owner
        .post("/api/privacy/erase", &wanted)
        .await
        .assert_status(200)
        .json();
    assert!(
        again["erased"]
            .as_object()
            .unwrap()
            .values()
            .all(|count| *count == json!(0)),
        "{again}"
    );
    let record = json!({ "subject": { "record": { "type": "lead", "id": lead } }, "i_know_this_is_final": true });
    let again = owner
        .post("/api/privacy/erase", record)
        .await
        .assert_status(200)
        .json();
    assert_eq!(again["erased"]["leads"], json!(0));
    let others = app.globex.viewer.get("/api/leads").await.json();
    assert_eq!(others["items"][0]["email"], json!("ada@engines.example"));
}

#[tokio::test]
async fn only_administrators_export_and_erase_and_they_confirm_it() {
    let app = TestApp::<Crm>::start().await;
    let (lead, _) = ada(&app).await;
    let subject = json!({ "email": "ada@engines.example" });
    let final_ = |yes: bool| json!({ "subject": subject, "i_know_this_is_final": yes });
    app.acme
        .member
        .post("/api/privacy/export", &subject)
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .member
        .post("/api/privacy/erase", final_(true))
        .await
        .assert_problem(403, "forbidden");
    let owner = &app.acme.owner;
    owner
        .post("/api/privacy/erase", final_(false))
        .await
        .assert_problem(422, "validation_failed");
    for bad in [
        json!({}),
        json!({ "email": "nowhere" }),
        json!({ "email": "a@b.example", "record": { "type": "lead", "id": lead } }),
        json!({ "record": { "type": "company", "id": lead } }),
    ] {
        owner
            .post("/api/privacy/export", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let foreign = json!({ "record": { "type": "lead", "id": lead } });
    app.globex
        .owner
        .post("/api/privacy/export", foreign)
        .await
        .assert_problem(404, "not_found");
    let nobody = owner
        .post(
            "/api/privacy/export",
            json!({ "email": "nobody@x.example" }),
        )
        .await
        .assert_status(200)
        .json();
    assert_eq!(nobody["parts"], json!({}));
    let lead = owner
        .get(&format!("/api/leads/{lead}"))
        .await
        .assert_status(200)
        .json();
    assert_ne!(lead["email"], Value::Null);
}
