//! At the limits of the machine.

use std::time::Duration;

use bz_testkit::wait_until;
use tokio::net::TcpStream;

use crate::process::{self, Process};

#[tokio::test]
async fn running_out_of_file_descriptors_is_survived() {
    let mut limited = process::command(&[("DATABASE_URL", "postgres://127.0.0.1:1/x")]);
    let fixture = limited.as_std().get_program().to_owned();
    let mut shell = tokio::process::Command::new("sh");
    shell
        .args(["-c", "ulimit -n 64; exec \"$0\""])
        .arg(fixture)
        .env_clear();
    for (name, value) in limited.as_std_mut().get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let process = Process::spawn(shell.kill_on_drop(true)).await;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(TcpStream::connect(process.api).await.unwrap());
    }
    let told =
        |line: &serde_json::Value| line["message"] == "cannot accept connections; trying again";
    wait_until(
        async || process.logged().iter().any(told),
        Duration::from_secs(10),
    )
    .await;
    drop(held);
    wait_until(
        async || process.get("/health/live").await.0 == 200,
        Duration::from_secs(10),
    )
    .await;
}
