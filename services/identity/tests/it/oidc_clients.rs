//! The clients that applications really use, over real HTTP against the service's own binary. `scripts/test` installs
//! them; without them these tests say so and pass.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use bz_kernel::ExposeSecret;
use bz_testkit::{TestDb, wait_until};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    task::JoinHandle,
};

use crate::support::PASSWORD;

/// Where `scripts/test` has put the clients: `venv` and `node_modules`.
const INSTALLED: &str = "TEST_CLIENTS";
const PATIENCE: Duration = Duration::from_secs(30);

/// The service as a process of its own, with its log.
struct Provider {
    issuer: String,
    child: Child,
    log: JoinHandle<String>,
    _database: Arc<TestDb>,
}

impl Provider {
    async fn start() -> Self {
        let database = Arc::new(TestDb::new().await);
        let url = database.url("identity");
        // Free a moment ago: nobody else picks it before the service does.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let issuer = format!("http://127.0.0.1:{port}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_identity"))
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", &port.to_string()),
                ("ADMIN_PORT", "0"),
                ("DRAIN_DELAY", "0s"),
                ("ENVIRONMENT", "development"),
                ("EGRESS_ALLOW", "127.0.0.1"),
                ("LOG_LEVEL", "debug"),
                ("PLATFORM_SECRET", "0123456789abcdef0123456789abcdef"),
                ("DATABASE_URL", url.expose_secret()),
                ("ISSUER", &issuer),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let log = tokio::spawn(async move {
            let mut log = String::new();
            stdout.read_to_string(&mut log).await.unwrap();
            log
        });
        let provider = Self {
            issuer,
            child,
            log,
            _database: database,
        };
        let ready = format!("{}/health/ready", provider.issuer);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let is_ready = async || {
            http.get(&ready)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        };
        wait_until(is_ready, PATIENCE).await;
        provider
    }

    /// Stops the service and answers everything that it logged.
    async fn stop(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.await.unwrap()
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the clients of this test are, which the service does not know"
)]
fn installed(what: &str) -> Option<PathBuf> {
    let path = std::env::var(INSTALLED)
        .ok()
        .map(|root| Path::new(&root).join(what));
    let found = path.filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: {INSTALLED} names no folder with {what}; scripts/test makes it");
    }
    found
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
    let Some(python) = installed("venv/bin/python") else {
        return;
    };
    let provider = Provider::start().await;
    let output = Command::new(python)
        .current_dir(clients())
        .args(["-B", script, &provider.issuer])
        .env("AUTHLIB_INSECURE_TRANSPORT", "1")
        .env("NO_PROXY", "*")
        .output()
        .await
        .unwrap();
    assert_success(&output);
    assert_silent(&provider.stop().await, &output);
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
    let Some(modules) = installed("node_modules") else {
        return;
    };
    let provider = Provider::start().await;
    // Node looks for packages beside the script.
    let folder = modules.parent().unwrap().join(format!(
        "run-{}",
        provider.issuer.rsplit(':').next().unwrap()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("openid_client.mjs");
    std::fs::copy(clients().join("openid_client.mjs"), &script).unwrap();
    let output = Command::new("node")
        .arg(&script)
        .args([&provider.issuer, "owner@example.com", PASSWORD])
        .env("NO_PROXY", "*")
        .output()
        .await
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_success(&output);
    assert_silent(&provider.stop().await, &output);
}
