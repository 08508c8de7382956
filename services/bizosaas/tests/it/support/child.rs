use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A child process that does not outlive this value. What it wrote is shown when the test fails.
pub(crate) struct Child {
    process: tokio::process::Child,
    log: PathBuf,
}

impl Child {
    pub(crate) fn start(mut command: Command, name: &str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}-{number}.log", std::process::id()));
        let out = File::create(&log).unwrap();
        command
            .stdin(Stdio::null())
            .stderr(out.try_clone().unwrap())
            .stdout(out);
        let process = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { process, log }
    }

    /// Fails the test when the process has ended.
    pub(crate) fn assert_running(&mut self) {
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "it ended: {ended:?}");
    }

    /// SIGKILL, as when the machine goes down.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().unwrap();
        let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for the end of a process that was asked to end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.process.wait());
        ended.await.expect("it stops within 20 seconds").unwrap()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.len().saturating_sub(60);
            eprintln!("{}:\n{}", self.log.display(), lines[last..].join("\n"));
        } else {
            let _already_gone = std::fs::remove_file(&self.log);
        }
    }
}
