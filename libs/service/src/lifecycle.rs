//! Signals, and the jobs that run beside the requests.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::app::Job;

/// What the operator asked for by signals.
#[derive(Debug, Clone)]
pub struct Signals {
    /// SIGTERM or SIGINT came: stop in order.
    pub stop: CancellationToken,
    /// A second one came: stop now.
    pub force: CancellationToken,
}

impl Signals {
    /// Listens for SIGTERM and SIGINT. Must be called inside the runtime.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    pub fn install() -> std::io::Result<Self> {
        let (terminate, interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let signals = Self {
            stop: CancellationToken::new(),
            force: CancellationToken::new(),
        };
        tokio::spawn(signals.clone().listen(terminate, interrupt));
        Ok(signals)
    }

    async fn listen(self, mut terminate: Signal, mut interrupt: Signal) {
        for (token, message) in [
            (self.stop, "signal received: stopping in order"),
            (self.force, "second signal: stopping now"),
        ] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("{message}");
            token.cancel();
        }
    }
}

/// A job ended with an error or a panic.
#[derive(Debug, thiserror::Error)]
#[error("the job {name} failed: {reason}")]
pub struct JobFailed {
    name: &'static str,
    reason: String,
}

/// The running jobs of one service.
#[derive(Default)]
pub struct Jobs {
    running: JoinSet<(&'static str, Result<anyhow::Result<()>, JoinError>)>,
    stop: CancellationToken,
}

impl Jobs {
    /// No jobs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a job, inside the runtime.
    pub fn start(&mut self, job: Job) {
        let stop = self.stop.clone();
        let work = tokio::spawn((job.run)(stop));
        // The inner task keeps a panic apart, so that it can be told with the job's name.
        self.running.spawn(async move { (job.name, work.await) });
    }

    /// Ends when a job failed; never while all of them run or ended well.
    pub async fn failed(&mut self) -> JobFailed {
        loop {
            match self.running.join_next().await {
                None => std::future::pending::<()>().await,
                Some(ended) => {
                    if let Some(failed) = failure(ended) {
                        return failed;
                    }
                }
            }
        }
    }

    /// Asks all jobs to stop and waits for them.
    ///
    /// # Errors
    /// [`JobFailed`] for the first that failed or did not stop in time.
    pub async fn stop(mut self, patience: Duration) -> Result<(), JobFailed> {
        self.stop.cancel();
        let all = async {
            let mut first = Ok(());
            while let Some(ended) = self.running.join_next().await {
                first = first.and_then(|()| failure(ended).map_or(Ok(()), Err));
            }
            first
        };
        let late = || JobFailed {
            name: "(some)",
            reason: format!("not stopped within {patience:?}"),
        };
        tokio::time::timeout(patience, all)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

type Ended = Result<(&'static str, Result<anyhow::Result<()>, JoinError>), JoinError>;

fn failure(ended: Ended) -> Option<JobFailed> {
    let (name, result) = match ended {
        Ok(ended) => ended,
        Err(error) => ("(unknown)", Err(error)),
    };
    let reason = match result {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => format!("{error:#}"),
        Err(error) if error.is_cancelled() => return None,
        Err(error) => format!("it panicked: {error}"),
    };
    tracing::error!(job = name, error = %reason, "job failed");
    Some(JobFailed { name, reason })
}
