//! Tokens that were verified a moment ago. An Ed25519 verification costs about as much as the rest of a small read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest as sha2};

use crate::Claims;

/// Tokens in each of the two generations.
const GENERATION: usize = 5_000;

/// SHA-256 of the token: what is kept cannot be presented.
pub(crate) type Digest = [u8; 32];

pub(super) fn digest(token: &str) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(sha2(&SHA256, token.as_bytes()).as_ref());
    out
}

/// At most 2 x [`GENERATION`] verified tokens. When the young generation is full it becomes the old one, and the old
/// one is dropped: eviction costs nothing, and a token in use moves to the young one.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Digest, Arc<Claims>>,
    old: HashMap<Digest, Arc<Claims>>,
    epoch: u64,
}

impl TokenCache {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Claims>> {
        let mut both = self.lock();
        if let Some(claims) = both.young.get(digest) {
            return Some(Arc::clone(claims));
        }
        let claims = both.old.remove(digest)?;
        both.put(*digest, Arc::clone(&claims));
        Some(claims)
    }

    /// Counts how often the cache was emptied.
    pub(super) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    /// Keeps a token that was verified with a key found in `epoch`. If the cache was emptied since, that key may be gone.
    pub(super) fn put(&self, digest: Digest, claims: Arc<Claims>, epoch: u64) {
        let mut both = self.lock();
        if both.epoch == epoch {
            both.put(digest, claims);
        }
    }

    pub(super) fn clear(&self) {
        let mut both = self.lock();
        *both = Generations {
            epoch: both.epoch + 1,
            ..Generations::default()
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn put(&mut self, digest: Digest, claims: Arc<Claims>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Arc<Claims> {
        let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
        Arc::new(Claims::of_service(
            "i",
            "c",
            "",
            uuid::Uuid::nil(),
            now,
            chrono::TimeDelta::zero(),
        ))
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_in_use() {
        let claims = claims();
        let cache = TokenCache::default();
        let used = digest("used");
        cache.put(used, Arc::clone(&claims), 0);
        for n in 0..30_000 {
            cache.put(digest(&n.to_string()), Arc::clone(&claims), 0);
            assert!(cache.get(&used).is_some());
        }
        let both = cache.lock();
        assert!(both.young.len() + both.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn what_was_verified_before_the_cache_was_emptied_does_not_come_back() {
        let cache = TokenCache::default();
        let epoch = cache.epoch();
        cache.clear();
        cache.put(digest("late"), claims(), epoch);
        assert!(cache.get(&digest("late")).is_none());
    }
}
