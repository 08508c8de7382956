//! Waiting for something that happens soon, without a sleep of a guessed length in the test.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks `condition` until it is true.
///
/// # Panics
/// When it is not true within `patience`.
#[track_caller]
pub fn wait_until(
    mut condition: impl AsyncFnMut() -> bool,
    patience: Duration,
) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + patience;
        let mut pause = FIRST_PAUSE;
        while !condition().await {
            assert!(
                Instant::now() < deadline,
                "still not true after {patience:?}: the condition at {caller}"
            );
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
