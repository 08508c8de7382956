//! Who watches runs hears at once of what this process writes.

use bz_kernel::RunId;
use tokio::sync::broadcast;

/// More than a watcher needs who only looks again.
const KEPT: usize = 1024;

/// The hub. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Hub(broadcast::Sender<RunId>);

impl Hub {
    /// A hub without anybody.
    pub(super) fn new() -> Self {
        Self(broadcast::channel(KEPT).0)
    }

    /// A run has told something.
    pub(crate) fn tell(&self, run: RunId) {
        // Nobody has to watch.
        let _watched = self.0.send(run);
    }

    /// From now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<RunId> {
        self.0.subscribe()
    }
}
