//! Imports that are refused, and what others see of an import.

use axum::http::Method;
use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;

use crate::support::{number, upload};

fn code(answer: &bz_testkit::TestResponse) -> String {
    answer.json()["errors"][0]["code"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_is_refused_at_once_with_the_reason() {
    let app = TestApp::<Crm>::start().await;
    let table = [
        ("", "colour,size\nred,1\n", "nothing_mapped"),
        ("", "email\n", "no_rows"),
        ("", "", "no_rows"),
        ("", "email,email\na,b\n", "repeated_heading"),
        ("?mapping=nonsense", "email\na\n", "invalid_value"),
        (
            "?mapping=%7B%22x%22%3A%22email%22%7D",
            "email\na\n",
            "unknown_heading",
        ),
        (
            "?mapping=%7B%22email%22%3A%22score%22%7D",
            "email\na\n",
            "unknown_field",
        ),
        (
            "?mapping=%7B%22a%22%3A%22email%22%2C%22b%22%3A%22email%22%7D",
            "a,b\n1,2\n",
            "repeated",
        ),
        ("?match_on=colour", "email\na\n", "invalid_value"),
        ("?match_on=phone", "email\na\n", "not_mapped"),
        ("?mode=upsert", "last_name\na\n", "required"),
        ("?delimiter=x", "email\na\n", "invalid_value"),
        ("?encoding=klingon", "email\na\n", "invalid_value"),
    ];
    for (query, file, expected) in table {
        let answer = upload(&app.acme.member, query, file)
            .await
            .assert_problem(422, "validation_failed");
        assert_eq!(code(&answer), expected, "{query} {file}");
    }
    let answer = upload(&app.acme.member, "", &b"PK\x03\x04\0\0\0"[..])
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(code(&answer), "not_text");
    upload(&app.acme.member, "?mode=destroy", "email\na\n")
        .await
        .assert_problem(422, "validation_failed");
    let json = app.acme.member.post("/api/leads/import", json!({}));
    json.await.assert_problem(415, "unsupported_media_type");
    let form = app.acme.member.request(Method::POST, "/api/leads/import");
    let form = form.body("multipart/form-data; boundary=x", "nonsense");
    form.await.assert_problem(400, "malformed_json");
    // Nothing is left of any of them.
    assert_eq!(number(&app, "SELECT count(*) FROM crm.jobs").await, 0);
}

#[tokio::test]
async fn a_viewer_imports_nothing_and_others_do_not_see_ones_import() {
    let app = TestApp::<Crm>::start().await;
    upload(&app.acme.viewer, "", "email\na@engines.example\n")
        .await
        .assert_problem(403, "forbidden");
    let begun = upload(&app.acme.member, "", "email\na@engines.example\n")
        .await
        .json();
    let id = begun["id"].as_str().unwrap();
    for path in [
        format!("/api/imports/{id}"),
        format!("/api/imports/{id}/errors"),
        format!("/api/jobs/{id}"),
    ] {
        app.acme.member.get(&path).await.assert_status(200);
        app.acme.owner.get(&path).await.assert_status(200);
        app.acme
            .viewer
            .get(&path)
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .get(&path)
            .await
            .assert_problem(404, "not_found");
    }
    app.acme
        .viewer
        .delete(&format!("/api/imports/{id}"))
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .delete(&format!("/api/jobs/{id}"))
        .await
        .assert_problem(404, "not_found");
    let undo = app
        .globex
        .owner
        .post(&format!("/api/imports/{id}/undo"), json!({}));
    undo.await.assert_problem(404, "not_found");
    let undo = app
        .acme
        .member
        .post(&format!("/api/imports/{id}/undo"), json!({}));
    undo.await.assert_problem(409, "not_finished");
    // A job of another kind is no import.
    let export = app
        .acme
        .member
        .post("/api/leads/export", json!({}))
        .await
        .assert_status(202)
        .json();
    let path = format!("/api/imports/{}", export["id"].as_str().unwrap());
    app.acme
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
}
