//! A map that forgets, for what is kept of strangers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keeps at least the last `most` entries that were written and at most twice as many, so that nobody fills the memory
/// by naming ever new keys.
pub struct Bounded<V> {
    most: usize,
    young: HashMap<String, V>,
    old: HashMap<String, V>,
}

impl<V> Bounded<V> {
    /// An empty one.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Writes an entry.
    pub fn insert(&mut self, key: String, value: V) {
        if self.young.len() >= self.most && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets an entry.
    pub fn remove(&mut self, key: &str) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

/// The map behind its lock, which is never held across a wait.
pub fn lock<V>(map: &Mutex<Bounded<V>>) -> MutexGuard<'_, Bounded<V>> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_twice_the_most_and_knows_the_last_ones() {
        let mut map = Bounded::new(10);
        for n in 0..1000 {
            map.insert(n.to_string(), n);
            assert!(map.young.len() + map.old.len() <= 20);
            assert!((n.max(9) - 9..=n).all(|last| map.get(&last.to_string()) == Some(&last)));
        }
        map.remove("999");
        assert_eq!(map.get("999"), None);
    }
}
