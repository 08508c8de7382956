//! The bare rate of Argon2id on this machine: what logins are measured against.

use std::time::{Duration, Instant};

use argon2::Argon2;
use bz_kernel::SecretString;

use super::{admission::Memory, phc};

/// What a run of [`bench()`] found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Hashes that were finished.
    pub hashes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Rate {
    /// Hashes in a second, of all threads together.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.hashes as f64 / self.elapsed.as_secs_f64()
    }
}

/// Hashes in a second, with the precision that is asked for.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.per_second(), f)
    }
}

/// Computes hashes with the parameters of new ones on `threads` threads for at least `duration`, and nothing else. Each
/// thread keeps its memory, so that page faults are not measured.
#[must_use]
pub fn bench(duration: Duration, threads: usize) -> Rate {
    let started = Instant::now();
    let hashes = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| hash_until(started + duration)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or(0))
            .sum()
    });
    Rate {
        hashes,
        elapsed: started.elapsed(),
    }
}

fn hash_until(end: Instant) -> u64 {
    let argon2 = Argon2::from(&phc::Cost::STANDARD.params());
    let password = SecretString::from("a password of usual length");
    let mut memory = Memory::default();
    let mut hashes = 0;
    while Instant::now() < end {
        let mut output = [0; 32];
        phc::fill(
            &argon2,
            &password,
            &[7; phc::SALT_BYTES],
            &mut output,
            &mut memory,
        );
        std::hint::black_box(output);
        hashes += 1;
    }
    hashes
}
