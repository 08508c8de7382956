//! How fast a large import is and how much memory it takes, by the real process over HTTP.
//!
//! `ROWS=1000000 cargo test --release -p crm --test it imports_measured -- --ignored --nocapture`
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a stand-in for the keys of identity, and how many rows is asked of whoever measures"
)]

use std::time::{Duration, Instant};

use axum::{Json, Router, routing::get};
use bz_kernel::ExposeSecret;
use bz_testkit::{ISSUER, Role, Tenant, TestApp, TestDb};
use crm::Crm;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::counts;

/// Serves the keys of the tests' tokens, as identity does.
async fn keys(app: &TestApp<Crm>) -> String {
    let keys = serde_json::to_value(app.tokens.jwks()).unwrap();
    let routes = Router::new().route(
        "/.well-known/jwks.json",
        get(async move || Json(keys.clone())),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

async fn start(database: &TestDb, identity: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crm"))
        .env_clear()
        .envs([
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("ADMIN_PORT", "0"),
            ("ENVIRONMENT", "development"),
            ("IDENTITY_URL", identity),
            ("ISSUER", ISSUER),
            ("PLATFORM_SECRET", "0123456789abcdef0123456789abcdef"),
            ("DATABASE_URL", database.url("crm").expose_secret()),
        ])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line["message"] == "listening" {
            let addresses = line["addresses"].as_str().unwrap();
            break format!("http://{}", addresses.split(',').next().unwrap());
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, base)
}

/// The most memory that the process has had, in MiB, and the CPU seconds that it took.
fn used(child: &Child) -> (u64, f64) {
    let id = child.id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let ticks: Vec<u64> = stat
        .split(' ')
        .skip(13)
        .take(2)
        .map(|it| it.parse().unwrap())
        .collect();
    (peak / 1024, (ticks[0] + ticks[1]) as f64 / 100.0)
}

#[tokio::test]
#[ignore = "measures; to be run alone, on a release build"]
async fn a_large_import_is_fast_and_small() {
    let rows: usize = std::env::var("ROWS").map_or(100_000, |rows| rows.parse().unwrap());
    let app = TestApp::<Crm>::start().await;
    let identity = keys(&app).await;
    let (child, base) = start(&app.database, &identity).await;
    let token = app.tokens.user(Tenant::Acme, Role::Member);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let row = |n: usize| {
        // One in fifty is the same as another.
        let n = if n % 50 == 49 { n - 7 } else { n };
        format!(
            "lead{n}@company{}.example,Ada,Lovelace {n},Company {},Engineer,Berlin,{}\n",
            n % 5000,
            n % 5000,
            n % 900
        )
    };
    let body: String = (0..rows).map(row).collect();
    let file = format!("email,first_name,last_name,company_name,title,city,employees\n{body}");
    let mut tries = 0;
    let began = Instant::now();
    let begun = loop {
        let request = client
            .post(format!("{base}/api/leads/import"))
            .bearer_auth(token.expose_secret());
        let answer = request
            .header("content-type", "text/csv")
            .body(file.clone())
            .send()
            .await
            .unwrap();
        if answer.status() == 202 {
            break answer.json::<Value>().await.unwrap();
        }
        tries += 1;
        assert!(
            tries < 120,
            "{}: {}",
            answer.status(),
            answer.text().await.unwrap()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let uploaded = began.elapsed();
    let path = format!("{base}/api/imports/{}", begun["id"].as_str().unwrap());
    let import = loop {
        let answer = client
            .get(&path)
            .bearer_auth(token.expose_secret())
            .send()
            .await
            .unwrap();
        let import: Value = answer.json().await.unwrap();
        if import["finished_at"].is_string() {
            break import;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let (peak, cpu) = used(&child);
    let [created, _, skipped, _] = counts(&import);
    println!(
        "{rows} rows: {:.1} s to upload, {:.1} s in all, {cpu:.1} s of CPU, {peak} MiB; {created} created, {skipped} skipped",
        uploaded.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
    assert_eq!(created + skipped, rows as i64);
    assert!(peak <= 150, "{peak} MiB");
}
