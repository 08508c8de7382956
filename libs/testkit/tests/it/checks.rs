//! The checks of operations pass on a service that is right and fail on each mistake.

use bz_kernel::platform;
use bz_service::Service;
use bz_testkit::{
    Client, TestApp, TestDb, TestResponse,
    checks::{self, access::Exceptions, foreign::differences, lists::Operations},
};
use serde_json::json;
use sqlx::Executor;

use crate::sample::{Mistake, Sample};

async fn sample(mistake: Mistake) -> TestApp<Sample> {
    TestApp::builder()
        .env("MISTAKE", format!("{mistake:?}"))
        .start()
        .await
}

fn exceptions() -> Exceptions {
    Exceptions {
        public: Operations::parse("GET /api/motd everybody may read it"),
        ..Exceptions::default()
    }
}

async fn note(client: &Client, path: &str) -> Option<Vec<String>> {
    assert_eq!(path, "/api/notes/{id}");
    let note: TestResponse = client
        .post("/api/notes", json!({ "text": "x" }))
        .await
        .assert_status(201);
    Some(vec![note.json()["id"].as_str().unwrap().to_owned()])
}

async fn gaps(mistake: Mistake, exceptions: &Exceptions) -> Vec<String> {
    checks::access::gaps(&sample(mistake).await.subject(), exceptions).await
}

async fn told_apart(mistake: Mistake) -> Vec<String> {
    differences(&sample(mistake).await.subject(), note).await
}

async fn faults(mistake: Mistake) -> Vec<String> {
    checks::problems::faults(&sample(mistake).await.subject()).await
}

#[track_caller]
fn assert_has(lines: &[String], part: &str) {
    assert!(
        lines.iter().any(|line| line.contains(part)),
        "no line says {part:?}: {lines:#?}"
    );
}

#[tokio::test]
async fn a_service_that_is_right_passes() {
    assert_eq!(gaps(Mistake::None, &exceptions()).await, [""; 0]);
    assert_eq!(told_apart(Mistake::None).await, [""; 0]);
    assert_eq!(faults(Mistake::None).await, [""; 0]);
    checks::catalog::<Sample>().await;
    checks::isolation::<Sample>().await;
}

#[tokio::test]
async fn an_operation_without_a_token_is_found() {
    let gaps = gaps(Mistake::Open, &exceptions()).await;
    assert_has(&gaps, "GET /api/notes/{id}: without a token it answers 404");
    assert_has(
        &gaps,
        "GET /api/notes: with an expired token it answers 200",
    );
    assert_has(
        &gaps,
        "GET /api/notes: with a token signed by somebody else it answers 200",
    );
    assert_has(
        &gaps,
        "GET /api/notes: with a token for another audience it answers 200",
    );
}

#[tokio::test]
async fn an_operation_without_a_permission_is_found() {
    let gaps = gaps(Mistake::NoPermission, &exceptions()).await;
    assert_has(&gaps, "POST /api/notes: is open to a viewer");
    assert_has(
        &gaps,
        "DELETE /api/notes/{id}: is open to a user without a role",
    );
    assert_has(
        &gaps,
        "POST /api/notes: asks for no permission, but its document says notes:write",
    );
}

#[tokio::test]
async fn a_public_operation_must_be_listed_and_a_list_must_be_needed() {
    assert_has(
        &gaps(Mistake::None, &Exceptions::default()).await,
        "GET /api/motd: without a token it answers 200",
    );
    let listed = Exceptions {
        public: Operations::parse("GET /api/motd yes\nGET /api/notes no\nGET /api/gone was once"),
        any_role: Operations::parse("DELETE /api/notes/{id} no"),
        viewer: Operations::parse("POST /api/notes no"),
    };
    let gaps = gaps(Mistake::None, &listed).await;
    assert_has(
        &gaps,
        "GET /api/notes: asks for a token: remove it from public_operations.txt",
    );
    assert_has(&gaps, "GET /api/gone: there is no such operation");
    assert_has(&gaps, "DELETE /api/notes/{id}: asks for a role: remove it");
    assert_has(&gaps, "POST /api/notes: is closed to a viewer: remove it");
}

#[test]
#[should_panic(expected = "\"GET /api/motd\" has no reason")]
fn a_listed_operation_needs_a_reason() {
    let _ = Operations::parse("# comment\n\nGET /api/motd");
}

#[tokio::test]
async fn a_foreign_object_that_answers_otherwise_than_nothing_is_found() {
    assert_has(&told_apart(Mistake::Reveals).await, "403");
    assert_has(&told_apart(Mistake::Shows).await, "GET /api/notes/{id}");
    assert_has(
        &told_apart(Mistake::DeletesNothing).await,
        "an id that does not exist is no 404",
    );
}

#[tokio::test]
async fn a_foreign_object_that_was_never_there_proves_nothing() {
    let app = sample(Mistake::None).await;
    let nothing =
        async |_: &Client, _: &str| Some(vec!["019b76da-a800-7000-8000-00000000beef".to_owned()]);
    assert_has(
        &differences(&app.subject(), nothing).await,
        "the object's own tenant gets no good answer",
    );
    let no_id = async |_: &Client, _: &str| Some(vec!["latest".to_owned()]);
    assert_has(&differences(&app.subject(), no_id).await, "have no id");
}

#[tokio::test]
async fn nonsense_that_is_not_answered_with_a_problem_is_found() {
    assert_has(&faults(Mistake::Fails).await, "its own fault");
    assert_has(&faults(Mistake::PlainText).await, "not a whole problem");
    assert_has(
        &faults(Mistake::AnyLimit).await,
        "GET /api/notes with ?limit=0: accepted with 200",
    );
}

#[tokio::test]
#[should_panic(
    expected = "operations are open, or listed as open without need:\n  GET /api/motd: "
)]
async fn the_check_in_one_line_panics_with_every_gap() {
    checks::access::<Sample>().await;
}

#[tokio::test]
async fn a_table_that_breaks_a_rule_of_the_catalog_is_found() {
    let database = TestDb::new().await;
    let broken = "ALTER TABLE crm.leads NO FORCE ROW LEVEL SECURITY";
    database.admin().await.execute(broken).await.unwrap();
    let violations = database
        .db(platform::CRM.schema)
        .self_check()
        .await
        .unwrap();
    assert!(
        violations
            .iter()
            .any(|violation| violation.object == "crm.leads"),
        "{violations:?}"
    );
}

#[test]
fn a_document_that_differs_from_the_committed_one_is_found_and_blessed() {
    let path = std::env::temp_dir().join(format!("bz-testkit-openapi-{}.json", std::process::id()));
    let compare = |write| checks::document::compare(&Sample::openapi(), &path, write);
    assert!(compare(false).unwrap_err().contains("from line 1 on"));
    compare(true).unwrap();
    compare(false).unwrap();
    let edited = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("crm-service", "crm", 1);
    std::fs::write(&path, edited).unwrap();
    assert!(
        compare(false)
            .unwrap_err()
            .contains("run the test with BLESS=1")
    );
    std::fs::remove_file(path).unwrap();
}
