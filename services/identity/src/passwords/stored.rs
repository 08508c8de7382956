//! A stored hash of any kind that is accepted: our own, and those that other services left behind.

use bcrypt::HashParts;
use bz_kernel::{ExposeSecret, SecretString};

use super::{
    Verdict,
    admission::Memory,
    normalise,
    phc::{self, Argon2Hash, Cost},
};

/// The most rounds of a stored bcrypt hash, as a power of two: a second of a core.
const MOST_BCRYPT_ROUNDS: u32 = 14;
/// bcrypt looks at no more of a password.
const BCRYPT_BYTES: usize = 72;
/// Rounds of bcrypt, as a power of two, that take about as long as a new hash: 20 ms, where bcrypt 10 takes 61.
const BCRYPT_ROUNDS_OF_NEW: u32 = 8;

/// A stored hash that is safe to compute.
pub(super) enum Stored {
    /// Argon2id: ours, or with the parameters of another service.
    Argon2(Argon2Hash),
    /// bcrypt, of another service.
    Bcrypt {
        /// The hash in its Modular Crypt Format.
        text: String,
        /// Rounds, as a power of two.
        rounds: u32,
    },
}

impl Stored {
    /// Reads a stored hash; the error names what is wrong with it and repeats nothing of it.
    pub(super) fn parse(text: &str, new: Cost) -> Result<Self, &'static str> {
        if !["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return Argon2Hash::parse(text, new).map(Self::Argon2);
        }
        let parts: HashParts = text.parse().map_err(|_| "not a bcrypt hash")?;
        match parts.get_cost() {
            rounds @ 4..=MOST_BCRYPT_ROUNDS => Ok(Self::Bcrypt {
                text: text.to_owned(),
                rounds,
            }),
            _ => Err("parameters over the limit"),
        }
    }

    /// A hash with the parameters of new ones that no password has been found for, and none will.
    pub(super) fn unmatchable(new: Cost) -> Self {
        Self::Argon2(Argon2Hash::unmatchable(new))
    }

    /// The memory that verifying takes.
    pub(super) fn memory_kib(&self, new: Cost) -> u32 {
        match self {
            Self::Argon2(hash) => hash
                .memory_kib()
                .max(self.missing_work(new).min(new.memory_kib)),
            Self::Bcrypt { .. } => self.missing_work(new).min(new.memory_kib),
        }
    }

    /// Compares. What a cheap hash leaves out of the work of a new one is done as well, so that the time does not tell who
    /// came from another service.
    pub(super) fn verify(
        &self,
        password: &SecretString,
        new: Cost,
        memory: &mut Memory,
    ) -> Verdict {
        phc::burn(self.missing_work(new), new, memory);
        let normal = normalise(password);
        match self {
            Self::Argon2(hash) => {
                // Other services hash what was typed, in whatever form of Unicode.
                let as_typed = hash.outdated && normal.expose_secret() != password.expose_secret();
                let matches =
                    hash.matches(&normal, memory) || (as_typed && hash.matches(password, memory));
                let outdated = hash.outdated;
                if matches {
                    Verdict::Match { outdated }
                } else {
                    Verdict::Mismatch
                }
            }
            Self::Bcrypt { text, .. } => verify_bcrypt(password, text),
        }
    }

    /// How much less work it is than a new hash, in passes over a KiB.
    fn missing_work(&self, new: Cost) -> u32 {
        let own = match self {
            Self::Argon2(hash) => hash.work(),
            Self::Bcrypt { rounds, .. } if *rounds >= BCRYPT_ROUNDS_OF_NEW => new.work(),
            Self::Bcrypt { rounds, .. } => new.work() >> (BCRYPT_ROUNDS_OF_NEW - rounds),
        };
        new.work().saturating_sub(own)
    }
}

/// bcrypt ends a password at 72 bytes, and implementations in C at U+0000. What lies beyond is unknown to the hash: such a
/// password is accepted as the service that made the hash did, but not hashed anew, which would make a slip of the finger
/// in the unknown part the password.
fn verify_bcrypt(password: &SecretString, text: &str) -> Verdict {
    let typed = password.expose_secret().as_bytes();
    let known = &typed[..typed.len().min(BCRYPT_BYTES)];
    // The hash is computed in any case: the work is the same.
    let matches = bcrypt::verify(known, text).unwrap_or(false);
    if matches && !typed.contains(&0) {
        Verdict::Match {
            outdated: typed.len() <= BCRYPT_BYTES,
        }
    } else {
        Verdict::Mismatch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pitfall 37: with what is added, every hash that is cheaper than a new one costs as much.
    #[test]
    fn what_a_cheap_hash_leaves_out_is_made_up_for() {
        let new = Cost::STANDARD;
        for rounds in 4..BCRYPT_ROUNDS_OF_NEW {
            let hash = Stored::Bcrypt {
                rounds,
                text: String::new(),
            };
            let own = new.work() >> (BCRYPT_ROUNDS_OF_NEW - rounds);
            assert_eq!(
                hash.missing_work(new) + own,
                new.work(),
                "2^{rounds} rounds"
            );
        }
        let dear = Stored::Bcrypt {
            rounds: BCRYPT_ROUNDS_OF_NEW + 2,
            text: String::new(),
        };
        assert_eq!(dear.missing_work(new), 0);
    }
}
