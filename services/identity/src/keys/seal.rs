//! Private keys at rest: AES-256-GCM under a key derived from the platform's secret, bound to the key's id.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bz_auth::SigningKey;
use bz_kernel::{PlatformSecret, Rng};

/// The sealed key does not open: another platform secret, or another key's row.
#[derive(Debug, thiserror::Error)]
#[error("the sealed signing key {0} does not open with this platform secret")]
pub(super) struct Unsealable(String);

/// Seals and opens private keys.
pub(super) struct Sealer {
    key: LessSafeKey,
    rng: Rng,
}

impl Sealer {
    #[expect(
        clippy::expect_used,
        reason = "the derived key has 32 bytes by its type"
    )]
    pub(super) fn new(secret: &PlatformSecret, rng: &Rng) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &secret.derive("signing-keys")).expect("32 bytes");
        Self {
            key: LessSafeKey::new(key),
            rng: rng.clone(),
        }
    }

    /// Nonce, then ciphertext with its tag.
    #[expect(
        clippy::expect_used,
        reason = "48 bytes are far below the limit of AES-GCM"
    )]
    pub(super) fn seal(&self, key: &SigningKey) -> Vec<u8> {
        let nonce = self.rng.bytes::<NONCE_LEN>();
        let mut sealed = key.pkcs8().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(key.kid()),
                &mut sealed,
            )
            .expect("short enough to seal");
        [&nonce[..], &sealed].concat()
    }

    /// The key that was sealed under this id.
    pub(super) fn open(&self, kid: &str, sealed: &[u8]) -> Result<SigningKey, Unsealable> {
        let unsealable = || Unsealable(kid.to_owned());
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| unsealable())?;
        let mut sealed = sealed.to_vec();
        let pkcs8 = self
            .key
            .open_in_place(nonce, Aad::from(kid), &mut sealed)
            .map_err(|_| unsealable())?;
        SigningKey::from_pkcs8(pkcs8)
            .ok()
            .filter(|key| key.kid() == kid)
            .ok_or_else(unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_under_its_own_id_and_secret_only() {
        let sealer = |c: &str| {
            Sealer::new(
                &PlatformSecret::new(c.repeat(32).into()).unwrap(),
                &Rng::seeded(1),
            )
        };
        let key = SigningKey::generate(&Rng::seeded(2)).unwrap();
        let sealed = sealer("a").seal(&key);
        assert!(
            !sealed
                .windows(32)
                .any(|window| key.pkcs8().windows(32).any(|plain| plain == window))
        );
        assert_eq!(
            sealer("a").open(key.kid(), &sealed).unwrap().pkcs8(),
            key.pkcs8()
        );
        assert!(sealer("a").open("another", &sealed).is_err());
        assert!(sealer("b").open(key.kid(), &sealed).is_err());
        assert!(sealer("a").open(key.kid(), &sealed[1..]).is_err());
        assert!(sealer("a").open(key.kid(), &[]).is_err());
    }
}
