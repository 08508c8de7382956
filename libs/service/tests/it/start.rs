//! Starting: what the process needs, what it says, when it is ready.

use std::time::{Duration, Instant};

use bz_kernel::ExposeSecret;
use bz_testkit::{Fault, TestDb, wait_until};
use serde_json::Value;

use crate::process::{self, Process};

async fn health(process: &Process) -> (u16, Value) {
    let (status, body) = process.get("/health").await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_wrong_configuration_is_told_whole_with_exit_code_78_and_nothing_is_bound() {
    let output = process::command(&[
        ("PORT", "eighty"),
        ("DRAIN_DELAY", "soon"),
        ("PLATFORM_SECRET", "short"),
    ])
    .output()
    .await
    .unwrap();
    assert_eq!(output.status.code(), Some(78));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r#"
    crm cannot start; its configuration is wrong:
    PORT: "eighty" is not a whole number; write a whole number in range
    DRAIN_DELAY: "soon" is not a duration; write a number and its unit, such as 250ms, 5s or 2m
    DATABASE_URL: is required; set it, or POSTGRES_HOST and POSTGRES_PASSWORD
    PLATFORM_SECRET: must have at least 32 bytes
    "#);
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = process::command(&[
        ("PORT", &port),
        ("DATABASE_URL", "postgres://127.0.0.1:1/x"),
    ])
    .output()
    .await
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")),
        "{told}"
    );
}

#[tokio::test]
async fn without_a_database_it_lives_and_says_so_and_with_one_it_becomes_ready() {
    let db = TestDb::new().await;
    let proxy = db.proxy().await;
    proxy.set(Fault::Refuse).await;
    let process = Process::start(&[(
        "DATABASE_URL",
        db.url_through(&proxy, "crm").expose_secret(),
    )])
    .await;

    assert_eq!(process.get("/health/live").await.0, 200);
    let (status, body) = health(&process).await;
    assert_eq!(
        (status, &body["dependencies"]["database"]),
        (503, &"connecting".into())
    );
    let asked = Instant::now();
    let (status, body) = process.get("/api/ping").await;
    assert_eq!(status, 503);
    assert!(body.contains(r#""code":"not_ready""#), "{body}");
    assert!(
        asked.elapsed() < Duration::from_millis(500),
        "a 503 took {:?}",
        asked.elapsed()
    );

    let said = || {
        process
            .logged()
            .iter()
            .filter(|line| line["message"] == "waiting for the database")
            .count()
    };
    wait_until(async || said() == 1, Duration::from_secs(10)).await;
    proxy.set(Fault::Pass).await;
    process.until_ready().await;
    assert_eq!(said(), 1, "one line for each change");
    assert_eq!(process.get("/api/ping").await, (200, "\"pong\"".to_owned()));
}

#[tokio::test]
async fn a_lost_database_is_unhealthy_and_comes_back() {
    let db = TestDb::new().await;
    let proxy = db.proxy().await;
    let process = Process::start_ready(&[(
        "DATABASE_URL",
        db.url_through(&proxy, "crm").expose_secret(),
    )])
    .await;
    let (status, body) = health(&process).await;
    assert_eq!(
        (status, &body["status"]),
        (200, &"degraded".into()),
        "{body}"
    );
    assert_eq!(
        body["dependencies"],
        serde_json::json!({"database": "connected", "redis": "not configured"})
    );

    proxy.set(Fault::Refuse).await;
    wait_until(
        async || health(&process).await.1["dependencies"]["database"] == "disconnected",
        Duration::from_secs(10),
    )
    .await;
    assert_eq!(health(&process).await.0, 503);
    assert_eq!(process.get("/health/live").await.0, 200);
    assert_eq!(process.get("/api/database").await.0, 503);
    assert_eq!(process.get("/api/ping").await.0, 200);

    proxy.set(Fault::Pass).await;
    process.until_ready().await;
}

#[tokio::test]
async fn a_role_that_could_see_all_tenants_is_never_served() {
    let db = TestDb::new().await;
    let process = Process::start(&[("DATABASE_URL", db.admin_url().expose_secret())]).await;
    wait_until(
        async || health(&process).await.1["dependencies"]["database"] == "tenancy_violation",
        Duration::from_secs(10),
    )
    .await;
    assert_eq!(process.get("/api/ping").await.0, 503);
    assert_eq!(process.get("/health/ready").await.0, 503);
}

#[tokio::test]
async fn start_to_ready_is_within_its_budget() {
    let db = TestDb::new().await;
    let started = Instant::now();
    let process = Process::start_ready(&[("DATABASE_URL", db.url("crm").expose_secret())]).await;
    let took = started.elapsed();
    drop(process);
    // The budget is 300 ms of an optimised build on an idle machine; this one is neither.
    assert!(took < Duration::from_secs(3), "took {took:?}");
}

#[tokio::test]
async fn the_healthcheck_command_answers_by_its_exit_code() {
    let db = TestDb::new().await;
    let process = Process::start_ready(&[("DATABASE_URL", db.url("crm").expose_secret())]).await;
    let check = async |port: u16| {
        process::command(&[("PORT", &port.to_string())])
            .arg("healthcheck")
            .output()
            .await
            .unwrap()
            .status
            .code()
    };
    assert_eq!(check(process.api.port()).await, Some(0));
    assert_eq!(check(1).await, Some(1));
}

#[tokio::test]
async fn the_other_commands_print_and_end() {
    let openapi = process::command(&[]).arg("openapi").output().await.unwrap();
    let document: Value = serde_json::from_slice(&openapi.stdout).unwrap();
    assert!(document["openapi"].is_string());
    let config = process::command(&[]).arg("config").output().await.unwrap();
    let text = String::from_utf8(config.stdout).unwrap();
    assert!(
        text.contains("`PLATFORM_SECRET`") && text.contains("`FIXTURE_FAIL_JOB`"),
        "{text}"
    );
}

#[tokio::test]
async fn metrics_and_the_log_filter_are_on_the_admin_port_only() {
    let db = TestDb::new().await;
    let process = Process::start_ready(&[("DATABASE_URL", db.url("crm").expose_secret())]).await;
    process.get("/api/ping").await;
    let (status, metrics) = process::ask(process.admin, "/metrics").await.unwrap();
    assert_eq!(status, 200);
    for name in [
        "http_request_duration_seconds_bucket",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(metrics.contains(name), "{name} is missing in {metrics}");
    }
    assert_eq!(process.get("/metrics").await.0, 404);

    let put = |filter: &str| {
        format!(
            "PUT /log-filter HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{filter}",
            filter.len()
        )
    };
    assert_eq!(
        process::send(process.admin, &put("debug")).await.unwrap().0,
        204
    );
    assert_eq!(
        process::send(process.admin, &put("bz_http=loud"))
            .await
            .unwrap()
            .0,
        422
    );
}

#[tokio::test]
async fn a_panic_is_a_500_problem_and_a_log_line_with_the_request_id() {
    let db = TestDb::new().await;
    let process = Process::start_ready(&[("DATABASE_URL", db.url("crm").expose_secret())]).await;
    let (status, body) = process.get("/api/panic").await;
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &problem["code"]), (500, &"internal".into()));
    assert!(!body.contains("as told"), "{body}");
    let about = |line: &Value| {
        line["span"]["request_id"] == problem["request_id"] && line.to_string().contains("as told")
    };
    wait_until(
        async || process.logged().iter().any(about),
        Duration::from_secs(5),
    )
    .await;
    assert_eq!(process.get("/api/ping").await.0, 200);
}
