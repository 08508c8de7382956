//! The service as a process of its own, as it is deployed.

use std::{process::Stdio, time::Duration};

use bz_kernel::ExposeSecret;
use bz_testkit::{TestDb, wait_until};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, Command},
    task::JoinHandle,
};

/// How long tests wait for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running service, with its log.
pub(crate) struct Process {
    /// Its address, and its issuer.
    pub(crate) base: String,
    child: Child,
    log: JoinHandle<String>,
}

impl Process {
    /// Starts it on a database and waits until it is ready.
    pub(crate) async fn start(database: &TestDb, more: &[(&str, &str)]) -> Self {
        // Free a moment ago: nobody else picks it before the service does.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let base = format!("http://127.0.0.1:{port}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_identity"))
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", &port.to_string()),
                ("ADMIN_PORT", "0"),
                ("DRAIN_DELAY", "0s"),
                ("ENVIRONMENT", "development"),
                ("PLATFORM_SECRET", "0123456789abcdef0123456789abcdef"),
                ("DATABASE_URL", database.url("identity").expose_secret()),
                ("ISSUER", &base),
            ])
            .envs(more.iter().copied())
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
        let ready = format!("{base}/health/ready");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let is_ready = async || {
            let answer = http.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        wait_until(is_ready, PATIENCE).await;
        Self { base, child, log }
    }

    /// Kills it (SIGKILL), and answers everything that it logged.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.await.unwrap()
    }
}
