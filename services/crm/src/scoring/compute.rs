//! Work that takes a core for long: on threads of its own, few at a time. Inside a transaction only what takes milliseconds:
//! the scores of one batch.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A permit for each that may run at once. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Compute(Arc<Semaphore>);

impl Compute {
    /// Lets so many run at once.
    pub(crate) fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// Runs it once there is a permit.
    ///
    /// # Errors
    /// When it panicked, or the runtime stops.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded: the permit is held by the thread"
    )]
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let permit = Arc::clone(&self.0).acquire_owned().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        Ok(done.await?)
    }
}
