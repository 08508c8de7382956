//! Imports that work.

use axum::http::Method;
use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;

use crate::{
    events,
    support::{arrange, counts, custom_field, imported, number, over, upload},
};

const FILE: &str = "E-Mail,First Name,Surname,Company,Employees,Notes\n\
    Ada@Engines.example,Ada,Lovelace,Engines,80,x\n\
    ada@engines.example,Ada,again,Engines,80,x\n\
    grace@navy.example,Grace,Hopper,Navy,1000,x\n\
    nobody,,,,,\n\
    alan@bletchley.example,Alan,Turing,Bletchley,many,x\n";

async fn start() -> TestApp<Crm> {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn a_file_becomes_leads_and_every_row_is_accounted_for() {
    let app = start().await;
    let begun = upload(&app.acme.member, "", FILE).await.assert_status(202);
    let first = begun.json();
    assert_eq!(first["rows_total"], 5);
    assert_eq!(
        first["mapping"],
        json!({ "E-Mail": "email", "First Name": "first_name", "Surname": "last_name", "Company": "company_name",
                "Employees": "employees", "Notes": null })
    );
    let import = over(&app.acme.member, begun.header("location").unwrap()).await;
    assert_eq!(
        (&import["status"], counts(&import)),
        (&json!("succeeded"), [2, 0, 1, 2])
    );
    assert_eq!(import["percent"], 100.0);
    let leads = app.acme.viewer.get("/api/leads").await.json();
    let names: Vec<&str> = leads["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["last_name"].as_str().unwrap())
        .collect();
    assert!(
        names.len() == 2 && names.contains(&"Lovelace") && names.contains(&"Hopper"),
        "{names:?}"
    );
    // One event for all, however many they are.
    assert_eq!(events(&app).await, ["records.imported"]);
    let norm = "SELECT count(*) FROM crm.leads WHERE email_norm = 'ada@engines.example' AND name_norm = 'ada lovelace'";
    assert_eq!(number(&app, norm).await, 1);
}

#[tokio::test]
async fn the_rows_that_failed_say_why_and_can_be_corrected_and_sent_again() {
    let app = start().await;
    let import = imported(&app, "", FILE).await;
    let path = format!("/api/imports/{}/errors", import["id"].as_str().unwrap());
    let errors = app.acme.member.get(&path).await.assert_status(200).json();
    let rows = errors["items"].as_array().unwrap();
    assert_eq!(
        (rows[0]["row"].clone(), rows[1]["row"].clone()),
        (json!(5), json!(6))
    );
    assert_eq!(rows[0]["errors"][0]["column"], "E-Mail");
    assert_eq!(rows[0]["errors"][0]["code"], "invalid_email");
    assert_eq!(
        rows[1]["errors"],
        json!([{ "column": "Employees", "code": "invalid_value", "message": "must be a whole number", "value": "many" }])
    );
    assert_eq!(rows[1]["cells"]["Surname"], "Turing");
    let file = app
        .acme
        .member
        .get(&format!("{path}?format=csv"))
        .await
        .assert_status(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = file.text().to_owned();
    assert!(
        text.starts_with(
            "E-Mail,First Name,Surname,Company,Employees,Notes,import_row,import_errors\n"
        ),
        "{text}"
    );
    assert!(text.contains("\nalan@bletchley.example,Alan,Turing,Bletchley,many,x,6,Employees must be a whole number\n"), "{text}");
    let again = imported(
        &app,
        "",
        text.replace("many", "9000")
            .replace("nobody", "nobody@engines.example"),
    )
    .await;
    assert_eq!(counts(&again), [2, 0, 0, 0]);
    // In pages too.
    let first = app.acme.member.get(&format!("{path}?limit=1")).await.json();
    let next = first["next_cursor"].as_str().unwrap();
    let second = app
        .acme
        .member
        .get(&format!("{path}?limit=1&cursor={next}"))
        .await
        .json();
    assert_eq!(
        (&second["items"][0]["row"], &second["next_cursor"]),
        (&json!(6), &json!(null))
    );
}

#[tokio::test]
async fn packed_files_forms_and_other_encodings_and_delimiters_are_read() {
    let app = start().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, b"\xef\xbb\xbfemail\none@engines.example\n").unwrap();
    let import = imported(&app, "", packed.finish().unwrap()).await;
    assert_eq!(counts(&import), [1, 0, 0, 0]);
    let import = imported(
        &app,
        "",
        &b"email;last_name\ntwo@engines.example;M\xfcller\n"[..],
    )
    .await;
    assert_eq!(counts(&import), [1, 0, 0, 0]);
    let found =
        "SELECT count(*) FROM crm.leads WHERE last_name = 'Müller' AND name_norm = 'muller'";
    assert_eq!(number(&app, found).await, 1);
    let form = "--xyz\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
        --xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\ncontent-type: text/csv\r\n\r\n\
        email\tlast_name\nthree@engines.example\t\"a\nb\"\r\n--xyz--\r\n";
    let sent = app.acme.member.request(Method::POST, "/api/leads/import");
    let begun = sent
        .body("multipart/form-data; boundary=xyz", form)
        .await
        .assert_status(202);
    let import = over(&app.acme.member, begun.header("location").unwrap()).await;
    assert_eq!(counts(&import), [1, 0, 0, 0]);
}

#[tokio::test]
async fn an_upsert_changes_what_is_there_and_once_more_changes_nothing() {
    let app = start().await;
    custom_field(&app, "plan", "Tarif", "text", false).await;
    custom_field(&app, "seats", "Seats", "number", false).await;
    let ada = json!({ "first_name": "Ada", "email": "ada@engines.example", "title": "Engineer", "tags": ["vip"] });
    let ada = app
        .acme
        .member
        .post("/api/leads", ada)
        .await
        .assert_status(201)
        .json();
    let file = "email,last_name,Tarif,custom.seats,tags\n\
        ADA@engines.example,Lovelace,pro,\"12,5\",a; b\n\
        new@engines.example,New,basic,3,\n";
    let import = imported(&app, "?mode=upsert", file).await;
    assert_eq!(
        (counts(&import), &import["match_on"]),
        ([1, 1, 0, 0], &json!(["email"]))
    );
    let path = format!("/api/leads/{}", ada["id"].as_str().unwrap());
    let lead = app.acme.viewer.get(&path).await.json();
    assert_eq!(
        (&lead["first_name"], &lead["last_name"], &lead["title"]),
        (&json!("Ada"), &json!("Lovelace"), &json!("Engineer"))
    );
    assert_eq!(
        (&lead["custom"], &lead["tags"]),
        (&json!({ "plan": "pro", "seats": 12.5 }), &json!(["a", "b"]))
    );
    assert_eq!(lead["version"], 2);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.record_tags").await,
        2
    );
    let again = imported(&app, "?mode=upsert", file).await;
    assert_eq!(counts(&again), [0, 0, 2, 0]);
    let update = imported(
        &app,
        "?mode=update",
        "email,last_name\nADA@engines.example,King\nnone@engines.example,X\n",
    )
    .await;
    assert_eq!(counts(&update), [0, 1, 0, 1]);
}

#[tokio::test]
async fn what_happened_before_is_imported_too() {
    let app = start().await;
    let file = "email,Create Date,won,revenue,annual_revenue_currency\n\
        a@engines.example,2024-05-01,yes,1.000\\,50,EUR\n\
        b@engines.example,2024-06-01 12:00,Lost,,EUR\n\
        c@engines.example,2024-07-01,,,\n";
    let file = file.replace("\\,", "").replace("1.00050", "\"1.000,50\"");
    let import = imported(&app, "?mapping=%7B%22won%22%3A%22outcome%22%7D", file).await;
    assert_eq!(counts(&import), [3, 0, 0, 0], "{import}");
    let won = "SELECT count(*) FROM crm.leads WHERE outcome = 'won' AND outcome_at = created_at \
        AND created_at = '2024-05-01Z' AND annual_revenue = 1000.5";
    assert_eq!(number(&app, won).await, 1);
    let lost = "SELECT count(*) FROM crm.leads WHERE outcome = 'lost' AND created_at = '2024-06-01 12:00Z'";
    assert_eq!(number(&app, lost).await, 1);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.leads WHERE outcome IS NULL").await,
        1
    );
    // The end of a lead that is there is recorded as well.
    let end = imported(
        &app,
        "?mode=update",
        "email,outcome,outcome_at\nc@engines.example,won,2024-08-01\n",
    )
    .await;
    assert_eq!(counts(&end), [0, 1, 0, 0]);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE outcome_at = '2024-08-01Z'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_writes_nothing() {
    let app = start().await;
    let import = imported(&app, "?dry_run=true", FILE).await;
    assert_eq!(counts(&import), [2, 0, 1, 2]);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.leads").await, 0);
    assert!(events(&app).await.is_empty());
    let path = format!("/api/imports/{}", import["id"].as_str().unwrap());
    app.acme
        .member
        .post(&format!("{path}/undo"), json!({}))
        .await
        .assert_problem(409, "not_finished");
}

#[tokio::test]
async fn rows_of_several_pieces_are_found_to_be_the_same() {
    let app = start().await;
    let rows: String = (0..5_500)
        .map(|n| format!("lead{}@engines.example\n", n % 5_100))
        .collect();
    let file = format!("email\n{rows}");
    let dry = imported(
        &app,
        "?mode=upsert&on_duplicate=skip&dry_run=true",
        file.clone(),
    )
    .await;
    assert_eq!(counts(&dry), [5_100, 0, 400, 0]);
    let import = imported(&app, "?mode=upsert&on_duplicate=skip", file).await;
    assert_eq!(counts(&import), [5_100, 0, 400, 0]);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.leads").await, 5_100);
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.import_pieces").await,
        0
    );
    assert_eq!(events(&app).await.len(), 2);
}

