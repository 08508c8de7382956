//! Exports.

use std::io::Read as _;

use bz_testkit::{Client, TestApp, TestResponse};
use crm::Crm;
use serde_json::{Value, json};

use crate::support::{arrange, custom_field};

async fn exported(client: &Client, order: Value) -> TestResponse {
    let export = client
        .post("/api/leads/export", order)
        .await
        .assert_status(202);
    let path = export.header("location").unwrap().to_owned();
    let shown = client.get(&path).await.assert_status(200).json();
    assert_eq!(
        (shown.clone(), &shown["status"]),
        (export.json(), &json!("succeeded"))
    );
    client
        .get(shown["content"].as_str().unwrap())
        .await
        .assert_status(200)
}

async fn with_leads() -> TestApp<Crm> {
    let app = TestApp::<Crm>::start().await;
    custom_field(&app, "seats", "Seats", "number", false).await;
    let money = json!({ "amount": "-12.50", "currency": "EUR" });
    let leads = [
        json!({ "first_name": "=HYPERLINK(\"x\")", "phone": "+49 30 1", "annual_revenue": money, "custom": { "seats": -3 } }),
        json!({ "first_name": "Ada, \"the\" first", "source": "fair", "tags": ["a", "b"] }),
    ];
    for lead in leads {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        app.acme
            .member
            .post("/api/leads", lead)
            .await
            .assert_status(201);
    }
    app.globex
        .member
        .post("/api/leads", json!({ "first_name": "Eve" }))
        .await
        .assert_status(201);
    app
}

#[tokio::test]
async fn a_csv_has_what_is_seen_and_no_formula() {
    let app = with_leads().await;
    let columns = [
        "first_name",
        "phone",
        "annual_revenue",
        "annual_revenue_currency",
        "custom.seats",
        "tags",
    ];
    let file = exported(&app.acme.viewer, json!({ "columns": columns })).await;
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"leads.csv\"")
    );
    assert_eq!(
        file.text(),
        "first_name,phone,annual_revenue,annual_revenue_currency,custom.seats,tags\n\
         \"'=HYPERLINK(\"\"x\"\")\",'+49 30 1,-12.50,EUR,-3,\n\
         \"Ada, \"\"the\"\" first\",,,,,a; b\n"
    );
    let all = exported(&app.acme.viewer, json!({})).await;
    assert!(
        all.text().starts_with("id,first_name,") && all.text().contains("custom.seats"),
        "{}",
        all.text()
    );
}

#[tokio::test]
async fn filters_and_views_narrow_an_export_and_ndjson_has_whole_records() {
    let app = with_leads().await;
    let filter = json!({ "field": "source", "value": "fair" });
    let file = exported(
        &app.acme.viewer,
        json!({ "format": "ndjson", "filter": filter }),
    )
    .await;
    let lines: Vec<Value> = file
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((lines.len(), &lines[0]["tags"]), (1, &json!(["a", "b"])));
    let view = "INSERT INTO crm.views (tenant_id, id, record_type, name, filter, columns, shared, created_by, created_at, updated_at) \
        VALUES ('{tenant}', '0199fa3e-0000-7000-8000-000000000001', 'lead', 'Fair', \
        '{\"field\": \"source\", \"op\": \"is_null\", \"value\": true}', '{phone}', true, gen_random_uuid(), now(), now())";
    arrange(&app, view).await;
    let order = json!({ "format": "ndjson", "view_id": "0199fa3e-0000-7000-8000-000000000001" });
    let file = exported(&app.acme.viewer, order).await;
    assert_eq!(file.text(), "{\"phone\":\"+49 30 1\"}\n");
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
        VALUES ('{tenant}', 'viewer', 'lead', 'own', 'none', now())";
    arrange(&app, narrow).await;
    // What was read of the tenant's settings a moment ago is another process's.
    let fresh = TestApp::<Crm>::builder().beside(&app).start().await;
    let file = exported(&fresh.acme.viewer, json!({ "format": "ndjson" })).await;
    assert_eq!(file.text(), "");
}

#[tokio::test]
async fn an_xlsx_opens_and_numbers_are_numbers() {
    let app = with_leads().await;
    let order = json!({ "format": "xlsx", "columns": ["first_name", "annual_revenue"] });
    let file = exported(&app.acme.viewer, order).await;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file.body.to_vec())).unwrap();
    for part in [
        "[Content_Types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
    ] {
        assert!(archive.by_name(part).is_ok(), "{part}");
    }
    let mut sheet = String::new();
    archive
        .by_name("xl/worksheets/sheet1.xml")
        .unwrap()
        .read_to_string(&mut sheet)
        .unwrap();
    assert!(sheet.contains(r#"<c r="B2"><v>-12.50</v></c>"#), "{sheet}");
    assert!(
        sheet.contains(
            r#"<c r="A2" t="inlineStr"><is><t xml:space="preserve">=HYPERLINK(&quot;x&quot;)</t></is></c>"#
        ),
        "{sheet}"
    );
    assert!(sheet.ends_with("</sheetData></worksheet>"), "{sheet}");
}

#[tokio::test]
async fn many_records_come_page_by_page_without_one_missing() {
    let app = TestApp::<Crm>::start().await;
    let many = "INSERT INTO crm.leads (tenant_id, id, first_name, created_by, created_at, updated_at) \
        SELECT '{tenant}', gen_random_uuid(), 'lead ' || n, gen_random_uuid(), now(), now() FROM generate_series(1, 2500) AS n";
    arrange(&app, many).await;
    let file = exported(&app.acme.viewer, json!({ "columns": ["first_name"] })).await;
    let mut names: Vec<&str> = file.text().lines().skip(1).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 2500);
}

#[tokio::test]
async fn a_wrong_order_is_refused_and_others_do_not_fetch_ones_export() {
    let app = with_leads().await;
    let wrong = [
        json!({ "columns": ["colour"] }),
        json!({ "columns": [] }),
        json!({ "format": "pdf" }),
        json!({ "filter": { "field": "colour", "value": 1 } }),
        json!({ "view_id": "0199fa3e-0000-7000-8000-000000000009" }),
    ];
    for order in wrong {
        let answer = app.acme.viewer.post("/api/leads/export", order).await;
        answer.assert_problem(422, "validation_failed");
    }
    let export = app
        .acme
        .viewer
        .post("/api/leads/export", json!({}))
        .await
        .assert_status(202)
        .json();
    let content = export["content"].as_str().unwrap();
    app.acme.owner.get(content).await.assert_status(200);
    app.acme
        .member
        .get(content)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .get(content)
        .await
        .assert_problem(404, "not_found");
    let key = async || {
        app.acme
            .viewer
            .post("/api/leads/export", json!({}))
            .header("idempotency-key", "one")
            .await
            .json()
    };
    assert_eq!(key().await["id"], key().await["id"]);
}
