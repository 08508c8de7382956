//! The clients that applications really use, over real HTTP against the service's own binary. `scripts/test` installs
//! them; without them these tests say so and pass.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use bz_testkit::TestDb;
use tokio::process::Command;

use crate::{
    process::Process,
    support::{PASSWORD, client_program},
};

/// The service with everything in its log that there can be.
async fn provider() -> (TestDb, Process) {
    let database = TestDb::new().await;
    let more = [("LOG_LEVEL", "debug"), ("EGRESS_ALLOW", "127.0.0.1")];
    let process = Process::start(&database, &more).await;
    (database, process)
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What a client was given, and what of it the log may show: nothing.
fn assert_silent(log: &str, output: &Output) {
    let secrets = String::from_utf8_lossy(&output.stdout);
    assert!(secrets.lines().count() > 5 && log.lines().count() > 10);
    for secret in secrets.lines().filter(|line| !line.is_empty()) {
        let hidden = secret.rsplit('.').next().unwrap();
        assert!(
            !log.contains(secret) && !log.contains(hidden),
            "the log has {hidden:.12}…"
        );
    }
}

/// Runs a client that is written in Python.
async fn run_python(script: &str) {
    let Some(python) = client_program("venv/bin/python") else {
        return;
    };
    let (_database, provider) = provider().await;
    let output = Command::new(python)
        .current_dir(clients())
        .args(["-B", script, &provider.base])
        .env("AUTHLIB_INSECURE_TRANSPORT", "1")
        .env("NO_PROXY", "*")
        .output()
        .await
        .unwrap();
    assert_success(&output);
    assert_silent(&provider.kill().await, &output);
}

/// Pitfall 14: Authlib behind Flask logs in, and no secret that it was given is in the log.
#[tokio::test]
async fn authlib_logs_in_through_a_flask_application() {
    run_python("authlib_flask.py").await;
}

#[tokio::test]
async fn mod_auth_openidc_lets_a_page_be_seen_by_who_is_logged_in() {
    if Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists() {
        run_python("apache.py").await;
    } else {
        println!("skipped: no Apache with mod_auth_openidc (Debian: libapache2-mod-auth-openidc)");
    }
}

/// Pitfalls 13, 14: openid-client and jose log in with a secret and without one, and no secret is in the log.
#[tokio::test]
async fn openid_client_logs_in_with_a_secret_and_without_one() {
    let Some(modules) = client_program("node_modules") else {
        return;
    };
    let (_database, provider) = provider().await;
    // Node looks for packages beside the script.
    let folder = modules
        .parent()
        .unwrap()
        .join(format!("run-{}", provider.base.rsplit(':').next().unwrap()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("openid_client.mjs");
    std::fs::copy(clients().join("openid_client.mjs"), &script).unwrap();
    let output = Command::new("node")
        .arg(&script)
        .args([&provider.base, "owner@example.com", PASSWORD])
        .env("NO_PROXY", "*")
        .output()
        .await
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_success(&output);
    assert_silent(&provider.kill().await, &output);
}
