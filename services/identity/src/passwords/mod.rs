//! Passwords: the rules for new ones, Argon2id, and the admission that keeps hashing from taking the machine.

mod admission;
mod bench;
mod check;
mod crew;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod patience;
mod phc;
mod priority;
mod rules;
mod stored;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bz_kernel::{ExposeSecret, Rng, SecretString};

use self::stored::Stored;

use self::admission::{Full, Hasher};
pub use self::bench::{Rate, bench};
pub(crate) use self::check::{check, check_for};
pub use self::phc::Cost;
pub use self::priority::Priority;
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

/// Too many passwords are waiting to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Overloaded {
    retry_after: u32,
}

impl Overloaded {
    /// What passes in a moment.
    pub(crate) const fn for_a_second() -> Self {
        Self { retry_after: 1 }
    }

    /// Seconds after which it is worth trying again: another number for each, so that those who were turned away do not
    /// come back together.
    #[must_use]
    pub const fn retry_after(self) -> u32 {
        self.retry_after
    }
}

/// Hashing threads unless more are asked for: their memory has to fit beside everything else into what a pod gets.
pub const MOST_THREADS: usize = 4;
/// The longest time after which to try again, in seconds.
const LONGEST_RETRY: u32 = 5;

/// Hashes and verifies passwords with Argon2id on threads of its own. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    hasher: Arc<Hasher>,
    rng: Rng,
    cost: Cost,
    verifications: Arc<AtomicU64>,
}

impl Passwords {
    /// Starts `threads` hashing threads, each with 19 MiB while it works; 0 is one per core that this process may use, at
    /// most [`MOST_THREADS`].
    #[must_use]
    pub fn new(rng: Rng, threads: usize) -> Self {
        Self::with_priority(rng, threads, Priority::Low)
    }

    /// The same with threads of another priority.
    #[must_use]
    pub fn with_priority(rng: Rng, threads: usize, priority: Priority) -> Self {
        Self::start(rng, threads, Cost::STANDARD, priority)
    }

    /// The same with hashes of another cost on threads of no lower priority, for tests that need very many of them.
    #[must_use]
    pub fn with_cost(rng: Rng, threads: usize, cost: Cost) -> Self {
        Self::start(rng, threads, cost, Priority::Normal)
    }

    fn start(rng: Rng, threads: usize, cost: Cost, priority: Priority) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = match threads {
            0 => cores().min(MOST_THREADS),
            threads => threads,
        };
        Self {
            hasher: Arc::new(Hasher::start(threads, priority)),
            rng,
            cost,
            verifications: Arc::default(),
        }
    }

    /// Hashes a password that passed [`weakness`] into a PHC string.
    ///
    /// # Errors
    /// [`Overloaded`] when too many are waiting already.
    pub async fn hash(&self, password: &SecretString) -> Result<String, Overloaded> {
        let (password, salt, cost) = (normalise(password), self.rng.bytes(), self.cost);
        let work = move |memory: &mut admission::Memory| phc::hash(&password, &salt, cost, memory);
        let hashed = self.hasher.run("", cost.memory_kib, work).await;
        hashed.map_err(|full| self.overloaded(full))
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
        self.verify_for("", password, stored).await
    }

    /// The same for one of those who share the queue: a tenant, a network. Nobody takes the whole of it.
    ///
    /// # Errors
    /// [`Overloaded`] when too many are waiting already, or too many for this one.
    pub async fn verify_for(
        &self,
        asker: &str,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<Verdict, Overloaded> {
        let stored = stored.and_then(|text| match Stored::parse(text, self.cost) {
            Ok(stored) => Some(stored),
            Err(reason) => {
                tracing::error!(
                    password.hash.problem = reason,
                    "a stored password hash cannot be used"
                );
                None
            }
        });
        let stored = stored.unwrap_or_else(|| Stored::unmatchable(self.cost));
        let password = if rules::is_too_long(password.expose_secret()) {
            // No such password was ever accepted; the work is done on a short one.
            SecretString::from("")
        } else {
            password.clone()
        };
        self.verifications.fetch_add(1, Ordering::Relaxed);
        let (memory_kib, cost) = (stored.memory_kib(self.cost), self.cost);
        let work = move |memory: &mut admission::Memory| stored.verify(&password, cost, memory);
        let verdict = self.hasher.run(asker, memory_kib, work).await;
        verdict.map_err(|full| self.overloaded(full))
    }

    fn overloaded(&self, Full: Full) -> Overloaded {
        let retry_after = 1 + (self.rng.unit() * f64::from(LONGEST_RETRY)) as u32;
        Overloaded { retry_after }
    }

    /// How many verifications were asked for since the start.
    #[must_use]
    pub fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
