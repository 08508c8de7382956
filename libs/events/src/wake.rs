//! Telling consumers that there is something to pull.

use std::{sync::Arc, time::Duration};

use crate::Redis;

/// Wake-ups of one schema within this time are one: it bounds what a burst of writes costs.
const GATHER: Duration = Duration::from_millis(20);

/// The channel on which a service's consumers are woken.
#[must_use]
pub fn channel(schema: &str) -> String {
    format!("bz:events:{schema}")
}

/// Wakes the consumers of `schema`'s events, after the transaction with the event was committed. Returns at once, and
/// nothing is lost if it fails: consumers look for themselves twice a second.
pub fn wake(redis: &Redis, schema: &'static str) {
    let Some(link) = redis.link() else { return };
    if !link.wakes().insert(schema) {
        return;
    }
    let (redis, link) = (redis.clone(), Arc::clone(link));
    tokio::spawn(async move {
        tokio::time::sleep(GATHER).await;
        // Taken out first: a commit from here on gets a wake-up of its own.
        link.wakes().remove(schema);
        let _ = redis.publish(&channel(schema), "").await;
    });
}
