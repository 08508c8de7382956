//! What the database keeps of a secret that must be read again: sealed with a key that is not in the database.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{PlatformSecret, Rng};

/// The sealed bytes do not open: another platform secret, another purpose, or another row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed does not open with this platform secret")]
pub struct Unsealable;

/// Seals and opens bytes with AES-256-GCM under a key of one purpose. Each is bound to what it belongs to, for example
/// the id of its row: copied to another row it does not open. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    rng: Rng,
}

impl Sealer {
    /// A sealer for one purpose, for example `"signing-keys"`.
    ///
    /// # Panics
    /// Never: the derived key has the length that AES-256 wants.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the key has 32 bytes by its type")]
    pub fn new(secret: &PlatformSecret, purpose: &str, rng: Rng) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &secret.derive(purpose)).expect("32 bytes");
        Self {
            key: Arc::new(LessSafeKey::new(key)),
            rng,
        }
    }

    /// Nonce, then ciphertext with its tag.
    ///
    /// # Panics
    /// Never: AES-GCM takes 64 GiB.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "nothing that is kept comes near the limit of AES-GCM"
    )]
    pub fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = self.rng.bytes::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to),
                &mut sealed,
            )
            .expect("short enough to seal");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed with the same purpose and bound to the same thing.
    ///
    /// # Errors
    /// [`Unsealable`] for anything else.
    pub fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut sealed = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(bound_to), &mut sealed)
            .map_err(|_| Unsealable)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_and_its_row_only() {
        let sealer = |secret: &str, purpose: &str| {
            let secret = PlatformSecret::new(secret.repeat(32).into()).unwrap();
            Sealer::new(&secret, purpose, Rng::seeded(1))
        };
        let sealed = sealer("a", "p").seal(b"row", b"plain");
        assert!(!sealed.windows(5).any(|window| window == b"plain"));
        assert_eq!(sealer("a", "p").open(b"row", &sealed).unwrap(), b"plain");
        for opened in [
            sealer("a", "p").open(b"other", &sealed),
            sealer("b", "p").open(b"row", &sealed),
            sealer("a", "q").open(b"row", &sealed),
            sealer("a", "p").open(b"row", &sealed[1..]),
            sealer("a", "p").open(b"row", &[]),
        ] {
            assert_eq!(opened, Err(Unsealable));
        }
    }
}
