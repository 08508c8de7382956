//! Passwords: the rules for new ones, Argon2id, and the admission that keeps hashing from taking the machine.

mod admission;
mod bench;
mod phc;
mod rules;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bz_kernel::{ExposeSecret, Rng, SecretString};

use self::admission::Hasher;
pub use self::admission::Overloaded;
pub use self::bench::{Rate, bench};
pub use self::rules::{Weakness, normalise, weakness};

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is the right one.
    Match {
        /// The stored hash has other parameters than new ones have: hash the password anew.
        outdated: bool,
    },
    /// The password is wrong, or there was no stored hash to compare with.
    Mismatch,
}

/// Hashing threads unless more are asked for: their memory has to fit beside everything else into what a pod gets.
pub const MOST_THREADS: usize = 4;

/// Hashes and verifies passwords with Argon2id on threads of its own. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    hasher: Arc<Hasher>,
    rng: Rng,
    verifications: Arc<AtomicU64>,
}

impl Passwords {
    /// Starts `threads` hashing threads, each with 19 MiB while it works; 0 is one per core that this process may use, at
    /// most [`MOST_THREADS`].
    #[must_use]
    pub fn new(rng: Rng, threads: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = match threads {
            0 => cores().min(MOST_THREADS),
            threads => threads,
        };
        Self {
            hasher: Arc::new(Hasher::start(threads)),
            rng,
            verifications: Arc::default(),
        }
    }

    /// Hashes a password that passed [`weakness`] into a PHC string.
    ///
    /// # Errors
    /// [`Overloaded`] when too many are waiting already.
    pub async fn hash(&self, password: &SecretString) -> Result<String, Overloaded> {
        let (password, salt) = (normalise(password), self.rng.bytes());
        let work = move |memory: &mut admission::Memory| phc::hash(&password, &salt, memory);
        self.hasher.run(phc::MEMORY_KIB, work).await
    }

    /// Compares a password with a stored hash. Without one, or with one that cannot be used, the same work is done on a
    /// hash that nothing matches: the time tells nobody whether there is an account.
    ///
    /// # Errors
    /// [`Overloaded`] when too many are waiting already.
    pub async fn verify(
        &self,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<Verdict, Overloaded> {
        let stored = stored.and_then(|text| match phc::Stored::parse(text) {
            Ok(stored) => Some(stored),
            Err(reason) => {
                tracing::error!(
                    password.hash.problem = reason,
                    "a stored password hash cannot be used"
                );
                None
            }
        });
        let stored = stored.unwrap_or_else(phc::Stored::unmatchable);
        let password = if rules::is_too_long(password.expose_secret()) {
            // No such password was ever accepted; the work is done on a short one.
            SecretString::from("")
        } else {
            normalise(password)
        };
        self.verifications.fetch_add(1, Ordering::Relaxed);
        self.hasher
            .run(stored.memory_kib(), move |memory| {
                stored.verify(&password, memory)
            })
            .await
    }

    /// How many verifications were asked for since the start.
    #[must_use]
    pub fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