#[tokio::test]
async fn other_types_are_imported_by_their_own_rules() {
    let app = start().await;
    let send = async |path: &str, file: &'static str| {
        let sent = app
            .acme
            .member
            .request(Method::POST, path)
            .body("text/csv", file);
        let begun = sent.await.assert_status(202);
        over(&app.acme.member, begun.header("location").unwrap()).await
    };
    let companies = send("/api/companies/import", "Company Name,Domain\nEngines,https://www.Engines.example/\nAgain,engines.example\n,x.example\n").await;
    assert_eq!(counts(&companies), [1, 0, 1, 1]);
    let contacts = send(
        "/api/contacts/import",
        "first_name,birthday,do_not_contact\nAda,10.12.1815,yes\nEve,tomorrow,\n",
    )
    .await;
    assert_eq!(counts(&contacts), [1, 0, 0, 1]);
    let norm = "SELECT count(*) FROM crm.contacts WHERE birthday = '1815-12-10' AND do_not_contact";
    assert_eq!(number(&app, norm).await, 1);
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    let app = start().await;
    custom_field(&app, "badge", "Badge", "text", true).await;
    let taken = json!({ "first_name": "Old", "external_id": "7", "custom": { "badge": "b1" } });
    app.acme
        .member
        .post("/api/leads", taken)
        .await
        .assert_status(201);
    let file = "first_name,external_id,badge\nA,7,\nB,8,b1\nC,9,b2\nD,10,b2\nE,11,\n";
    let import = imported(&app, "?match_on=external_id&on_duplicate=error", file).await;
    assert_eq!(counts(&import), [2, 0, 0, 3]);
    let path = format!("/api/imports/{}/errors", import["id"].as_str().unwrap());
    let errors = app.acme.member.get(&path).await.json();
    let codes: Vec<&str> = errors["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["errors"][0]["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["duplicate", "not_unique", "not_unique"]);
}

#[tokio::test]
async fn nobody_changes_by_a_file_what_they_may_not_change() {
    let app = start().await;
    app.acme
        .owner
        .post("/api/leads", json!({ "email": "boss@engines.example" }))
        .await
        .assert_status(201);
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
        VALUES ('{tenant}', 'member', 'lead', 'own', 'own', now())";
    arrange(&app, narrow).await;
    let file = "email,last_name\nboss@engines.example,Taken\nmine@engines.example,Mine\n";
    let import = imported(&app, "?mode=upsert", file).await;
    assert_eq!(counts(&import), [1, 0, 0, 1]);
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM crm.leads WHERE last_name = 'Taken'"
        )
        .await,
        0
    );
}
