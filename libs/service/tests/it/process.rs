//! The fixture service as a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub(crate) const PLATFORM_SECRET: &str = "0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running fixture; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) api: SocketAddr,
    pub(crate) admin: SocketAddr,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: JoinHandle<()>,
}

pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .envs([
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("ADMIN_PORT", "0"),
            ("DRAIN_DELAY", "0s"),
        ])
        .env("PLATFORM_SECRET", PLATFORM_SECRET)
        .envs(variables.iter().copied())
        .kill_on_drop(true);
    command
}

/// Examples are built with the tests, into the folder beside theirs.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let binary = tests
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples/fixture");
    assert!(
        binary.exists(),
        "build the examples too: cargo test -p bz-service"
    );
    binary
}

impl Process {
    /// Starts the fixture and waits until it listens, not until it is ready.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::spawn(&mut command(variables)).await
    }

    /// The same for a command of the test's own.
    pub(crate) async fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let listening = async {
            loop {
                let line = stdout.next_line().await.unwrap().expect("it listens");
                let line: Value = serde_json::from_str(&line).unwrap();
                lines.lock().unwrap().push(line.clone());
                if line["message"] == "listening" {
                    return line;
                }
            }
        };
        let line = tokio::time::timeout(PATIENCE, listening)
            .await
            .expect("it listens in time");
        let address = |name: &str| {
            line[name]
                .as_str()
                .unwrap()
                .split(',')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        let (api, admin) = (address("addresses"), address("admin"));
        let kept = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                kept.lock()
                    .unwrap()
                    .push(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            child,
            api,
            admin,
            lines,
            reader,
        }
    }

    pub(crate) async fn start_ready(variables: &[(&str, &str)]) -> Self {
        let process = Self::start(variables).await;
        process.until_ready().await;
        process
    }

    pub(crate) async fn until_ready(&self) {
        let ready = async || self.get("/health/ready").await.0 == 200;
        bz_testkit::wait_until(ready, PATIENCE).await;
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process and of what it logged.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = async {
            (
                self.child.wait().await.unwrap(),
                (&mut self.reader).await.unwrap(),
            )
        };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("it ends in time")
            .0
    }

    pub(crate) fn logged(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    /// One request on a connection of its own. Status 0 when there is no answer.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let (status, text) = ask(self.api, path).await.unwrap_or_default();
        (
            status,
            text.split_once("\r\n\r\n")
                .map(|(_, body)| body.to_owned())
                .unwrap_or_default(),
        )
    }
}

/// Sends a GET and reads to the end of the connection. Status and everything that came.
pub(crate) async fn ask(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    send(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    )
    .await
}

pub(crate) async fn send(address: SocketAddr, request: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Ok((status, text))
}
