//! Reports: ordered, made by the worker, fetched.

use analytics::Analytics;
use bz_testkit::{Client, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// What a report may show.
pub(crate) fn tile() -> Value {
    json!({
        "id": "clicks", "title": "Clicks", "chart": "table",
        "query": { "numbers": { "metrics": ["google-ads.clicks"], "dimensions": ["campaign"] } },
        "layout": { "x": 0, "y": 0, "w": 12, "h": 4 }
    })
}

pub(crate) fn wanted() -> Value {
    json!({ "title": "März: Klicks", "tiles": [tile()], "formats": ["pdf", "csv", "xlsx", "json"] })
}

async fn start() -> TestApp<Analytics> {
    let mut app = TestApp::<Analytics>::start().await;
    app.start_jobs();
    app
}

/// The report once it is done.
pub(crate) async fn done(client: &Client, id: &str) -> Value {
    let path = format!("/api/reports/{id}");
    for _ in 0..400 {
        let report = client.get(&path).await.assert_status(200).json();
        if !["queued", "running"].contains(&report["status"].as_str().unwrap()) {
            return report;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the report {id} is not done");
}

pub(crate) async fn ordered(client: &Client, body: Value) -> String {
    let report = client.post("/api/reports", body).await.assert_status(202);
    let id = report.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        report.header("location"),
        Some(format!("/api/reports/{id}").as_str())
    );
    id
}

#[tokio::test]
async fn a_report_is_made_in_every_format_and_fetched_under_its_name() {
    let app = start().await;
    let member = &app.acme.member;
    let id = ordered(member, wanted()).await;
    let report = done(member, &id).await;
    assert_eq!(report["status"], "succeeded", "{report}");
    assert_eq!(report["percent"], 100);
    let files = report["files"].as_array().unwrap();
    let formats: Vec<&str> = files
        .iter()
        .map(|file| file["format"].as_str().unwrap())
        .collect();
    assert_eq!(formats, ["pdf", "csv", "xlsx", "json"]);
    for file in files {
        assert_eq!(file["error"], Value::Null, "{file}");
        let path = file["download"].as_str().unwrap();
        let fetched = member.get(path).await.assert_status(200);
        assert_eq!(
            fetched.header("etag"),
            Some(format!("\"{}\"", file["sha256"].as_str().unwrap()).as_str())
        );
        assert_eq!(
            fetched.header("content-length"),
            Some(file["size"].to_string().as_str())
        );
        assert_eq!(fetched.header("accept-ranges"), Some("bytes"));
    }
    let pdf = member
        .get(&format!("/api/reports/{id}/download?format=pdf"))
        .await;
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    let name = pdf.header("content-disposition").unwrap();
    assert_eq!(
        name,
        "attachment; filename=\"M_rz_ Klicks.pdf\"; filename*=UTF-8''M%C3%A4rz%3A%20Klicks.pdf"
    );
    let json = member
        .get(&format!("/api/reports/{id}/download?format=json"))
        .await
        .json();
    assert_eq!(json["parts"][0]["title"], "Clicks");
    assert_eq!(json["data_version"], report["data_version"]);
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off() {
    let app = start().await;
    let member = &app.acme.member;
    let id = ordered(
        member,
        json!({ "title": "One", "tiles": [tile()], "formats": ["json"] }),
    )
    .await;
    done(member, &id).await;
    let path = format!("/api/reports/{id}/download");
    let whole = member.get(&path).await.assert_status(200);
    let (text, etag) = (
        whole.text().to_owned(),
        whole.header("etag").unwrap().to_owned(),
    );
    let part = member
        .get(&path)
        .header("range", "bytes=10-19")
        .await
        .assert_status(206);
    assert_eq!(part.text(), &text[10..20]);
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 10-19/{}", text.len()).as_str())
    );
    let rest = member
        .get(&path)
        .header("range", "bytes=20-")
        .header("if-range", &etag)
        .await
        .assert_status(206);
    assert_eq!(rest.text(), &text[20..]);
    let other = member
        .get(&path)
        .header("range", "bytes=20-")
        .header("if-range", "\"other\"")
        .await;
    assert_eq!(other.assert_status(200).text(), text);
    member
        .get(&path)
        .header("range", "bytes=999999-")
        .await
        .assert_problem(416, "range_not_satisfiable");
    // Parts have to fit together, so the whole goes out as it is, too.
    let packed = member.get(&path).header("accept-encoding", "gzip").await;
    assert_eq!(
        (packed.header("content-encoding"), packed.text()),
        (None, text.as_str())
    );
    member
        .get(&path)
        .header("if-none-match", &etag)
        .await
        .assert_status(304);
}

#[tokio::test]
async fn a_report_that_is_not_made_yet_says_so() {
    let app = TestApp::<Analytics>::start().await;
    let member = &app.acme.member;
    let id = ordered(member, wanted()).await;
    let path = format!("/api/reports/{id}/download?format=pdf");
    member
        .get(&path)
        .await
        .assert_problem(409, "report_not_ready");
    let report = member
        .get(&format!("/api/reports/{id}"))
        .await
        .assert_status(200);
    assert_eq!(report.json()["status"], "queued");
}

#[tokio::test]
async fn a_report_is_of_a_dashboard_as_it_was_when_it_was_ordered() {
    let app = start().await;
    let mut admin = app.database.admin().await;
    let id = uuid::Uuid::from_u128(7);
    sqlx::query(
        "INSERT INTO analytics.dashboards (tenant_id, id, name, view, tiles, created_by, created_at, updated_at) \
         VALUES ($1, $2, 'Paid media', '{}', $3, $2, now(), now())",
    )
    .bind(app.acme.id().as_uuid())
    .bind(id)
    .bind(json!([tile()]))
    .execute(&mut admin)
    .await
    .unwrap();
    let body = json!({ "dashboard_id": id, "formats": ["json"] });
    let report = ordered(&app.acme.member, body.clone()).await;
    assert_eq!(done(&app.acme.member, &report).await["title"], "Paid media");
    // Another tenant has no such dashboard.
    app.globex
        .member
        .post("/api/reports", body)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn nobody_gets_a_report_without_the_numbers_because_the_database_did_not_answer() {
    let mut app = TestApp::<Analytics>::start().await;
    let mut admin = app.database.admin().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE analytics.facts IN ACCESS EXCLUSIVE MODE")
        .execute(&mut admin)
        .await
        .unwrap();
    let id = ordered(
        &app.acme.member,
        json!({ "title": "One", "tiles": [tile()], "formats": ["json"] }),
    )
    .await;
    app.start_jobs();
    // Longer than a statement waits for a lock.
    tokio::time::sleep(std::time::Duration::from_millis(3_500)).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut admin).await.unwrap();
    app.clock.advance(TimeDelta::seconds(6));
    let report = done(&app.acme.member, &id).await;
    assert_eq!(report["status"], "succeeded", "{report}");
    let path = format!("/api/reports/{id}/download?format=json");
    let made = app.acme.member.get(&path).await.assert_status(200).json();
    assert!(made["parts"][0]["answer"]["frame"].is_object(), "{made}");
}

#[tokio::test]
async fn the_same_key_makes_one_report() {
    let app = TestApp::<Analytics>::start().await;
    let send = || {
        app.acme
            .member
            .post("/api/reports", wanted())
            .header("idempotency-key", "once")
    };
    let first = send().await.assert_status(202).json();
    let again = send().await.assert_status(202).json();
    assert_eq!(first["id"], again["id"]);
    let list = app.acme.member.get("/api/reports").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let other = app.acme.member.post(
        "/api/reports",
        json!({ "title": "Other", "tiles": [tile()] }),
    );
    other
        .header("idempotency-key", "once")
        .await
        .assert_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn reports_are_listed_page_by_page_newest_first() {
    let app = TestApp::<Analytics>::start().await;
    let member = &app.acme.member;
    let mut ids = Vec::new();
    for _ in 0..3 {
        app.clock.advance(TimeDelta::milliseconds(5));
        ids.push(ordered(member, wanted()).await);
    }
    let first = member
        .get("/api/reports?limit=2")
        .await
        .assert_status(200)
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = member
        .get(&format!("/api/reports?limit=2&cursor={cursor}"))
        .await
        .json();
    let seen = [&first, &second]
        .map(|page| page["items"].as_array().unwrap().clone())
        .concat();
    let seen: Vec<&str> = seen
        .iter()
        .map(|report| report["id"].as_str().unwrap())
        .collect();
    ids.reverse();
    assert_eq!(seen, ids);
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn what_is_missing_foreign_or_forbidden_is_refused() {
    let app = TestApp::<Analytics>::start().await;
    let id = ordered(&app.acme.member, wanted()).await;
    let missing = "019cad9c-0000-7000-8000-0000000000ff";
    for path in [
        format!("/api/reports/{id}"),
        format!("/api/reports/{id}/download?format=pdf"),
    ] {
        app.globex
            .member
            .get(&path)
            .await
            .assert_problem(404, "not_found");
        app.acme.viewer.get(&path).await;
        app.acme
            .member
            .get(&path.replace(&id, missing))
            .await
            .assert_problem(404, "not_found");
    }
    app.acme
        .viewer
        .get(&format!("/api/reports/{id}"))
        .await
        .assert_status(200);
    app.acme
        .viewer
        .post("/api/reports", wanted())
        .await
        .assert_problem(403, "forbidden");
    let file = format!("/api/reports/{id}/download?format=doc");
    assert!(app.acme.member.get(&file).await.status.is_client_error());
    let none = format!("/api/reports/{id}/download");
    app.acme
        .member
        .get(&none)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_faulty_order_is_told_all_its_faults() {
    let app = TestApp::<Analytics>::start().await;
    let body = json!({
        "title": " ", "tiles": [], "dashboard_id": "019cad9c-0000-7000-8000-0000000000ff",
        "formats": ["pdf", "pdf"], "deliver": { "mail": ["nobody"] }
    });
    let refused = app
        .acme
        .member
        .post("/api/reports", body)
        .await
        .assert_problem(422, "validation_failed");
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let places: Vec<&str> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        ["", "/title", "/tiles", "/formats", "/deliver/mail/0"]
    );
}

#[tokio::test]
async fn a_report_expires_with_its_files() {
    let app = start().await;
    let member = &app.acme.member;
    let id = ordered(
        member,
        json!({ "title": "Old", "tiles": [tile()], "formats": ["csv"] }),
    )
    .await;
    done(member, &id).await;
    app.clock.advance(TimeDelta::days(31));
    let now = app.core.sources.now();
    let mut admin = app.database.admin().await;
    sqlx::query("SELECT analytics.expire_reports($1, $2, 100)")
        .bind(now)
        .bind(now - TimeDelta::days(365))
        .execute(&mut admin)
        .await
        .unwrap();
    let token = app
        .acme
        .member
        .get(&format!("/api/reports/{id}/download"))
        .await;
    token.assert_problem(410, "report_expired");
    let files: i64 = sqlx::query_scalar("SELECT count(*) FROM analytics.report_files")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(files, 0);
}

#[tokio::test]
async fn a_report_whose_worker_died_is_made_by_the_next_one_with_the_same_numbers() {
    let mut app = TestApp::<Analytics>::start().await;
    let id = ordered(&app.acme.member, wanted()).await;
    let mut admin = app.database.admin().await;
    // As a worker leaves it that took it and died: its lease runs out.
    sqlx::query("UPDATE analytics.reports SET status = 'running', claims = 1, attempts = 1, due_at = created_at - interval '1 second'")
        .execute(&mut admin)
        .await
        .unwrap();
    app.start_jobs();
    let report = done(&app.acme.member, &id).await;
    assert_eq!(report["status"], "succeeded");
    let claims: i64 = sqlx::query_scalar("SELECT claims FROM analytics.reports")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(claims, 2);
}
